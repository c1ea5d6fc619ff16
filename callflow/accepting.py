"""Accepts connections: all that wait, in each pass of the event loop.

uvloop 0.23 accepts one connection in each pass. On a busy machine, with passes of more than 50 ms, 20 callers per
second waited longer and longer in silence (measured: 17 s). asyncio's own loop accepts all of them.
"""

import asyncio
import errno
import os
import socket
from collections.abc import Callable, Iterable
from typing import Any

BACKLOG = 1024
MOST_A_PASS = 256
"""Connections accepted before the loop does something else."""
REST_S = 0.2
"""Before the next attempt when the system has no room for a connection."""
_FULL = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Acceptor:
    """One address, and a protocol for each connection to it."""

    def __init__(self, host: str, port: int, make_protocol: Callable[[], asyncio.Protocol]) -> None:
        self._host = host
        self._port = port
        self._make_protocol = make_protocol
        self._loop: asyncio.AbstractEventLoop  # of `bind`: the daemon is put together before its loop runs
        self._sockets: list[socket.socket] = []
        self._connecting: set[asyncio.Task[object]] = set()
        self._spare: int | None = None

    @property
    def address(self) -> tuple[str, int] | None:
        """Host and port in use, which the system chose if the options say 0; None while there is none."""
        if not self._sockets:
            return None
        host, port = self._sockets[0].getsockname()[:2]
        return host, port

    async def bind(self) -> None:
        """Take the address, on which peers are refused until `listen`; raises OSError."""
        self._loop = asyncio.get_running_loop()
        try:
            for family, kind, protocol, _, address in await self._found():
                self._sockets.append(one := socket.socket(family, kind, protocol))
                one.setblocking(False)
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                one.bind(address)
        except OSError:
            self.close()
            raise

    def listen(self) -> None:
        """Let peers in; raises OSError if another program has begun to listen on the address since `bind`."""
        self._spare = _open_spare()
        for one in self._sockets:
            one.listen(BACKLOG)
            self._loop.add_reader(one, self._accept, one)

    def close(self) -> None:
        """Let nobody in any more; connections go on."""
        for one in self._sockets:
            self._loop.remove_reader(one)
            one.close()
        self._sockets = []
        if self._spare is not None:
            os.close(self._spare)
            self._spare = None

    async def _found(self) -> Iterable[tuple[int, int, int, str, tuple[Any, ...]]]:
        try:
            every = await self._loop.getaddrinfo(
                self._host or None, self._port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )
        except ValueError as error:  # no name at all, such as one with a zero byte
            raise OSError(str(error)) from error
        return dict.fromkeys(every)

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(MOST_A_PASS):
            try:
                connection, _address = listening.accept()
            except BlockingIOError:
                return
            except ConnectionAbortedError:
                continue
            except OSError as error:
                if error.errno in _FULL and self._turn_away(listening):
                    continue
                self._rest(listening)
                return
            connection.setblocking(False)
            task = self._loop.create_task(self._connect(connection))
            self._connecting.add(task)
            task.add_done_callback(self._connecting.discard)

    async def _connect(self, connection: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(self._make_protocol, connection)
        except OSError:
            connection.close()

    def _turn_away(self, listening: socket.socket) -> bool:
        """Close the connection that waits first: its caller goes on, where no file is left. False: none waits."""
        if self._spare is None:
            return False
        os.close(self._spare)
        try:
            listening.accept()[0].close()
        except OSError:
            return False
        finally:
            self._spare = _open_spare()
        return True

    def _rest(self, listening: socket.socket) -> None:
        self._loop.remove_reader(listening)
        self._loop.call_later(REST_S, self._resume, listening)

    def _resume(self, listening: socket.socket) -> None:
        if listening in self._sockets:
            self._loop.add_reader(listening, self._accept, listening)


def _open_spare() -> int | None:
    """A file that can be given up for a moment; None if there is no room."""
    try:
        return os.open(os.devnull, os.O_RDONLY)
    except OSError:
        return None
