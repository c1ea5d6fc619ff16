"""Between the core and asyncio: every event goes in here, every command comes out, one timer is armed."""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

import structlog

from callflow.core.commands import Command
from callflow.runtime.clock import Clock

log = structlog.get_logger()


class Core(Protocol):
    """A pure core: the screening engine, the ring tracker."""

    @property
    def live(self) -> int: ...
    def receive(self, event: Any, now_ms: int) -> list[Command]: ...
    def expire(self, now_ms: int) -> list[Command]: ...
    def next_deadline(self) -> int | None: ...


class CoreLoop:
    """Runs a core inside the event loop; everything here is synchronous, so events keep their order."""

    def __init__(self, core: Core, clock: Clock, dispatch: Callable[[Command], None]) -> None:
        self._core = core
        self._clock = clock
        self._dispatch = dispatch
        self._timer: asyncio.TimerHandle | None = None
        self._armed_for: int | None = None

    def receive(self, event: Any) -> None:
        """Let the core take in one event and carry out what it wants."""
        self._carry_out(self._core.receive(event, self.now_ms()))

    def now_ms(self) -> int:
        """What an event that comes now is stamped with; the clock is set right while no call would notice."""
        if not self._core.live:
            self._clock.settle()
        return self._clock.now_ms()

    def close(self) -> None:
        """No deadline fires any more."""
        if self._timer:
            self._timer.cancel()

    def _expire(self) -> None:
        self._timer = self._armed_for = None
        self._carry_out(self._core.expire(self._clock.now_ms()))

    def _carry_out(self, commands: list[Command]) -> None:
        for command in commands:
            try:
                self._dispatch(command)
            except Exception:
                log.exception("a command failed in a way nobody foresaw", command=type(command).__name__)
        due = self._core.next_deadline()
        if due == self._armed_for:
            return
        if self._timer:
            self._timer.cancel()
        self._armed_for, self._timer = due, None
        if due is not None:
            wait_s = max(0, due - self._clock.now_ms()) / 1000
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._expire)
