"""The pretend Asterisk's clock: real, or virtual: it jumps to the next timer when nothing else is due."""

import asyncio
import fcntl
import selectors
import socket
import struct
import sys
import termios
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PATIENCE_S = 0.001
_TCP_INFO = struct.Struct("=128xQ8xL52xQQ")
"""Of Linux's tcp_info: bytes received, not sent yet, sent, and retransmitted."""
_TCP_INFO_BYTES = 256
_LISTENING = 10
_DELAYED_ACK_S = 0.06
"""Small writes may wait for an acknowledgement, and Linux takes 40 ms over it."""
_STEP_S = 1e-6
"""Duration of one turn of a virtual loop. Without it, a wait below the resolution of a float would never end."""


class Clock:
    """Seconds for timing, and wall time for stamps; `offset_s` shifts the stamps, as a stepped system clock does."""

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
    """An event loop whose time stands still while anything is ready, and jumps over waits.

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
        """Whether a thread has not answered yet."""
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
    """Polls sockets in real time; jumps over a wait that no socket ends.

    What one of our sockets has sent to another may still be in the kernel, for milliseconds on a busy machine: the
    selector waits for it.
    """

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop
        self._waiting: dict[int, int] = {}
        self._moved_at = 0.0

    def select(self, timeout: float | None = None) -> Any:
        self._loop.jump(_STEP_S)
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        while True:
            settled = not self._loop.owed() and self._has_settled()
            # look again: data may have arrived before everything had settled
            if ready := super().select(0 if settled else _PATIENCE_S):
                return ready
            if settled and timeout is None:
                return super().select(None)
            if settled and timeout is not None:
                self._loop.jump(timeout)
                return []

    def _has_settled(self) -> bool:
        """True if all data between our sockets has arrived, or has not moved for long because nobody reads it."""
        fds = [fd for fd in self.get_map() if isinstance(fd, int)]
        waiting = {fd: queued for fd in fds if (queued := _queued(fd))}
        if not waiting:
            return True
        before, self._waiting = self._waiting, waiting
        if not waiting.items() <= before.items():
            self._moved_at = time.monotonic()
        if time.monotonic() - self._moved_at > _DELAYED_ACK_S:
            return True
        sockets = {fd: found for fd in _open_files() if (found := _tcp(fd))}
        ours = {(one.own, one.peer): one for one in sockets.values()}
        for fd, queued in waiting.items():
            one = sockets.get(fd)
            other = one and ours.get((one.peer, one.own))
            if one and other:
                if other.received < one.given:
                    return False
            elif queued != before.get(fd) or (one and (one.peer, None) in ours):
                return False  # give another process time, or our own server must accept first
        return True


def _open_files() -> list[int]:
    """Every file descriptor of this process: a tap reads its connections itself, and no selector has them."""
    return [int(path.name) for path in Path("/proc/self/fd").iterdir()]


def _queued(fd: int) -> int:
    """Bytes written to a socket and not acknowledged yet; 0 for a file descriptor that is no connection."""
    try:
        return int.from_bytes(fcntl.ioctl(fd, termios.TIOCOUTQ, bytes(4)), sys.byteorder)
    except OSError:
        return 0


@dataclass(frozen=True)
class _Tcp:
    """One of our TCP sockets: its addresses, and the bytes it was given to send and has received."""

    own: Any
    peer: Any
    given: int
    received: int


def _tcp(fd: int) -> _Tcp | None:
    """What the kernel tells about a socket, by tcp_info of Linux's tcp.h; None for other kinds."""
    try:
        sock = socket.socket(fileno=fd)
    except OSError:
        return None
    try:
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
        received, unsent, sent, again = _TCP_INFO.unpack_from(info)
        peer = None if info[0] == _LISTENING else sock.getpeername()
        return _Tcp(sock.getsockname(), peer, sent - again + unsent, received)
    except (OSError, struct.error):
        return None
    finally:
        sock.detach()


class VirtualDaemonClock:
    """Stands in for `callflow.runtime.clock.Clock` in tests, so that a daemon in the same loop shares its time."""

    def __init__(self) -> None:
        self._epoch_ms = time.time_ns() // 1_000_000

    def now_ms(self) -> int:
        """Virtual milliseconds since the epoch."""
        return self._epoch_ms + int(asyncio.get_running_loop().time() * 1000)

    def settle(self) -> int:
        """Now: nobody steps a virtual clock."""
        return self.now_ms()

    def slew(self) -> int:
        """Now: nobody steps a virtual clock."""
        return self.now_ms()
