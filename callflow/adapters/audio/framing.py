"""AudioSocket's framing, as Asterisk's app_audiosocket documents it: kind (1 byte), length (2, big-endian), payload."""

from enum import IntEnum
from struct import Struct

_HEADER = Struct("!BH")
_HEADER_BYTES = _HEADER.size
UUID_BYTES = 16
MAX_AUDIO_BYTES = 3200
"""200 ms of 16-bit samples at 8 kHz; Asterisk sends 20 ms at a time."""


class Kind(IntEnum):
    """What a frame carries; only the kinds that Asterisk sends to an 8 kHz server."""

    HANG_UP = 0x00
    UUID = 0x01
    KEY = 0x03
    AUDIO = 0x10
    ERROR = 0xFF


class Misframed(Exception):
    """These bytes are not AudioSocket, or not 8 kHz audio."""


class Splitter:
    """Cuts a stream into frames; keeps at most one incomplete frame."""

    def __init__(self) -> None:
        self._tail = b""

    @property
    def inside(self) -> bool:
        """True in the middle of a frame."""
        return bool(self._tail)

    def audio(self, data: bytes) -> bytes | None:
        """The samples of a piece that holds only whole 20 ms audio frames, as nearly all do; None: call `split`."""
        frames, odd = divmod(len(data), _USUAL_BYTES)
        if odd or self._tail:
            return None
        if frames == 1:
            return data[_HEADER_BYTES:] if data.startswith(_USUAL) else None
        samples = []
        for start in range(0, len(data), _USUAL_BYTES):
            if not data.startswith(_USUAL, start):
                return None
            samples.append(data[start + _HEADER_BYTES : start + _USUAL_BYTES])
        return b"".join(samples)

    def split(self, data: bytes) -> list[tuple[Kind, bytes]]:
        """The frames that are complete by now. Raises Misframed."""
        data = self._tail + data if self._tail else data
        frames, start = [], 0
        while len(data) - start >= _HEADER_BYTES:
            number, length = _HEADER.unpack_from(data, start)
            kind = _checked(number, length)
            end = start + _HEADER_BYTES + length
            if end > len(data):
                break
            frames.append((kind, data[start + _HEADER_BYTES : end]))
            start = end
        self._tail = data[start:]
        return frames


def frame(kind: Kind, payload: bytes) -> bytes:
    """One frame, ready to send."""
    return _HEADER.pack(kind, len(payload)) + payload


def _checked(number: int, length: int) -> Kind:
    match number:
        case Kind.AUDIO if length <= MAX_AUDIO_BYTES and not length % 2:
            return Kind.AUDIO
        case Kind.UUID if length == UUID_BYTES:
            return Kind.UUID
        case Kind.HANG_UP | Kind.KEY | Kind.ERROR if length <= 1:
            return Kind(number)
    raise Misframed(f"kind {number:#04x} of {length} bytes")


SILENCE = frame(Kind.AUDIO, bytes(320))
"""20 ms of silence."""
_USUAL_BYTES = len(SILENCE)
_USUAL = SILENCE[:_HEADER_BYTES]
