"""Calls a function at even steps of time."""

import asyncio
import time
from collections.abc import Callable

from callflow.adapters.audio.kernel import KernelTimer

_NS = 1_000_000_000


class Ticker:
    """Calls `tick` every `step_s` while started, and skips the steps it missed.

    It uses a timer of the kernel where there is one, otherwise the event loop's.
    """

    def __init__(self, step_s: float, tick: Callable[[], None]) -> None:
        self._step_s = step_s
        self._tick = tick
        self._kernel: KernelTimer | None = None
        self._loop_timer: asyncio.TimerHandle | None = None
        self.due = 0.0
        """When the next step is due, by the loop's clock."""

    def start(self) -> None:
        """Start, unless started."""
        if self._kernel is not None or self._loop_timer is not None:
            return
        loop, begun_ns = asyncio.get_running_loop(), time.monotonic_ns()
        try:
            self._kernel = KernelTimer(begun_ns, round(self._step_s * _NS))
        except (OSError, AttributeError):
            self.due = loop.time()
            self._arm_loop_timer()
        else:
            self.due = begun_ns / _NS + self._step_s
            loop.add_reader(self._kernel.fd, self._on_kernel_timer)

    def stop(self) -> None:
        """Stop; it can be started again."""
        if self._loop_timer is not None:
            self._loop_timer.cancel()
            self._loop_timer = None
        if self._kernel is not None:
            asyncio.get_running_loop().remove_reader(self._kernel.fd)
            self._kernel.close()
            self._kernel = None

    def _on_kernel_timer(self) -> None:
        steps = self._kernel.steps() if self._kernel is not None else 0
        if steps:
            self.due += self._step_s * steps
            self._tick()

    def _arm_loop_timer(self) -> None:
        loop = asyncio.get_running_loop()
        self.due = max(self.due + self._step_s, loop.time())
        self._loop_timer = loop.call_at(self.due, self._on_loop_timer)

    def _on_loop_timer(self) -> None:
        self._arm_loop_timer()
        self._tick()
