"""Is it music? Judged from some seconds of sound: a caller's phone that has put us on hold plays it.

A linear score of measures of the sound, fitted on the fit half of the benchmark (docs/hearing.md): above 0 it is more
like music than like anything else.
"""

from typing import NamedTuple

import numpy as np

from callflow.hearing.frames import FRAME, Floats
from callflow.hearing.small_arrays import clip, percentile
from callflow.hearing.tones import Flags

LEAST_FRAMES = 62
"""Less than 2 s are not judged."""
LEAST_ACTIVE = 0.75
"""Music hardly rests: with a smaller share of its frames near the loudest ones it is not music."""
NOT_MUSIC = -9.0
"""The score of what cannot be music."""

_SIZE = 2 * FRAME
_WINDOW = np.hanning(_SIZE + 1)[:_SIZE].astype(np.float32)
_FIRST, _LAST = 12, 221
"""Bins of 15.6 Hz: 190 to 3450 Hz."""
_WIDE = 17
"""Bins over which a spectrum is smoothed to take its shape away and leave its partials."""
_NEAR_DB = 25.0
_FAINTEST_DBOV = -62.0
_LOW_DB = 10.0
_PEAK = 1.5
_TUNED_FROM_HZ = 350.0
"""Below it a bin is wider than a semitone."""
_A_HZ = 440.0


class Weight(NamedTuple):
    """Of one measure: what is taken off it, and what it then weighs."""

    usual: float
    weight: float


WEIGHTS = {
    "lasting 64 ms": Weight(0.1961, 3.879),
    "lasting 128 ms": Weight(0.1762, -8.609),
    "active": Weight(0.9841, 24.2),
    "level moves": Weight(3.844, 0.02307),
    "low": Weight(0.021, 11.55),
    "partials": Weight(1.806, 0.02246),
    "partials that stay": Weight(0.492, -1.509),
    "tuned": Weight(0.1593, 13.59),
    "voice": Weight(0.1675, -15.15),
    "voiced": Weight(0.1567, -3.651),
    "perhaps voiced": Weight(0.1977, -1.068),
    "spectrum moves": Weight(1.485, 7.821),
    "peaks": Weight(13.13, 0.2898),
}
BIAS = -2.74


def active_share(level_dbov: Floats) -> float:
    """Share of the frames that are near the loudest ones."""
    return float(np.mean(_active(level_dbov)))


def music_score(samples: Floats, level_dbov: Floats, voice: Floats) -> float:
    """How much like music these samples (-1 to 1, without DC) are; levels and voice are those of their frames."""
    if len(level_dbov) < LEAST_FRAMES or active_share(level_dbov) < LEAST_ACTIVE:
        return NOT_MUSIC
    found = measures(samples, level_dbov, voice)
    return BIAS + sum(one.weight * (found[name] - one.usual) for name, one in WEIGHTS.items())


def measures(samples: Floats, level_dbov: Floats, voice: Floats) -> dict[str, float]:
    """The measures that the score is made of."""
    logs = _log_spectra(samples)
    fine = _partials(logs)
    level = np.minimum(level_dbov[:-1], level_dbov[1:])[: len(logs)]
    active = level > max(percentile(level_dbov, 90) - _NEAR_DB, _FAINTEST_DBOV)
    if not active.any():
        active = np.ones(len(logs), dtype=bool)
    loud = level[active]
    peaks, tuned = _tuning(logs, fine, active)
    return {
        "lasting 64 ms": _alike(fine, active, 2),
        "lasting 128 ms": _alike(fine, active, 4),
        "active": float(active.mean()),
        "level moves": float(loud.std()),
        "low": float(np.mean(level < loud.mean() - _LOW_DB)),
        "partials": float(np.mean(np.square(fine[active]))),
        "partials that stay": float(fine[active].mean(axis=0).std()),
        "tuned": tuned,
        "voice": float(voice.mean()),
        "voiced": float(np.mean(voice >= 0.5)),
        "perhaps voiced": float(np.mean(voice >= 0.2)),
        "spectrum moves": float(np.mean(np.abs(np.diff(logs, axis=0)))),
        "peaks": peaks,
    }


def _active(level_dbov: Floats) -> Flags:
    active: Flags = level_dbov > max(percentile(level_dbov, 90) - _NEAR_DB, _FAINTEST_DBOV)
    return active


def _log_spectra(samples: Floats) -> Floats:
    """Of blocks of 64 ms, 32 ms apart."""
    blocks = np.lib.stride_tricks.sliding_window_view(samples, _SIZE)[::FRAME]
    spectra = np.fft.rfft(blocks * _WINDOW, axis=1)[:, _FIRST : _LAST + 1]
    logs: Floats = np.log(np.square(spectra.real) + np.square(spectra.imag) + 1e-7).astype(np.float32)
    return logs


def _partials(logs: Floats) -> Floats:
    """What stands out of each spectrum, and what is missing in it."""
    sums = np.cumsum(np.pad(logs, ((0, 0), (_WIDE // 2 + 1, _WIDE // 2)), mode="edge"), axis=1)
    return clip(logs - (sums[:, _WIDE:] - sums[:, :-_WIDE]) / _WIDE, -3.0, 6.0)


def _alike(fine: Floats, active: Flags, blocks: int) -> float:
    """How alike the partials are so many blocks later, 1 for the same."""
    unit = fine / np.sqrt(np.sum(np.square(fine), axis=1, keepdims=True) + 1e-6)
    both = active[blocks:] & active[:-blocks]
    return float(np.sum(np.sum(unit[blocks:] * unit[:-blocks], axis=1) * both)) / max(int(np.count_nonzero(both)), 1)


def _tuning(logs: Floats, fine: Floats, active: Flags) -> tuple[float, float]:
    """Peaks in a block, and how far they all lie on one scale of semitones: 0 for anywhere, 1 for exactly."""
    middle = logs[:, 1:-1]
    is_peak = (middle > logs[:, :-2]) & (middle >= logs[:, 2:]) & (fine[:, 1:-1] > _PEAK) & active[:, None]
    block, place = np.nonzero(is_peak)
    peaks = block.size / max(int(np.count_nonzero(active)), 1)
    if block.size <= 5:
        return peaks, 0.0
    below, top, above = (logs[block, place + step] for step in range(3))
    off = 0.5 * (below - above) / np.minimum(below - 2 * top + above, -1e-6)
    hz = (place + 1 + _FIRST + off) * (8000 / _SIZE)
    weight = fine[block, place + 1] * (hz > _TUNED_FROM_HZ)
    turned = np.exp(2j * np.pi * 12 * np.log2(hz / _A_HZ))
    return peaks, float(np.abs(np.sum(weight * turned)) / max(float(weight.sum()), 1e-6))
