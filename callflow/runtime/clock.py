"""The one clock of a core: epoch milliseconds that never run backwards and never jump while anything lasts."""

import time

SLEW = 0.05
"""How fast a stepped system clock is followed while something lasts: by so much of the time that passes."""

LOOK_MS = 100
"""The system clock is looked at so often: every event asks for the time."""

LONGEST_MS = 1000
"""What passed before counts for nothing, so that one look never moves the clock by much."""


class Clock:
    """Wall time carried on by the monotonic clock, so that a stepped system clock moves no deadline."""

    def __init__(self) -> None:
        self._offset_ms = 0
        self._slewed_ms = 0
        self.settle()

    def now_ms(self) -> int:
        """Now, integer milliseconds since the epoch."""
        return time.monotonic_ns() // 1_000_000 + self._offset_ms

    def settle(self) -> int:
        """Now, after a stepped system clock was followed at once; only to be called while no deadline is pending."""
        now_ms = self._slewed_ms = time.monotonic_ns() // 1_000_000
        self._offset_ms = self._wanted_ms(now_ms)
        return now_ms + self._offset_ms

    def slew(self) -> int:
        """Now, after it was followed gently: the clock runs faster or slower; for a core that is never idle."""
        now_ms = time.monotonic_ns() // 1_000_000
        passed_ms = now_ms - self._slewed_ms
        if passed_ms >= LOOK_MS:
            most_ms = int(min(passed_ms, LONGEST_MS) * SLEW)
            wrong_ms = self._wanted_ms(now_ms) - self._offset_ms
            self._slewed_ms = now_ms
            self._offset_ms += max(-most_ms, min(most_ms, wrong_ms))
        return now_ms + self._offset_ms

    @staticmethod
    def _wanted_ms(monotonic_ms: int) -> int:
        return time.time_ns() // 1_000_000 - monotonic_ms
