"""Asterisk's TALK_DETECT (func_talkdetect), computed from the samples that a caller sends.

A frame of 20 ms is sound when its mean absolute sample reaches the threshold. The first such frame makes Start; when
frames without sound have added up to the silence time, Stop follows, its Duration without that silence.
"""

import asyncio
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from callflow.simulator.pretend.clock import Clock
from callflow.simulator.pretend.stream import FRAME_S

FRAME_MS = 20
DEFAULT_SILENCE_MS, DEFAULT_THRESHOLD = 2500, 256


@dataclass(frozen=True, slots=True)
class Voiced:
    """Which frames are sound at one threshold, and the stretches they form for one silence time."""

    frames: list[int]
    stretch_of: list[int]
    """For each of `frames`, the frame at which Stop comes; -1 when the stream ends before."""

    def next_at(self, frame: int) -> tuple[int, int] | None:
        """Start and Stop frame of what is first heard from `frame` on."""
        place = bisect_left(self.frames, frame)
        return (self.frames[place], self.stretch_of[place]) if place < len(self.frames) else None


@dataclass(eq=False)
class Hearing:
    """What Asterisk can hear of one group of callers: the mean absolute sample of each frame, computed once.

    NaN: the frame came late, and is not heard at all.
    """

    levels: "np.ndarray[tuple[int], np.dtype[np.float64]]"
    begins_s: float
    """When the stream begins, seconds after the answer."""
    endless: bool = False
    """The stream goes on for ever as it ends: a tone."""
    _voiced: dict[tuple[int, float], Voiced] = field(default_factory=dict)

    def voiced(self, silence_ms: int, threshold: float) -> Voiced:
        """The frames that are sound; the same answer for every caller of the kind."""
        key = silence_ms, threshold
        if (found := self._voiced.get(key)) is None:
            frames = np.flatnonzero(self.levels >= threshold)
            found = self._voiced[key] = Voiced(frames.tolist(), self._stops(frames, silence_ms))
        return found

    def _stops(self, frames: "np.ndarray[tuple[int], np.dtype[np.intp]]", silence_ms: int) -> list[int]:
        """For each voiced frame, when the stretch it belongs to is over. A frame that is not heard is no silence."""
        heard = np.flatnonzero(~np.isnan(self.levels))
        places = np.searchsorted(heard, frames).tolist()
        quiet = max(1, -(-silence_ms // FRAME_MS))
        stops, stop = [-1] * len(places), -1
        for turn in range(len(places) - 1, -1, -1):
            following = places[turn + 1] if turn + 1 < len(places) else None
            if following is None or following - places[turn] > quiet:
                last = places[turn] + quiet
                ends = last < len(heard) and not (self.endless and following is None)
                stop = int(heard[last]) if ends else -1
            stops[turn] = stop
        return stops


@lru_cache(maxsize=1)
def tone() -> Hearing:
    """Playtones(1004): loud from the first frame, for ever."""
    return Hearing(np.full(1, 8000.0), 0.0, endless=True)


SILENCE = Hearing(np.zeros(0), 0.0)


class TalkDetect:
    """TALK_DETECT on one channel; calls `on_start` and `on_stop` (with a duration in ms) when Asterisk makes events."""

    __slots__ = (
        "_answered_at", "_clock", "_gain", "_hearing", "_silence_ms", "_threshold", "_timer", "on_start", "on_stop",
    )  # fmt: skip

    def __init__(
        self,
        clock: Clock,
        hearing: Hearing,
        answered_at: float,
        on_start: Callable[[], None],
        on_stop: Callable[[int], None],
    ) -> None:
        self._clock, self._hearing, self._answered_at = clock, hearing, answered_at
        self.on_start, self.on_stop = on_start, on_stop
        self._timer: asyncio.TimerHandle | None = None
        self._silence_ms = self._threshold = 0
        self._gain = 1.0

    @property
    def armed(self) -> bool:
        return self._threshold > 0

    def set(self, value: str, *, waiting: bool = False, gain: float = 1.0) -> bool:
        """TALK_DETECT(set)=[silence ms][,threshold]; False if Asterisk refuses the value.

        `gain`: the gain on the channel at this moment; it stays in force for what is armed now.
        `waiting`: one frame that has arrived is not read yet, as when Answer() returns.
        """
        silence, _, threshold = value.partition(",")
        try:
            self._silence_ms = int(silence) if silence else DEFAULT_SILENCE_MS
            self._threshold = int(threshold) if threshold else DEFAULT_THRESHOLD
        except ValueError:
            return False
        if self._silence_ms <= 0 or self._threshold <= 0:
            return False
        self._gain = gain
        self._listen(max(0, self._frame(self._clock.now()) - waiting))
        return True

    def remove(self) -> bool:
        """TALK_DETECT(remove); False when it is not set."""
        was_set = self.armed
        self.close()
        return was_set

    def close(self) -> None:
        """Stop listening."""
        self._threshold = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _frame(self, at: float) -> int:
        """The first frame that arrives from `at` on."""
        return max(0, -int(-(at - self._answered_at - self._hearing.begins_s) // FRAME_S))

    def _listen(self, frame: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        voiced = self._hearing.voiced(self._silence_ms, self._threshold / self._gain)
        if self._hearing.endless and voiced.frames:
            self._at(max(1, frame), self._started, frame, -1)
        elif found := voiced.next_at(frame):
            self._at(found[0], self._started, *found)

    def _at(self, frame: int, do: Callable[..., None], *arguments: int) -> None:
        due = self._answered_at + self._hearing.begins_s + frame * FRAME_S
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(max(0.0, due - self._clock.now()), do, *arguments)

    def _started(self, start: int, stop: int) -> None:
        self._timer = None
        if stop >= 0:
            self._at(stop, self._stopped, start, stop)
        self.on_start()

    def _stopped(self, start: int, stop: int) -> None:
        duration_ms = max(0, (stop - start) * FRAME_MS - self._silence_ms)
        self._listen(stop + 1)
        self.on_stop(duration_ms)
