"""Between a core and asyncio: every event goes in here, every command comes out, one timer is armed."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar

import structlog

from callflow.runtime.clock import Clock

AGAIN_S = 0.1
"""A core that has failed is not asked again at once."""

log = structlog.get_logger()


Command = TypeVar("Command")
Issued = TypeVar("Issued", covariant=True)


class Core(Protocol[Issued]):
    """A pure core: the screening engine, the ring tracker, the rating desk."""

    @property
    def live(self) -> int: ...
    def receive(self, event: Any, now_ms: int) -> Sequence[Issued]: ...
    def expire(self, now_ms: int) -> Sequence[Issued]: ...
    def next_deadline(self) -> int | None: ...


class CoreLoop(Generic[Command]):
    """Runs a core inside the event loop; everything here is synchronous, so events keep their order.

    Never raises. An error of the core costs the event that caused it, and no deadline.
    """

    def __init__(self, core: Core[Command], clock: Clock, dispatch: Callable[[Command], None]) -> None:
        self._core = core
        self._clock = clock
        self._dispatch = dispatch
        self._timer: asyncio.TimerHandle | None = None
        self._armed_for: int | None = None
        self.failures: Counter[str] = Counter()
        """Errors of the core, by the name of the error; the first of each name is logged."""

    def receive(self, event: Any) -> None:
        """Let the core take in one event and carry out what it wants."""
        now_ms = self.now_ms()
        self._run(lambda: self._core.receive(event, now_ms), type(event).__name__)

    def now_ms(self) -> int:
        """What an event that comes now is stamped with; a stepped clock is followed so that no deadline is moved."""
        if self._core.live:
            self._clock.slew()
        else:
            self._clock.settle()
        return self._clock.now_ms()

    def close(self) -> None:
        """No deadline fires any more."""
        if self._timer:
            self._timer.cancel()

    def _expire(self) -> None:
        self._timer = self._armed_for = None
        self._run(lambda: self._core.expire(self._clock.now_ms()), "deadline")

    def _run(self, step: Callable[[], Sequence[Command]], name: str) -> None:
        not_before_s = 0.0
        try:
            self._carry_out(step())
        except Exception as error:
            not_before_s = AGAIN_S
            if not self.failures[type(error).__name__]:
                log.exception("a core failed; what it was told is lost", core=type(self._core).__name__, step=name)
            self.failures[type(error).__name__] += 1
        self._arm(not_before_s)

    def _carry_out(self, commands: Sequence[Command]) -> None:
        for command in commands:
            try:
                self._dispatch(command)
            except Exception:
                log.exception("a command failed unexpectedly", command=type(command).__name__)

    def _arm(self, not_before_s: float) -> None:
        due = self._core.next_deadline()
        if due == self._armed_for:
            return
        if self._timer:
            self._timer.cancel()
        self._armed_for, self._timer = due, None
        if due is not None:
            wait_s = max(not_before_s, (due - self._clock.now_ms()) / 1000)
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._expire)
