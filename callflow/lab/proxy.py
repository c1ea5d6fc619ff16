"""A TCP proxy between the daemon and Asterisk that can cut, stall and slow their connections."""

import asyncio
import contextlib
import socket
import struct
from types import TracebackType
from typing import Self

from callflow.processes.ports import LOOPBACK

_CHUNK = 65536
_LINGER_ZERO = struct.pack("ii", 1, 0)


class Proxy:
    """Passes everything from `port` on to `target` until told otherwise."""

    def __init__(self, port: int, target: int) -> None:
        self.port, self.target = port, target
        self.delay_s = 0.0
        self.connections = 0
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._refusing = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, LOOPBACK, self.port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server:
            self._server.close()
        self.heal()
        self.cut(reset=True)

    def cut(self, *, reset: bool = False, refuse: bool = False) -> None:
        """End every connection, with FIN or with RST; `refuse` ends new ones too, until `heal`."""
        self._refusing = refuse
        for writer in list(self._writers):
            self._end(writer, reset=reset)

    def stall(self) -> None:
        """Forward nothing and close nothing, like a dead line; what arrives is kept."""
        self._flowing.clear()

    def slow(self, delay_s: float) -> None:
        """Delay all data by this long."""
        self.delay_s = delay_s

    def heal(self) -> None:
        """Work normally again; what was held back is forwarded."""
        self._refusing = False
        self.delay_s = 0.0
        self._flowing.set()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if self._refusing:
            self._end(writer, reset=True)
            return
        try:
            behind, beyond = await asyncio.open_connection(LOOPBACK, self.target)
        except OSError:
            self._end(writer, reset=True)
            return
        ends = {writer, beyond}
        self._writers |= ends
        await asyncio.gather(self._pass_on(reader, beyond), self._pass_on(behind, writer))
        self._writers -= ends

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(_CHUNK):
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                await self._flowing.wait()
                writer.write(data)
                await writer.drain()
        writer.close()

    def _end(self, writer: asyncio.StreamWriter, *, reset: bool) -> None:
        sock = writer.get_extra_info("socket")
        if reset and sock is not None and sock.fileno() >= 0:  # it may have ended by itself
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
            writer.transport.abort()
        writer.close()
