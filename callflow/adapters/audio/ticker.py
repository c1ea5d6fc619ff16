"""Calls a function at even steps of time."""

import asyncio
import time
from collections.abc import Callable

from callflow.adapters.audio.kernel import KernelTimer

_NS = 1_000_000_000


class Ticker:
    """Calls `tick` every `step_s` while started, by the event loop's timer; skips the steps it missed."""

    def __init__(self, step_s: float, tick: Callable[[], None]) -> None:
        self._step_s = step_s
        self._tick = tick
        self._timer: asyncio.TimerHandle | None = None
        self.due = 0.0
        """When the next step is due, by the loop's clock."""

    def start(self) -> None:
        """Start, unless started."""
        if self._timer is None:
            self.due = asyncio.get_running_loop().time()
            self._arm()

    def stop(self) -> None:
        """Stop; it can be started again."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self) -> None:
        loop = asyncio.get_running_loop()
        self.due = max(self.due + self._step_s, loop.time())
        self._timer = loop.call_at(self.due, self._on_timer)

    def _on_timer(self) -> None:
        self._arm()
        self._tick()


class PunctualTicker:
    """The same by a timer of the kernel; by a `Ticker` where the kernel has none to give."""

    def __init__(self, step_s: float, tick: Callable[[], None]) -> None:
        self._step_s = step_s
        self._tick = tick
        self._kernel: KernelTimer | None = None
        self._due = 0.0
        self._fallback = Ticker(step_s, tick)

    @property
    def due(self) -> float:
        """When the next step is due, by the monotonic clock."""
        return self._due if self._kernel is not None else self._fallback.due

    def start(self) -> None:
        """Start, unless started."""
        if self._kernel is not None:
            return
        begun_ns = time.monotonic_ns()
        try:
            self._kernel = KernelTimer(begun_ns, round(self._step_s * _NS))
        except (OSError, AttributeError):
            self._fallback.start()
            return
        self._due = begun_ns / _NS + self._step_s
        asyncio.get_running_loop().add_reader(self._kernel.fd, self._on_timer)

    def stop(self) -> None:
        """Stop; it can be started again."""
        self._fallback.stop()
        if self._kernel is not None:
            asyncio.get_running_loop().remove_reader(self._kernel.fd)
            self._kernel.close()
            self._kernel = None

    def _on_timer(self) -> None:
        if self._kernel is not None and (steps := self._kernel.steps()):
            self._due += self._step_s * steps
            self._tick()
