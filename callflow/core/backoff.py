"""How long to wait before the next attempt to connect."""

import random
from collections.abc import Callable


class Backoff:
    """Pauses that double from `min_s` to `max_s`, each less up to a half at random."""

    def __init__(self, min_s: float, max_s: float, chance: Callable[[], float] = random.random) -> None:
        self._min_s, self._max_s = min_s, max_s
        self._chance = chance
        self._pauses = 0

    def session_ended(self, lasted_s: float) -> bool:
        """True, and the pauses begin anew, after a session of `max_s` or more: a shorter one is one more failure."""
        if lasted_s < self._max_s:
            return False
        self._pauses = 0
        return True

    def pause_s(self) -> float:
        """Seconds to wait now."""
        longest_s = min(self._min_s * 2.0 ** min(self._pauses, 32), self._max_s)
        self._pauses += 1
        return longest_s * (1 - self._chance() / 2)
