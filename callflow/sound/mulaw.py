"""G.711 mu-law to and from 16-bit samples, bit for bit as Asterisk does it."""

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float64]
Codes = npt.NDArray[np.uint8]

_BIAS = 0x84
_CLIP = 32635


def _encode_table() -> Codes:
    sample = np.arange(-32768, 32768, dtype=np.int32) | 3  # Asterisk's table drops the two lowest bits
    size = np.minimum(np.abs(sample), _CLIP) + _BIAS
    exponent = np.floor(np.log2(size >> 7)).astype(np.int32)
    mantissa = (size >> (exponent + 3)) & 0x0F
    sign = np.where(sample < 0, 0x80, 0)
    codes: Codes = (~(sign | (exponent << 4) | mantissa) & 0xFF).astype(np.uint8)
    return codes


def _decode_table() -> npt.NDArray[np.int16]:
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    size = ((((code & 0x0F) << 3) + _BIAS) << ((code >> 4) & 7)) - _BIAS
    return np.where(code & 0x80, -size, size).astype(np.int16)


_ENCODE = _encode_table()
_DECODE = _decode_table()


def encode(samples: npt.ArrayLike) -> bytes:
    """Samples (-32768..32767) as mu-law bytes; louder ones are clipped."""
    whole = np.clip(np.rint(np.asarray(samples, dtype=np.float64)), -32768, 32767).astype(np.int32)
    return _ENCODE[whole + 32768].tobytes()


def decode(codes: bytes) -> npt.NDArray[np.int16]:
    """Mu-law bytes as 16-bit samples."""
    return _DECODE[np.frombuffer(codes, dtype=np.uint8)]
