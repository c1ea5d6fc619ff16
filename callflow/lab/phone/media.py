"""A phone's RTP: what it sends, with deliberate faults, and every frame it sent and received."""

import asyncio
import secrets
import struct
from collections import deque
from collections.abc import Iterable
from random import Random
from typing import NamedTuple

import numpy as np

from callflow.lab.phone import sdp
from callflow.lab.phone.messages import Address
from callflow.lab.phone.udp import TimedSocket
from callflow.sound import mulaw
from callflow.sound.audio import FRAME, FULL_SCALE, RATE

FRAME_S = FRAME / RATE
KEYS = "0123456789*#ABCD"
SILENCE = b"\xff" * FRAME
_HEADER = struct.Struct("!BBHII")
_EVENT = struct.Struct("!BBH")
_KEY_VOLUME = 10
_MOST_BEHIND_S = 1.0


class Frame(NamedTuple):
    """One RTP packet; `at` is the kernel's time of arrival, or when it was sent (epoch seconds)."""

    at: float
    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


class _KeyFrame(NamedTuple):
    """20 ms of a key that is held down; its end packet is sent three times, at once or 20 ms apart."""

    key: str
    number: int
    ends: int
    """So many end packets; 0 while the key is down."""


def tone(hz: int, level_dbov: float = -23.0) -> bytes:
    """One second of a sine as mu-law, which can be repeated without a discontinuity."""
    seconds = np.arange(RATE) / RATE
    return mulaw.encode(np.sin(2 * np.pi * hz * seconds) * FULL_SCALE * np.sqrt(2) * 10 ** (level_dbov / 20))


class Media:
    """One RTP stream in each direction, from the first offer to the end of the call.

    `background` is mu-law that is sent over and over; None sends nothing until something is played.
    """

    def __init__(self, background: bytes | None = None) -> None:
        self.background = background
        self.sent: list[Frame] = []
        self.received: list[Frame] = []
        self.holding = False
        """The phone sends nothing because its own side holds the call."""
        self.sequence, self.timestamp = secrets.randbelow(1 << 15), secrets.randbits(31)
        self.ssrc = secrets.randbits(32)
        self.loss = 0.0
        self.key_ends_apart = False
        """The three end packets of a key are 20 ms apart, as some phones send them."""
        self.bunch = 1
        """So many frames are sent at once, as they come over a wireless network that wakes now and then."""
        self._chance = Random(1)
        self._peer: sdp.Described | None = None
        self._stopped = self._closed = False
        self._marker = True
        self._place = 0
        self._playing: deque[bytes] = deque()
        self._keys: deque[_KeyFrame] = deque()
        self._key_began = 0
        self._idle = asyncio.Event()
        self._began_at: float | None = None
        self._frames = 0
        self._socket: TimedSocket | None = None

    def open(self, host: str, port: int = 0) -> Address:
        """Take a port and record what arrives there; its address."""
        self._socket = TimedSocket.open(self._received, host, port)
        return self._socket.address

    def connect(self, peer: sdp.Described) -> None:
        """Send to this peer from now on, as far as it wants to receive."""
        self._peer = peer

    def close(self) -> None:
        """End the stream."""
        self._closed = True
        self._peer = None
        self._idle.set()
        if self._socket:
            self._socket.close()

    # What is sent

    def play(self, codes: bytes) -> None:
        """Send this mu-law once, after what is playing already; then the background again."""
        whole = codes + b"\xff" * (-len(codes) % FRAME)
        self._playing.extend(whole[start : start + FRAME] for start in range(0, len(whole), FRAME))

    async def press(self, keys: str, held_s: float = 0.1, pause_s: float = 0.1) -> None:
        """Press keys one after the other (RFC 4733); returns when the last pause is over, or the call."""
        for key in keys:
            if self._closed:
                return
            frames = max(2, round(held_s / FRAME_S))
            self._idle.clear()
            ends = [1, 1, 1] if self.key_ends_apart else [3]
            self._keys.extend(_KeyFrame(key, number, 0) for number in range(frames - 1))
            self._keys.extend(_KeyFrame(key, frames - 1, packets) for packets in ends)
            await self._idle.wait()
            await asyncio.sleep(pause_s)

    def stop(self) -> None:
        """Send no audio; time goes on, sequence numbers do not. Keys are still sent."""
        self._stopped = True

    def resume(self) -> None:
        """Send audio again, with the marker bit."""
        self._stopped = False

    def jump(self, packets: int) -> None:
        """Move the next sequence number forward by so many, or back."""
        self.sequence = (self.sequence + packets) & 0xFFFF

    def change_source(self, sequence: int | None = None) -> None:
        """Take a new SSRC; sequence and timestamp start anew, at random if not given."""
        self.ssrc = secrets.randbits(32)
        self.sequence = secrets.randbelow(1 << 16) if sequence is None else sequence
        self.timestamp = secrets.randbits(32)
        self._marker = True

    def lose(self, share: float) -> None:
        """Drop a share of the packets, the same ones in every run; their sequence numbers are missing."""
        self.loss = share

    def send_due(self, now: float) -> None:
        """Send the frames that are due at `now` (the loop's time)."""
        if self._peer is None or self._socket is None or self._closed:
            return
        if self._began_at is None or now - self._began_at - self._frames * FRAME_S > _MOST_BEHIND_S:
            self._began_at, self._frames = now, 0
        if (self._frames + self.bunch - 1) * FRAME_S > now - self._began_at:
            return
        while self._frames * FRAME_S <= now - self._began_at:
            self._frames += 1
            self._send_frame(self._peer, self._socket)

    def _send_frame(self, peer: sdp.Described, own: TimedSocket) -> None:
        self.timestamp = (self.timestamp + FRAME) & 0xFFFFFFFF
        if self._keys:
            self._send_key(self._keys.popleft(), peer, own)
            return
        payload = self._next_payload()
        if payload is None or self._stopped or self.holding or not peer.receives:
            self._marker = True
            return
        self._send(own, peer.address, sdp.PCMU, payload, marker=self._marker)
        self._marker = False

    def _next_payload(self) -> bytes | None:
        if self._playing:
            return self._playing.popleft()
        if self.background is None:
            return None
        start = self._place % len(self.background)
        self._place += FRAME
        return self.background[start : start + FRAME]

    def _send_key(self, frame: _KeyFrame, peer: sdp.Described, own: TimedSocket) -> None:
        if frame.number == 0:
            self._key_began = self.timestamp
        if peer.events is not None:
            end = 0x80 if frame.ends else 0
            payload = _EVENT.pack(KEYS.index(frame.key), _KEY_VOLUME | end, (frame.number + 1) * FRAME)
            for _ in range(frame.ends or 1):
                self._send(own, peer.address, peer.events, payload, frame.number == 0, self._key_began)
        if not self._keys:
            self._idle.set()

    def _send(
        self, own: TimedSocket, to: Address, kind: int, payload: bytes, marker: bool, timestamp: int | None = None
    ) -> None:
        sequence, stamp = self.sequence, self.timestamp if timestamp is None else timestamp
        self.sequence = (sequence + 1) & 0xFFFF
        if self.loss and self._chance.random() < self.loss:
            return
        packet = _HEADER.pack(0x80, kind | (0x80 if marker else 0), sequence, stamp, self.ssrc) + payload
        self.sent.append(Frame(own.send(packet, to), kind, marker, sequence, stamp, self.ssrc, payload))

    def _received(self, data: bytes, sender: Address, at: float) -> None:
        if len(data) < _HEADER.size or data[0] >> 6 != 2:
            return
        first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(data)
        start = _HEADER.size + 4 * (first & 0x0F)
        self.received.append(Frame(at, second & 0x7F, second > 0x7F, sequence, timestamp, ssrc, data[start:]))

    def keys_received(self) -> list[tuple[float, str]]:
        """Keys that arrived by RFC 4733: when each began, and which."""
        found: dict[tuple[int, int], tuple[float, str]] = {}
        for frame in self.received:
            if frame.payload_type != sdp.PCMU and len(frame.payload) == _EVENT.size and frame.payload[0] < len(KEYS):
                found.setdefault((frame.ssrc, frame.timestamp), (frame.at, KEYS[frame.payload[0]]))
        return list(found.values())


class Pacer:
    """Sends the due frames of every stream, from one timer."""

    def __init__(self) -> None:
        self._streams: set[Media] = set()
        self._task: asyncio.Task[None] | None = None

    def add(self, stream: Media) -> None:
        """Send this stream's frames from now on."""
        self._streams.add(stream)
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    def remove(self, stream: Media) -> None:
        """Send no more of them."""
        self._streams.discard(stream)

    async def stop(self) -> None:
        """End the timer."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        due_at = loop.time()
        while True:
            now = loop.time()
            for stream in tuple(self._streams):
                stream.send_due(now)
            due_at = max(due_at + FRAME_S, now)
            await asyncio.sleep(due_at - loop.time())


def audio(frames: Iterable[Frame]) -> list[Frame]:
    """The frames of G.711 audio among them."""
    return [frame for frame in frames if frame.payload_type == sdp.PCMU]
