"""The other side of a tap: Asterisk's half, over real sockets, and what the daemon's half tells."""

import asyncio
import select
import socket
import struct
from array import array
from dataclasses import dataclass, field
from fcntl import ioctl
from termios import FIONREAD
from uuid import UUID

import numpy as np
import structlog

from callflow.adapters.audio.framing import Kind, frame
from callflow.adapters.audio.options import Patience, TapOptions
from callflow.adapters.audio.server import Connection
from callflow.adapters.audio.tap import Tap
from callflow.adapters.audio.taps import Taps
from callflow.core import events
from callflow.errors import LinkError
from callflow.processes.ports import LOOPBACK
from callflow.sound import mulaw
from tests.adapters.waiting import until

RATE = 8000


def tone(ms: int, amplitude: int = 8000) -> bytes:
    """A 440 Hz tone as 16-bit samples."""
    seconds = np.arange(ms * 8) / RATE
    return (amplitude * np.sin(2 * np.pi * 440 * seconds)).astype("<i2").tobytes()


def _descriptor(tap: Tap) -> int:
    """The socket of the daemon's half."""
    assert isinstance(tap.connection, Connection)
    assert tap.connection._transport is not None
    return int(tap.connection._transport.get_extra_info("socket").fileno())


def unread(tap: Tap) -> int:
    """Bytes that wait in the kernel for this tap."""
    count = array("i", [0])
    ioctl(_descriptor(tap), FIONREAD, count)
    return count[0]


def ended(tap: Tap) -> bool:
    """True once the kernel knows that the peer has ended the connection."""
    poll = select.poll()
    poll.register(_descriptor(tap), select.POLLRDHUP)
    return bool(poll.poll(0))


@dataclass
class Peer:
    """One connection to the AudioSocket server."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def connect(cls, address: str) -> "Peer":
        host, _, port = address.rpartition(":")
        return cls(*await asyncio.open_connection(host, int(port)))

    def send(self, *parts: bytes) -> None:
        self.writer.write(b"".join(parts))

    def introduce(self, uuid: str) -> None:
        self.send(frame(Kind.UUID, UUID(uuid).bytes))

    async def closed(self, within_s: float = 2.0) -> bool:
        """Read until the other side ends the connection."""
        try:
            async with asyncio.timeout(within_s):
                while await self.reader.read(65536):
                    pass
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False
        return True

    def close(self) -> None:
        self.writer.close()


class RtpPeer:
    """A channel of Asterisk's that sends RTP to a tap."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self.to = (host, int(port))
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((LOOPBACK, 0))
        self.number = 65_530
        """Of the next packet; it soon begins again from 0."""

    @property
    def place(self) -> tuple[str, int]:
        """Where it sends from."""
        host, port = self.socket.getsockname()
        return host, port

    def send(self, pcm: bytes) -> None:
        """Audio in packets of 20 ms."""
        for start in range(0, len(pcm), 320):
            self.socket.sendto(rtp(self.number, pcm[start : start + 320]), self.to)
            self.number += 1

    def close(self) -> None:
        self.socket.close()


def rtp(number: int, pcm: bytes, source: int = 7) -> bytes:
    """One packet of mu-law."""
    codes = mulaw.encode(np.frombuffer(pcm, dtype="<i2"))
    return struct.pack("!BBHII", 0x80, 0, number % 65536, number * 160 % 2**32, source) + codes


@dataclass
class Exchange:
    """Taps whose Asterisk is this test: each Originate is answered by a Peer, or by an RtpPeer, if `answers`."""

    options: TapOptions = field(default_factory=TapOptions)
    answers: bool = True
    patience: Patience = field(default_factory=Patience)
    failing: LinkError | None = None
    told: list[events.Event] = field(default_factory=list)
    peers: list[Peer] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    has_audio_socket: bool = True
    late_s: float = 0.0
    answers_after_s: float = 0.0
    rtp_peers: list[RtpPeer] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    """Channels that are to be kept."""
    hung_up: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.news = asyncio.Event()
        self.taps = Taps(
            self.options, self, self._tell, lambda: 0, structlog.get_logger(), self.patience, lambda: self.late_s
        )

    async def __aenter__(self) -> "Exchange":
        await self.taps.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.taps.stop()
        for peer in self.peers:
            peer.close()
        for channel in self.rtp_peers:
            channel.close()

    async def open_tap(self, uniqueid: str, uuid: str, address: str) -> None:
        if self.failing is not None:
            raise self.failing
        self.asked.append((uniqueid, uuid))
        if self.answers:
            peer = await Peer.connect(address)
            peer.introduce(uuid)
            self.peers.append(peer)

    async def open_rtp_tap(self, channel_id: str, uniqueid: str, address: str) -> tuple[str, int]:
        if self.failing is not None:
            raise self.failing
        self.asked.append((uniqueid, channel_id))
        peer = RtpPeer(address)
        self.rtp_peers.append(peer)
        if not self.answers:
            await asyncio.sleep(60)
        await asyncio.sleep(self.answers_after_s)
        return peer.place

    def keep_rtp_tap(self, channel_id: str) -> None:
        self.kept.append(channel_id)

    def end_rtp_tap(self, channel_id: str) -> None:
        self.hung_up.append(channel_id)

    def _tell(self, event: events.Event) -> None:
        self.told.append(event)
        self.news.set()

    async def until_told(self, kind: type, within_s: float = 3.0) -> events.Event:
        """The first event of this kind. Raises TimeoutError."""
        async with asyncio.timeout(within_s):
            while not (found := [event for event in self.told if isinstance(event, kind)]):
                self.news.clear()
                await self.news.wait()
        return found[0]

    async def refusal(self) -> str:
        """The reason of the first connection that is closed. Raises TimeoutError."""
        await until(lambda: self.taps.refused)
        return next(iter(self.taps.refused))

    @property
    def address(self) -> str:
        return self.taps._server.address
