"""The socket on which a service tells its manager how it is, as systemd has it (`sd_notify`)."""

import asyncio
import os
import socket
from contextlib import suppress
from types import TracebackType
from typing import Self
from uuid import uuid4

_LARGEST = 4096


class NotifySocket:
    """Open while its context lasts; a service finds it by `address` in its variable NOTIFY_SOCKET."""

    def __init__(self) -> None:
        self.address = f"@callflow-{os.getpid()}-{uuid4().hex}"  # without a file: a path may be too long for a socket
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)

    async def told(self) -> list[str]:
        """The assignments of the next message, as `READY=1`."""
        message = await asyncio.get_running_loop().sock_recv(self._socket, _LARGEST)
        return message.decode(errors="replace").splitlines()

    def waiting(self) -> list[str]:
        """The assignments of every message that has come and was not taken yet."""
        lines: list[str] = []
        with suppress(BlockingIOError):
            while True:
                lines += self._socket.recv(_LARGEST).decode(errors="replace").splitlines()
        return lines

    def __enter__(self) -> Self:
        self._socket.bind(self.address.replace("@", "\0"))
        self._socket.setblocking(False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()
