"""The one clock of the daemon: epoch milliseconds that never run backwards while a call lasts."""

import time


class Clock:
    """Wall time carried on by the monotonic clock, so that a stepped system clock moves no deadline."""

    def __init__(self) -> None:
        self._offset_ms = 0
        self.settle()

    def now_ms(self) -> int:
        """Now, integer milliseconds since the epoch."""
        return time.monotonic_ns() // 1_000_000 + self._offset_ms

    def settle(self) -> None:
        """Follow a stepped system clock; only to be called while no deadline is pending."""
        self._offset_ms = time.time_ns() // 1_000_000 - time.monotonic_ns() // 1_000_000
