"""The pretend Asterisk's clock: real, or virtual, which jumps to the next timer when nothing else is to be done."""

import asyncio
import fcntl
import selectors
import sys
import termios
import time
from collections.abc import Callable
from typing import Any

_PATIENCE_S = 0.001
_SIOCOUTQNSD = 0x894B
_DELAYED_ACK_S = 0.06
"""Small writes may wait for an acknowledgement, and Linux takes 40 ms over it."""
_STEP_S = 1e-6
"""What one turn of a virtual loop takes: a wait too short for a float to show would else be waited for ever."""


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

    async def sock_connect(self, sock: Any, address: Any) -> None:
        self._jobs += 1
        try:
            await super().sock_connect(sock, address)
        finally:
            self._jobs -= 1

    def _job_done(self, _: "asyncio.Future[Any]") -> None:
        self._jobs -= 1


class _JumpingSelector(selectors.DefaultSelector):
    """Sockets are looked at in real time; a wait that nothing ends is jumped over.

    What one of our sockets has sent to another may still be in the kernel's hands: bytes that have not left yet are
    waited for, and new ones that have left are given a moment to arrive.
    """

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop
        self._settled: dict[int, int] = {}
        self._moved_at = 0.0

    def select(self, timeout: float | None = None) -> Any:
        self._loop.jump(_STEP_S)
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        while not (ready := super().select(0)):
            if self._loop.owed() or not self._has_settled():
                ready = super().select(_PATIENCE_S)
                if ready:
                    return ready
            elif timeout is None:
                return super().select(None)
            else:
                self._loop.jump(timeout)
                return []
        return ready

    def _has_settled(self) -> bool:
        """Nothing has left since the last look, and what is to leave has not moved for a while (nobody reads it)."""
        fds = [fd for fd in self.get_map() if isinstance(fd, int)]
        left = {fd: queued for fd in fds if (queued := _queued(fd, termios.TIOCOUTQ))}
        before, self._settled = self._settled, left
        if not left.items() <= before.items():
            self._moved_at = time.monotonic()
            return False
        stuck = time.monotonic() - self._moved_at > _DELAYED_ACK_S
        return stuck or not any(_queued(fd, _SIOCOUTQNSD) for fd in left)


def _queued(fd: int, what: int) -> int:
    """Bytes of a socket that are not acknowledged, or have not even left; 0 for what is no connection."""
    try:
        return int.from_bytes(fcntl.ioctl(fd, what, bytes(4)), sys.byteorder)
    except OSError:
        return 0


class VirtualDaemonClock:
    """Stands in for `callflow.runtime.clock.Clock` in tests, so that a daemon in the same loop shares its time."""

    def __init__(self) -> None:
        self._epoch_ms = time.time_ns() // 1_000_000

    def now_ms(self) -> int:
        """Virtual milliseconds since the epoch."""
        return self._epoch_ms + int(asyncio.get_running_loop().time() * 1000)

    def settle(self) -> None:
        """Nobody steps a virtual clock."""
