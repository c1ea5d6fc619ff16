"""The other side of a tap: Asterisk's half, over real sockets, and what the daemon's half tells."""

import asyncio
import select
from array import array
from dataclasses import dataclass, field
from fcntl import ioctl
from termios import FIONREAD
from uuid import UUID

import numpy as np
import structlog

from callflow.adapters.audio.framing import Kind, frame
from callflow.adapters.audio.options import Patience, TapOptions
from callflow.adapters.audio.tap import Tap
from callflow.adapters.audio.taps import Taps
from callflow.core import events
from callflow.errors import LinkError
from tests.adapters.waiting import until

RATE = 8000


def tone(ms: int, amplitude: int = 8000) -> bytes:
    """A 440 Hz tone as 16-bit samples."""
    seconds = np.arange(ms * 8) / RATE
    return (amplitude * np.sin(2 * np.pi * 440 * seconds)).astype("<i2").tobytes()


def _descriptor(tap: Tap) -> int:
    """The socket of the daemon's half."""
    assert tap.connection is not None
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


@dataclass
class Exchange:
    """Taps whose Asterisk is this test: each Originate is answered by a Peer, if `answers`."""

    options: TapOptions = field(default_factory=TapOptions)
    answers: bool = True
    patience: Patience = field(default_factory=Patience)
    failing: LinkError | None = None
    told: list[events.Event] = field(default_factory=list)
    peers: list[Peer] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.news = asyncio.Event()
        self.taps = Taps(self.options, self._originate, self._tell, lambda: 0, structlog.get_logger(), self.patience)

    async def __aenter__(self) -> "Exchange":
        await self.taps.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.taps.stop()
        for peer in self.peers:
            peer.close()

    async def _originate(self, uniqueid: str, uuid: str, address: str) -> None:
        if self.failing is not None:
            raise self.failing
        self.asked.append((uniqueid, uuid))
        if self.answers:
            peer = await Peer.connect(address)
            peer.introduce(uuid)
            self.peers.append(peer)

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
