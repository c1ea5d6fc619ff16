"""How late the event loop runs its timers: what every caller would feel."""

import asyncio
from collections import deque
from collections.abc import Callable

EVERY_S = 0.25
KEPT = 40
"""Looks remembered: ten seconds."""
RECENT = 8
"""Looks by which further callers are judged: two seconds."""


class LoopLag:
    """Looks four times a second; `observe` is given each lag in seconds."""

    def __init__(self, observe: Callable[[float], None]) -> None:
        self._observe = observe
        self._lags = deque([0.0] * KEPT, maxlen=KEPT)
        self._timer: asyncio.TimerHandle | None = None

    @property
    def recent_s(self) -> float:
        """The greatest of the last two seconds, with a look that is overdue; 0 before the first."""
        lags = list(self._lags)[-RECENT:]
        if self._timer is not None:
            lags.append(asyncio.get_running_loop().time() - self._timer.when())
        return max([0.0, *lags])

    @property
    def worst_s(self) -> float:
        """The greatest of the last ten seconds; 0 before the first look."""
        return max(self._lags)

    def start(self) -> None:
        """Begin to look; call it inside the running loop."""
        loop = asyncio.get_running_loop()
        self._timer = loop.call_at(loop.time() + EVERY_S, self._look, loop.time() + EVERY_S)

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self, due: float) -> None:
        lag_s = max(0.0, asyncio.get_running_loop().time() - due)
        self._lags.append(lag_s)
        self._observe(lag_s)
        self.start()
