"""Feeds inputs to a reader and says which of them broke it: by an error, by hanging, or by taking memory."""

import itertools
import resource
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from types import FrameType

from tests.fuzz.mutator import mutated

LONGEST_S = 1.0
"""Of processor time, for one input: a busy machine is no hang. Nothing else happens meanwhile."""
MOST_MORE_MB = 150.0

Read = Callable[[bytes], None]


class Hung(Exception):
    """One input took too long."""


@dataclass(frozen=True)
class Found:
    """An input and the error that it led to."""

    data: bytes
    error: Exception


def try_one(read: Read, data: bytes, longest_s: float = LONGEST_S) -> Found | None:
    """None if the reader bears the input. Only in the main thread."""
    before = signal.signal(signal.SIGVTALRM, _too_long)
    signal.setitimer(signal.ITIMER_VIRTUAL, longest_s)
    try:
        read(data)
    except Exception as error:  # noqa: BLE001 - whatever it is, it was found
        return Found(data, error)
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    return None


def hunt(
    read: Read, seeds: Sequence[bytes], chance: Random, goes_on: Callable[[int], bool], longest_s: float = LONGEST_S
) -> Iterator[Found]:
    """All seeds, then inputs made from them while `goes_on` (inputs so far) says so. Raises MemoryError."""
    for data in seeds:
        if found := try_one(read, data, longest_s):
            yield found
    most_mb = memory_mb() + MOST_MORE_MB
    for number in itertools.count():
        if not goes_on(number):
            return
        if memory_mb() > most_mb:
            raise MemoryError(f"{memory_mb():.0f} MB after {number} inputs")
        if found := try_one(read, mutated(seeds, chance), longest_s):
            yield found


def memory_mb() -> float:
    """The most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _too_long(number: int, frame: FrameType | None) -> None:
    raise Hung
