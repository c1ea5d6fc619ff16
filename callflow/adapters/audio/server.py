"""The AudioSocket server: accepts the connections that callflow asked for, and closes all others."""

import asyncio
from collections import Counter
from typing import Any, Protocol, cast
from uuid import UUID

from callflow.accepting import Acceptor
from callflow.adapters.audio.framing import SILENCE, Kind, Misframed, Splitter
from callflow.adapters.audio.kernel import READ_BYTES, OnDemandReader
from callflow.adapters.audio.options import Patience, TapOptions, host_port
from callflow.errors import SettingError

KEEP_ALIVE = 4 * SILENCE
"""Silence is written at the pace of a call; four frames in one write cost a quarter of four writes."""
_ENDS = (Kind.HANG_UP, Kind.ERROR)
UNREAD_BYTES = 65_536
"""Asterisk reads at once; a peer that leaves four seconds of silence unread is not Asterisk."""


class Guest(Protocol):
    """The part that asked for a connection."""

    def connected(self, connection: "Connection") -> None:
        """The connection has come."""

    def heard(self, pcm: bytes) -> None:
        """Audio has been read: 16-bit little-endian samples at 8 kHz."""

    def disconnected(self, reason: str) -> None:
        """The peer, not callflow, ended the connection."""


class AudioServer:
    """Knows each guest by its uuid; closes and counts every other connection, and no call notices."""

    def __init__(self, options: TapOptions, log: Any, patience: Patience) -> None:
        self._options = options
        self._patience = patience
        self._log = log
        self._acceptor = Acceptor(options.host, options.port, lambda: Connection(self))
        self._expected: dict[bytes, Guest] = {}
        self._strangers: dict[Connection, None] = {}
        self.refused: Counter[str] = Counter()
        """Connections that the server closed, by reason: nobody asked for them, or they sent something wrong."""

    @property
    def address(self) -> str:
        """HOST:PORT for Asterisk to connect to."""
        if self._options.address or self._acceptor.address is None:
            return self._options.address
        return host_port(*self._acceptor.address)

    async def start(self) -> None:
        """Listen; raises SettingError when the address cannot be bound."""
        where = f"{self._options.host}:{self._options.port}"
        try:
            await self._acceptor.bind()
            self._acceptor.listen()
        except OSError as error:
            raise SettingError("[tap] port", f"cannot listen on {where}: {error}", "choose another, or 0") from error

    async def stop(self) -> None:
        """Stop listening; guests close their own connections."""
        self._acceptor.close()
        for stranger in list(self._strangers):
            stranger.close()

    def expect(self, uuid: UUID, guest: Guest) -> None:
        """Accept one connection with this uuid."""
        self._expected[uuid.bytes] = guest

    def forget(self, uuid: UUID) -> None:
        """Stop accepting this uuid."""
        self._expected.pop(uuid.bytes, None)

    def arrived(self, connection: "Connection") -> None:
        """A connection came, without a uuid yet; when there are too many such, close the oldest."""
        while len(self._strangers) >= self._patience.max_strangers:
            self.refuse(next(iter(self._strangers)), "too many strangers")
        self._strangers[connection] = None
        connection.timer = asyncio.get_running_loop().call_later(
            self._patience.uuid_timeout_s, self.refuse, connection, "no uuid in time"
        )

    def introduced(self, connection: "Connection", uuid: bytes) -> Guest | None:
        """The guest of this uuid; for an unknown uuid close the connection and return None."""
        self.gone(connection)
        guest = self._expected.pop(uuid, None)
        if guest is None:
            self.refuse(connection, "unknown uuid")
        return guest

    def gone(self, connection: "Connection") -> None:
        """The connection has a guest now, or has ended."""
        self._strangers.pop(connection, None)
        if connection.timer is not None:
            connection.timer.cancel()

    def refuse(self, connection: "Connection", reason: str) -> None:
        """Close it; the log warns of the first of each reason, repeats are at debug."""
        self.gone(connection)
        self.refused[reason] += 1
        tell = self._log.warning if self.refused[reason] == 1 else self._log.debug
        tell("AudioSocket connection closed", reason=reason, peer=connection.peer)
        connection.drop(reason)


class Connection(asyncio.Protocol):
    """One AudioSocket connection. It closes as soon as the peer ends it: half-closed ones have frozen an Asterisk.

    Once a connection has a guest, the event loop stops reading it. Audio and end of file wait in the kernel until the
    guest calls `take_in`.
    """

    def __init__(self, server: AudioServer) -> None:
        self._server = server
        self._reader: OnDemandReader | None = None
        self._splitter = Splitter()
        self._guest: Guest | None = None
        self._transport: asyncio.Transport | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.peer: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but its class
        self.peer = transport.get_extra_info("peername")
        self._server.arrived(self)

    def data_received(self, data: bytes) -> None:
        self._split(data)
        if self._guest is not None and self._transport is not None:
            self._reader = OnDemandReader(self._transport)

    def take_in(self) -> None:
        """Give the guest all that has come."""
        more = True
        while more and self._transport is not None and self._reader is not None:
            data = self._reader.read()
            if data is None:
                return
            more = len(data) == READ_BYTES
            if not data:
                self.connection_lost(None)
            elif self._guest is not None and (audio := self._splitter.audio(data)):
                self._guest.heard(audio)
            else:
                self._split(data)

    def _split(self, data: bytes) -> None:
        try:
            frames = self._splitter.split(data)
        except Misframed:
            self._server.refuse(self, "wrong kind or length")
            return
        if self._guest is None and frames:
            self._introduce(*frames.pop(0))
        if self._guest is not None and (audio := b"".join([payload for kind, payload in frames if kind is Kind.AUDIO])):
            self._guest.heard(audio)
        if any(kind in _ENDS for kind, _ in frames):
            self.drop("Asterisk ended the tap")

    def _introduce(self, kind: Kind, payload: bytes) -> None:
        if self._transport is None:
            return
        if kind is not Kind.UUID:
            self._server.refuse(self, "no uuid first")
            return
        self._guest = self._server.introduced(self, payload)
        if self._guest is not None:
            self._guest.connected(self)

    def keep_alive(self) -> None:
        """Send 80 ms of silence: without it Asterisk ends the tap after two seconds."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if transport.get_write_buffer_size() > UNREAD_BYTES:
            self._server.refuse(self, "does not read")
        else:
            transport.write(KEEP_ALIVE)

    def close(self) -> None:
        """End it without telling the guest."""
        self._guest = None
        self.drop("")

    def drop(self, reason: str) -> None:
        """End it now, and tell the guest why."""
        transport, self._transport = self._transport, None
        guest, self._guest = self._guest, None
        if transport is not None:
            transport.abort()
        if guest is not None:
            guest.disconnected(reason)

    def connection_lost(self, exc: Exception | None) -> None:
        ended_by_peer = self._transport is not None
        if ended_by_peer and self._splitter.inside:
            self._server.refused["half a frame"] += 1
        if ended_by_peer and self._guest is None:
            self._server.refused["closed without a uuid"] += 1
        self._server.gone(self)
        self.drop("Asterisk closed the tap")
