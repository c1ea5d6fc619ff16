"""The RTP that a phone sends: frames of 20 ms, as 16-bit samples at 8 kHz decoded from mu-law."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from math import inf

import numpy as np
import numpy.typing as npt

from callflow.sound.audio import FRAME, RATE

FRAME_S = 0.02
_SILENCE = bytes(2 * FRAME)
_NOTHING: npt.NDArray[np.int16] = np.zeros(0, dtype=np.int16)
_NUMBERS, _LATE_FROM = 65536, 32768
_PEAK = 12566
"""Of Playtones: a mean absolute sample of 8000."""


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """The audio of one group of callers; seconds count from the answer.

    Behind the last of `samples` comes digital silence until the phone stops; `endless`: they begin anew.
    """

    begins_s: float = inf
    ends_s: float = inf
    samples: npt.NDArray[np.int16] = field(default_factory=lambda: _NOTHING)
    endless: bool = False
    late: tuple[range, ...] = ()
    """Frames that Asterisk's audio hooks drop: neither TALK_DETECT nor a tap hears them."""
    new_ssrc_at: tuple[int, ...] = ()
    """Frames that are the first of another SSRC."""

    def sent(self, now_s: float) -> int:
        """How many frames have arrived by then."""
        until_s = min(now_s, self.ends_s)
        return 0 if until_s < self.begins_s else int((until_s - self.begins_s) / FRAME_S + 1e-6) + 1

    def first_s(self, now_s: float, most_s: float) -> float:
        """How long until its first frame, at most so long."""
        return 0.0 if self.sent(now_s) else min(max(0.0, self.begins_s - now_s), most_s)

    def counted(self, now_s: float) -> int:
        """What Asterisk counts as received packets by then: those of the present SSRC."""
        sent = self.sent(now_s)
        return sent - max((first for first in self.new_ssrc_at if first < sent), default=0)

    def is_late(self, number: int) -> bool:
        """Whether audio hooks drop this frame."""
        return any(number in frames for frames in self.late)

    def frame(self, number: int) -> bytes:
        """One frame, counted from 0."""
        first = number * FRAME
        if self.endless and self.samples.size:
            first %= self.samples.size
        return self.samples[first : first + FRAME].tobytes() if first < self.samples.size else _SILENCE


NO_MEDIA = Stream()


def late_frames(jumps: Iterable[tuple[int, int]]) -> tuple[range, ...]:
    """The frames that are late where sequence numbers jump: (frame, by how much), in order of the frames.

    As main/translate.c of Debian's Asterisk 22 has it: a number more than 32768 ahead of the next one is taken for one
    that comes late, until the numbers have caught up.
    """
    found: list[range] = []
    offset = highest = 0
    """Of the numbers: what the jumps have added; that of the last frame which was not late."""
    for frame, by in jumps:
        if found and found[-1].stop > frame:
            found[-1] = range(found[-1].start, frame)
        else:
            highest = frame - 1 + offset
        offset += by
        ahead = (frame + offset - highest - 1) % _NUMBERS
        if frame and ahead > _LATE_FROM:
            found.append(range(frame, frame + _NUMBERS - 1 - ahead))
    return tuple(found)


@lru_cache(maxsize=1)
def tone() -> Stream:
    """Playtones(1004) on the other half of a Local channel."""
    second = np.sin(2 * np.pi * 1004 * np.arange(RATE) / RATE)
    return Stream(0.0, inf, (_PEAK * second).astype(np.int16), endless=True)
