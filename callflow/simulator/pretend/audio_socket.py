"""Asterisk's side of AudioSocket: connects, introduces itself by uuid, sends audio, notes that audio comes back."""

import asyncio
from collections.abc import Callable
from uuid import UUID

from callflow.adapters.audio.framing import Kind, Misframed, Splitter, frame

CONNECT_S = 2.0
_UNREAD_BYTES = 65_536


class AudioSocket(asyncio.Protocol):
    """One connection. `on_end(by_peer)` is called once: True when the other side has ended it."""

    def __init__(self, uuid: str, on_end: Callable[[bool], None]) -> None:
        self._uuid, self._on_end = uuid, on_end
        self._splitter = Splitter()
        self._transport: asyncio.Transport | None = None
        self._introduction = b""
        self._ended = False
        self.heard_from = False
        """Something has come since this was last set to False."""

    async def connect(self, address: str) -> None:
        """Connect to HOST:PORT, or end."""
        host, _, port = address.rpartition(":")
        loop = asyncio.get_running_loop()
        try:
            self._introduction = frame(Kind.UUID, UUID(self._uuid).bytes)
            async with asyncio.timeout(CONNECT_S):
                await loop.create_connection(lambda: self, host.strip("[]"), int(port))
        except (OSError, TimeoutError, ValueError):
            self._end(by_peer=False)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # a TCP connection is a Transport
        if self._ended:
            self.close()
            return
        self._write(self._introduction)

    def data_received(self, data: bytes) -> None:
        self.heard_from = True
        try:
            if any(kind is Kind.HANG_UP for kind, _ in self._splitter.split(data)):
                self._end(by_peer=True)
        except Misframed:
            self._end(by_peer=False)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._end(by_peer=True)

    def send(self, samples: bytes) -> None:
        """Send 20 ms of audio; left out while the peer does not read."""
        if self._transport is not None and self._transport.get_write_buffer_size() < _UNREAD_BYTES:
            self._write(frame(Kind.AUDIO, samples))

    def close(self) -> None:
        """The channel has ended: close without a call of `on_end`."""
        self._ended = True
        if self._transport is not None:
            self._transport.close()

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def _end(self, *, by_peer: bool) -> None:
        if not self._ended:
            self.close()
            self._on_end(by_peer)
