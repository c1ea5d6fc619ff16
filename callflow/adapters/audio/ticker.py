"""A thing done again and again at even steps of time."""

import asyncio
from collections.abc import Callable


class Ticker:
    """Calls `tick` every `step_s` while started; steps that were missed are left out, not made up for."""

    def __init__(self, step_s: float, tick: Callable[[], None]) -> None:
        self._step_s = step_s
        self._tick = tick
        self._timer: asyncio.TimerHandle | None = None
        self.due = 0.0
        """When the next step is due, by the loop's clock."""

    def start(self) -> None:
        """Begin, if not begun."""
        if self._timer is None:
            self.due = asyncio.get_running_loop().time()
            self._again()

    def stop(self) -> None:
        """End."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _again(self) -> None:
        loop = asyncio.get_running_loop()
        self.due = max(self.due + self._step_s, loop.time())
        self._timer = loop.call_at(self.due, self._run)

    def _run(self) -> None:
        self._again()
        self._tick()
