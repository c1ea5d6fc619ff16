"""Physical measures of some seconds of sound, from which scores of voice and of music are made.

All but one look at what a telephone carries, 312 to 3400 Hz.
"""

import numpy as np

from callflow.hearing.frames import FRAME, Floats
from callflow.hearing.small_arrays import clip, percentile
from callflow.hearing.tones import Flags

_SIZE = 2 * FRAME
"""Samples of a block: 64 ms; blocks are 32 ms apart."""
_WINDOW = np.hanning(_SIZE + 1)[:_SIZE].astype(np.float32)
_LOWEST, _FIRST, _LOW, _LAST = 12, 20, 26, 218
"""Bins of 15.6 Hz: from 190, 312, 406 and 3406 Hz on."""
_BAND = 22
"""Bins of a band: 344 Hz, a third of the way from one formant to the next."""
_WIDE = 17
"""Bins over which a spectrum is smoothed to take its shape away and leave its partials."""
_PEAK = 1.5
"""A partial stands out of its spectrum by so much (natural logarithm of the power: 6.5 dB)."""
_LASTS = 6
"""Blocks that a partial lasts which is held: 0.2 s."""
_A_HZ = 440.0

_LOUDEST_PERCENT = 95
_ACTIVE_DB, _LOUD_DB, _NEAR_DB = 20.0, 10.0, 25.0
_FAINTEST_DBOV = -62.0
_LEAST_BLOCKS = 4
_SHAPE_DB = 30.0
_NEAR_FRAMES, _AT_FRAMES = (4, 9), (1, 4)
"""Blocks before and after the beginning of the likeliest frames that are looked at."""


def measure(samples: Floats, level_dbov: Floats, voice: Floats, at: int) -> dict[str, float]:
    """Measures of samples (-1 to 1, without DC) with the levels and voice of their frames; `at` is the likeliest frame.

    Whispering moves the shape of a spectrum as speaking does, and a machine's noise does not. Music holds partials that
    lie on a scale of semitones. A voice is louder than what is around it: it has most of the energy.
    """
    spectra = _spectra(samples)
    power = spectra[:, _FIRST - _LOWEST :]
    logs = np.log(power)
    both = np.minimum(level_dbov[:-1], level_dbov[1:])[: len(power)]
    loudest_dbov = percentile(level_dbov, _LOUDEST_PERCENT)
    active = both > max(loudest_dbov - _ACTIVE_DB, _FAINTEST_DBOV)
    if np.count_nonzero(active) < _LEAST_BLOCKS:
        active = both >= np.sort(both)[-_LEAST_BLOCKS]
    fine = _partials(logs)
    shape = _shape(power)
    peaks, tuned = _tuning(logs, fine, active)
    size = 10 ** (level_dbov / 40)
    jumps = np.abs(np.diff(level_dbov))[: len(both)]
    near = both > loudest_dbov - _NEAR_DB
    at = min(at, len(power) - 1)
    there, likeliest = (slice(max(0, at - before), at + after) for before, after in (_NEAR_FRAMES, _AT_FRAMES))
    return {
        "voice": float(np.log(voice_share(level_dbov, voice) + 0.01)),
        "loud": float(np.mean(level_dbov >= loudest_dbov - _LOUD_DB)),
        "level jumps": float(jumps[near].mean()) if near.any() else 0.0,
        "level moves": float(size.std() / size.mean()),
        "spectrum moves": float(np.mean(np.abs(np.diff(logs, axis=0)))),
        "shape moves": float(shape[active].std(axis=0).mean()),
        "shape moves there": float(shape[there].std(axis=0).mean()),
        "low there": _low_share(spectra[likeliest]),
        "peaks": peaks,
        "tuned": tuned,
        "peaks that last": _lasting(fine),
    }


def voice_share(level_dbov: Floats, voice: Floats) -> float:
    """How much of the energy is voice: the mean probability of voice, weighted by each frame's energy."""
    energy = 10 ** (level_dbov.astype(np.float64) / 10)
    return float(voice @ energy / energy.sum())


def _spectra(samples: Floats) -> Floats:
    """Power of each bin from 190 to 3406 Hz, a row for each block."""
    blocks = np.lib.stride_tricks.sliding_window_view(samples, _SIZE)[::FRAME]
    spectra = np.fft.rfft(blocks * _WINDOW, axis=1)[:, _LOWEST:_LAST]
    power: Floats = (np.square(spectra.real) + np.square(spectra.imag) + 1e-7).astype(np.float32)
    return power


def _low_share(spectra: Floats) -> float:
    """Share of the energy below 406 Hz: a thump has most of it there."""
    return float(np.mean(spectra[:, : _LOW - _LOWEST].sum(axis=1) / spectra.sum(axis=1)))


def _shape(power: Floats) -> Floats:
    """Decibels of each band over three blocks, against the mean of all bands; 30 dB below the loudest is the floor."""
    bands = power[:, : power.shape[1] // _BAND * _BAND].reshape(len(power), -1, _BAND).sum(axis=2)
    padded = np.pad(bands, ((1, 1), (0, 0)), mode="edge")
    bands = padded[:-2] + bands + padded[2:]
    levels = 10 * np.log10(np.maximum(bands, bands.max() * 10 ** (-_SHAPE_DB / 10)))
    shape: Floats = levels - levels.mean(axis=1, keepdims=True)
    return shape


def _partials(logs: Floats) -> Floats:
    """What stands out of each spectrum, and what is missing in it."""
    sums = np.cumsum(np.pad(logs, ((0, 0), (_WIDE // 2 + 1, _WIDE // 2)), mode="edge"), axis=1)
    return clip(logs - (sums[:, _WIDE:] - sums[:, :-_WIDE]) / _WIDE, -3.0, 6.0)


def _lasting(fine: Floats) -> float:
    """Of the places of a spectrum that stand out, the share that have done so for 0.2 s."""
    stands_out = fine > _PEAK
    lasts = stands_out[_LASTS - 1 :].copy()
    for earlier in range(_LASTS - 1):
        lasts &= stands_out[earlier : earlier + len(lasts)]
    return float(np.count_nonzero(lasts)) / max(int(np.count_nonzero(stands_out)), 1)


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
    weight = fine[block, place + 1]
    turned = np.exp(2j * np.pi * 12 * np.log2(hz / _A_HZ))
    return peaks, float(np.abs(np.sum(weight * turned)) / max(float(weight.sum()), 1e-6))
