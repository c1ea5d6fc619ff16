"""What the line does to sound: levels, G.711, lost packets, echo."""

import numpy as np
from scipy.ndimage import maximum_filter1d
from scipy.signal import lfilter

from callflow.sound import mulaw

FRAME = 160
_SMOOTH = np.exp(-1 / (8000 * 0.03))


def active_level_dbov(samples: np.ndarray) -> float:
    """ITU-T P.56 method B over a whole recording; the benchmark's own, apart from the one under test."""
    envelope = np.abs(samples)
    for _ in range(2):
        envelope = lfilter([1 - _SMOOTH], [1, -_SMOOTH], envelope)
    held = maximum_filter1d(envelope, 1601, origin=800)
    energy = float(np.sum(np.square(samples)))
    last = 0.0
    for power in range(-15 * 4, 0):
        threshold = 2.0 ** (power / 4)
        active = int(np.count_nonzero(held >= threshold))
        if active == 0:
            break
        last = 10 * np.log10(energy / active)
        if last - 20 * np.log10(threshold) <= 15.9:
            break
    return last


def at_level(samples: np.ndarray, dbov: float, *, active: bool = False) -> np.ndarray:
    """The samples at this level: active level for speech, else the root mean square."""
    now = active_level_dbov(samples) if active else 10 * np.log10(np.mean(np.square(samples)) + 1e-20)
    return samples * 10 ** ((dbov - now) / 20)


def _alaw_table() -> np.ndarray:
    """The 256 sizes that A-law knows."""
    code = np.arange(256) ^ 0x55
    exponent, mantissa = (code >> 4) & 7, code & 15
    size = np.where(exponent == 0, (mantissa << 4) + 8, ((mantissa << 4) + 0x108) << np.maximum(exponent - 1, 0))
    return np.sort(np.where(code & 0x80, size, -size))


_ALAW = _alaw_table()
_ALAW_EDGES = (_ALAW[1:] + _ALAW[:-1]) / 2


def through_codec(samples: np.ndarray, law: str) -> np.ndarray:
    """16-bit samples after G.711 mu-law or A-law (whose nothing is +-8)."""
    whole = np.clip(np.rint(samples * 32768), -32768, 32767)
    if law == "mulaw":
        return mulaw.decode(mulaw.encode(whole))
    return np.asarray(_ALAW[np.searchsorted(_ALAW_EDGES, whole)], dtype=np.int16)


def lose(samples: np.ndarray, share: float, random: np.random.Generator) -> np.ndarray:
    """Frames of 20 ms are lost as Asterisk's tap shows it: silence in their place."""
    if share == 0.0:
        return samples
    kept = random.random(samples.size // FRAME + 1) >= share
    return np.where(np.repeat(kept, FRAME)[: samples.size], samples, 0).astype(np.int16)


def echo(
    samples: np.ndarray, loss_db: float, delay_ms: float, random: np.random.Generator, *, room: bool
) -> np.ndarray:
    """Our own prompt come back: a line's echo, or a room's with 50 ms of reverberation."""
    response = np.zeros(800)
    response[0] = 1.0
    if room:
        response = random.normal(size=800) * np.exp(-np.arange(800) / random.uniform(60, 200))
    back = lfilter(response / np.sqrt(np.sum(response**2)), 1.0, samples) * 10 ** (-loss_db / 20)
    delay = round(delay_ms * 8)
    return np.concatenate((np.zeros(delay), back))[: samples.size]
