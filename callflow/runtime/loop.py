"""Between the core and asyncio: every event goes in here, every command comes out, one timer is armed."""

import asyncio
from collections.abc import Callable

from callflow.core.commands import Command
from callflow.core.engine import Engine
from callflow.core.events import Event
from callflow.runtime.clock import Clock


class CoreLoop:
    """Runs the engine inside the event loop; everything here is synchronous, so events keep their order."""

    def __init__(self, engine: Engine, clock: Clock, dispatch: Callable[[Command], None]) -> None:
        self._engine = engine
        self._clock = clock
        self._dispatch = dispatch
        self._timer: asyncio.TimerHandle | None = None
        self._armed_for: int | None = None

    def receive(self, event: Event) -> None:
        """Let the core take in one event and carry out what it wants."""
        if not self._engine.live:
            self._clock.settle()
        self._carry_out(self._engine.receive(event, self._clock.now_ms()))

    def close(self) -> None:
        """No deadline fires any more."""
        if self._timer:
            self._timer.cancel()

    def _expire(self) -> None:
        self._timer = self._armed_for = None
        self._carry_out(self._engine.expire(self._clock.now_ms()))

    def _carry_out(self, commands: list[Command]) -> None:
        for command in commands:
            self._dispatch(command)
        due = self._engine.next_deadline()
        if due == self._armed_for:
            return
        if self._timer:
            self._timer.cancel()
        self._armed_for, self._timer = due, None
        if due is not None:
            wait_s = max(0, due - self._clock.now_ms()) / 1000
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._expire)
