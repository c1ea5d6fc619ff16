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
        try:
            wanted = self._core.receive(event, self.now_ms())
        except Exception as error:  # noqa: BLE001 - logged and counted below
            self._failed(error, type(event).__name__)
        else:
            self._carry_out(wanted)
            self._arm()

    def now_ms(self) -> int:
        """What an event that comes now is stamped with; a stepped clock is followed so that no deadline is moved."""
        return self._clock.slew() if self._core.live else self._clock.settle()

    def close(self) -> None:
        """No deadline fires any more."""
        if self._timer:
            self._timer.cancel()

    def _expire(self) -> None:
        self._timer = self._armed_for = None
        try:
            wanted = self._core.expire(self._clock.now_ms())
        except Exception as error:  # noqa: BLE001 - the same
            self._failed(error, "deadline")
        else:
            self._carry_out(wanted)
            self._arm()

    def _failed(self, error: Exception, step: str) -> None:
        if not self.failures[type(error).__name__]:
            core = type(self._core).__name__
            log.error("a core failed; what it was told is lost", core=core, step=step, exc_info=error)
        self.failures[type(error).__name__] += 1
        self._arm(AGAIN_S)

    def _carry_out(self, commands: Sequence[Command]) -> None:
        for command in commands:
            try:
                self._dispatch(command)
            except Exception:
                log.exception("a command failed unexpectedly", command=type(command).__name__)

    def _arm(self, not_before_s: float = 0.0) -> None:
        due = self._core.next_deadline()
        if due == self._armed_for:
            return
        if self._timer:
            self._timer.cancel()
        self._armed_for, self._timer = due, None
        if due is not None:
            wait_s = max(not_before_s, (due - self._clock.now_ms()) / 1000)
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._expire)
