"""Loopback ports in blocks: one block belongs to one lab, however many labs run side by side."""

import fcntl
import socket
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from callflow.processes.errors import LabUnavailable
from callflow.processes.process import LAB_FOLDER

LOOPBACK = "127.0.0.1"
BLOCK = 2000
_FIRST, _LAST = 12000, 32000  # unprivileged, and below the range Linux hands out by itself
_NAMED = 100
_CALLERS = 300
_RTP_END = 800


@dataclass
class PortBlock:
    """2000 ports: named ones, callers' SIP ports, Asterisk's RTP range, the phones' media ports."""

    base: int
    _lock: IO[str] = field(repr=False)
    _named: int = 0
    _caller: int = _NAMED
    _media: int = _RTP_END

    def named(self) -> int:
        """A free TCP and UDP port for a service. Raises LabUnavailable."""
        for number in range(self._named, _NAMED):
            if is_free(self.base + number):
                self._named = number + 1
                return self.base + number
        raise _used_up()

    def caller(self) -> int:
        """A free port for one SIPp's signalling; the longest unused comes first. Raises LabUnavailable."""
        for _ in range(_CALLERS - _NAMED):
            number, self._caller = self._caller, self._caller + 1
            if self._caller == _CALLERS:
                self._caller = _NAMED
            if is_free(self.base + number):
                return self.base + number
        raise _used_up()

    def media(self, size: int) -> tuple[int, int]:
        """First and last port of a fresh range for one SIPp's RTP; wraps around when used up."""
        if self._media + size > BLOCK:
            self._media = _RTP_END
        first = self.base + self._media
        self._media += size
        return first, first + size - 1

    @property
    def asterisk_rtp(self) -> tuple[int, int]:
        """First and last port of Asterisk's own RTP range."""
        return self.base + _CALLERS, self.base + _RTP_END - 1

    @property
    def last(self) -> int:
        return self.base + BLOCK - 1

    def release(self) -> None:
        """Give the block back to other labs."""
        self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def _used_up() -> LabUnavailable:
    return LabUnavailable("the lab has used up its ports", remedy="start a new lab for more calls")


def take_ports(folder: Path = LAB_FOLDER / "ports") -> PortBlock:
    """A block no living process has taken. Raises LabUnavailable."""
    folder.mkdir(parents=True, exist_ok=True)
    for base in range(_FIRST, _LAST, BLOCK):
        lock = (folder / f"{base}.lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            continue
        return PortBlock(base, lock)
    raise LabUnavailable("every block of ports is taken", remedy="end another lab first")


def is_free(port: int) -> bool:
    """True if nobody has this port on loopback, neither TCP nor UDP."""
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                return False
    return True
