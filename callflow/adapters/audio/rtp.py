"""A caller's audio as RTP (RFC 3550): G.711 mu-law, sent by a channel of Asterisk's that spies on the caller.

Used where there is no AudioSocket. Each tap has its own socket, which accepts only the port of its channel.
"""

import socket
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from struct import Struct, error

from callflow.sound import mulaw

MULAW = 0
"""Payload type."""
MOST_BYTES = 1600
"""200 ms of audio; Asterisk sends 20 ms at a time."""
LATE = 100
"""Packets: who is further behind has begun anew."""
_PACKET_BYTES = 2048
_HEADER = Struct("!BBHxxxxI")
_EXTENSION = Struct("!xxH")
_VERSION, _PADDED, _EXTENDED, _SOURCES, _TYPE = 0x80, 0x20, 0x10, 0x0F, 0x7F
KEEP_ALIVE_TURNS = 40
"""3.2 s, at 80 ms each; three are lost before Asterisk ends the tap."""

Packet = tuple[int, int, bytes]
"""Source (SSRC), number, audio."""


class RtpStream:
    """Puts packets into order. A lost one leaves no gap, as in AudioSocket; what is no audio is dropped and counted."""

    def __init__(self, dropped: "Counter[str]") -> None:
        self._dropped = dropped
        self._source: int | None = None
        self._next = 0
        """The number that is awaited."""

    def samples(self, packets: Iterable[bytes]) -> bytes:
        """16-bit little-endian samples at 8 kHz; of packets that came together, a later one may have come first."""
        read = sorted(filter(None, map(self._read, packets)), key=self._ahead)
        return mulaw.decode(b"".join(self._in_order(read))).astype("<i2").tobytes()

    def _in_order(self, packets: Iterable[Packet]) -> Iterator[bytes]:
        for packet in packets:
            source, number, audio = packet
            if source == self._source and -LATE <= self._ahead(packet) < 0:
                self._dropped["late"] += 1
                continue
            self._source, self._next = source, number + 1
            yield audio

    def _ahead(self, packet: Packet) -> int:
        """Packets from the awaited one to this; a new source follows the one before it."""
        source, number, _ = packet
        return (number - self._next + 0x8000) % 0x10000 - 0x8000 if source == self._source else 0x10000

    def _read(self, data: bytes) -> Packet | None:
        try:
            first, second, number, source = _HEADER.unpack_from(data)
            if first >> 6 != _VERSION >> 6:
                return self._drop("no RTP")
            if second & _TYPE != MULAW:
                return self._drop("wrong payload type")
            start = _HEADER.size + 4 * (first & _SOURCES)
            if first & _EXTENDED:
                start += _EXTENSION.size + 4 * int(_EXTENSION.unpack_from(data, start)[0])
            end = max(start, len(data) - (data[-1] if first & _PADDED else 0))
        except error:
            return self._drop("no RTP")
        audio = data[start:end]
        return (source, number, audio) if 0 < len(audio) <= MOST_BYTES else self._drop("wrong length")

    def _drop(self, reason: str) -> Packet | None:
        self._dropped[reason] += 1
        return None


class RtpLine:
    """The socket of one tap. `heard` takes samples; `keep` and `end` have Asterisk keep the channel, and end it."""

    def __init__(
        self,
        host: str,
        heard: Callable[[bytes], None],
        keep: Callable[[], None],
        end: Callable[[], None],
        dropped: "Counter[str]",
    ) -> None:
        """Raises OSError: the address cannot be bound, or too many files are open."""
        self._heard, self._keep, self._end = heard, keep, end
        self._stream = RtpStream(dropped)
        self._turns = 0
        self._socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            self._socket.bind((host, 0))
        except OSError:
            self._socket.close()
            raise
        self._hears = False
        """Asterisk's port is known."""

    @property
    def port(self) -> int:
        """Where Asterisk is to send to."""
        return int(self._socket.getsockname()[1])

    def listen_to(self, host: str, port: int) -> None:
        """From now on the kernel lets in the packets of this port alone; what had come was from anybody.

        Raises OSError.
        """
        self._socket.connect((host, port))
        for _ in self._come():
            pass
        self._hears = True

    def take_in(self) -> None:
        """Give on what has come."""
        if self._hears and (samples := self._stream.samples(self._come())):
            self._heard(samples)

    def keep_alive(self) -> None:
        """Every few seconds put off the time at which Asterisk ends the channel by itself."""
        self._turns += 1
        if self._turns % KEEP_ALIVE_TURNS == 0:
            self._keep()

    def close(self) -> None:
        """End the channel."""
        self._hears = False
        self._socket.close()
        self._end()

    def _come(self) -> Iterator[bytes]:
        try:
            while True:
                yield self._socket.recv(_PACKET_BYTES)
        except OSError:  # nothing more has come
            return
