"""The pretend Asterisk's clock: real, or virtual, which jumps to the next timer when nothing else is to be done."""

import asyncio
import os
import selectors
import time
from collections.abc import Callable
from typing import Any

_PATIENCE_S = 0.002


class Clock:
    """Seconds for timing, and wall time for stamps; `offset_s` makes stamps lie, as a stepped system clock would."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._monotonic: Callable[[], float] = loop.time if isinstance(loop, VirtualLoop) else time.monotonic
        self._epoch_s = time.time() - self._monotonic()
        self.offset_s = 0.0

    def now(self) -> float:
        """Seconds of a clock that is never stepped."""
        return self._monotonic()

    def wall(self) -> float:
        """Seconds since the epoch, as Asterisk would stamp them."""
        return self._monotonic() + self._epoch_s + self.offset_s

    def stamp(self) -> str:
        """An AMI Timestamp: seconds and microseconds."""
        return f"{self.wall():.6f}"


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time stands still while anything is ready and jumps over every wait.

    Threads work in real time: while one of them `owes` an answer, time does not jump. Jobs of the loop's executor are
    known; for others, name a function that tells with `owed_by`.
    """

    def __init__(self) -> None:
        self._now = 1000.0
        self._jobs = 0
        self._debtors: list[Callable[[], bool]] = []
        super().__init__(_JumpingSelector(self))

    def time(self) -> float:
        """Virtual seconds."""
        return self._now

    def owed_by(self, owes: Callable[[], bool]) -> None:
        """Time does not jump while `owes()` is true."""
        self._debtors.append(owes)

    def owed(self) -> bool:
        """Some thread has not answered yet."""
        return self._jobs > 0 or any(owes() for owes in self._debtors)

    def jump(self, seconds: float) -> None:
        """Move time on."""
        self._now += seconds

    def run_in_executor(  # type: ignore[override]  # its type variables have no names here
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> "asyncio.Future[Any]":
        self._jobs += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._job_done)
        return future

    def _job_done(self, _: "asyncio.Future[Any]") -> None:
        self._jobs -= 1


class _JumpingSelector(selectors.DefaultSelector):
    """Sockets are looked at in real time; a wait that nothing ends is jumped over."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        os.sched_yield()  # the kernel may still be carrying bytes from one of our sockets to another
        while not (ready := super().select(_PATIENCE_S if self._loop.owed() else 0)):
            if timeout is None:
                return super().select(None if not self._loop.owed() else _PATIENCE_S)
            if not self._loop.owed():
                self._loop.jump(timeout)
                return []
        return ready


class VirtualDaemonClock:
    """Stands in for `callflow.runtime.clock.Clock` in tests, so that a daemon in the same loop shares its time."""

    def __init__(self) -> None:
        self._epoch_ms = time.time_ns() // 1_000_000

    def now_ms(self) -> int:
        """Virtual milliseconds since the epoch."""
        return self._epoch_ms + int(asyncio.get_running_loop().time() * 1000)

    def settle(self) -> None:
        """Nobody steps a virtual clock."""
