"""A UDP socket for asyncio that tells when the kernel received each datagram."""

import asyncio
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass

from callflow.lab.phone.messages import Address

_SO_TIMESTAMPNS = 35  # linux/asm-generic/socket.h; the socket module has no name for it
_TIMESPEC = struct.Struct("ll")
_LARGEST = 65_535
_ANCILLARY = socket.CMSG_SPACE(_TIMESPEC.size)
_RECEIVE_BUFFER = 1 << 20

Receive = Callable[[bytes, Address, float], None]


@dataclass(frozen=True)
class TimedSocket:
    """Sends datagrams; tells `receive` each one that arrives, with its sender and the kernel's time (epoch seconds)."""

    _socket: socket.socket
    address: Address

    @classmethod
    def open(cls, receive: Receive, host: str, port: int = 0) -> "TimedSocket":
        """Bind and begin to receive; port 0 lets the kernel choose. Raises OSError."""
        own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        own.setblocking(False)
        own.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        own.bind((host, port))
        asyncio.get_running_loop().add_reader(own.fileno(), _drain, own, receive)
        return cls(own, own.getsockname())

    def send(self, data: bytes, to: Address) -> float:
        """Send a datagram; when that was (epoch seconds). On loopback it arrives within the call."""
        at = time.time()
        self._socket.sendto(data, to)
        return at

    def close(self) -> None:
        """Stop receiving."""
        if self._socket.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._socket.fileno())
            self._socket.close()


def _drain(own: socket.socket, receive: Receive) -> None:
    while own.fileno() >= 0:
        try:
            data, ancillary, _, sender = own.recvmsg(_LARGEST, _ANCILLARY)
        except BlockingIOError:
            return
        except ConnectionError:  # a peer's port is closed: the next datagram may be from another
            continue
        receive(data, sender, _stamp(ancillary))


def _stamp(ancillary: list[tuple[int, int, bytes]]) -> float:
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, _SO_TIMESTAMPNS):
            seconds, nanoseconds = _TIMESPEC.unpack(data)
            return float(seconds + nanoseconds / 1e9)
    return time.time()
