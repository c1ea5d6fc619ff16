"""Spectra of overlapping blocks of 64 ms, for the comparison of what is heard with what was sent."""

import numpy as np
import numpy.typing as npt

from callflow.hearing.frames import Floats
from callflow.hearing.tones import Flags

BLOCK, HOP = 512, 256
"""Samples of a block, and from one to the next."""
LINE_PERCENTILE, LINE_NOISE = 15, 1.5
"""The quietest blocks are the line's own noise, which nothing explains and nobody makes."""

_WINDOW = np.hanning(BLOCK + 1)[:BLOCK].astype(np.float32)
_SOUND = 1e-3
"""A block 30 dB below the loudest one is no part of the sound, and teaches nothing."""
_BAND = 8
"""Bins of a band: 125 Hz."""
LOWEST_HZ = 125
"""No telephone carries what is below. A codec that is sent a faint sound may drift there, louder than any voice."""
_LOWEST = LOWEST_HZ * BLOCK // 8000

Spectra = npt.NDArray[np.complex64]


def blocks_of(samples: Floats, hop: int = HOP) -> Spectra:
    """One row for each block, 257 bins of 15.6 Hz; those below 125 Hz are zero."""
    views = np.lib.stride_tricks.sliding_window_view(samples, BLOCK)[::hop]
    spectra = np.fft.rfft(views * _WINDOW, axis=1).astype(np.complex64, copy=False)
    spectra[:, :_LOWEST] = 0.0
    return spectra


def energy_of(spectra: Spectra) -> Floats:
    """The energy of each bin."""
    energy: Floats = np.square(spectra.real) + np.square(spectra.imag)
    return energy


def bands(energy: Floats) -> Floats:
    """The energy of each of 26 bands, from 125 to 3375 Hz."""
    banded: Floats = energy[:, _LOWEST:216].reshape(len(energy), -1, _BAND).sum(axis=2)
    return banded


def sounding(energy: Floats) -> Flags:
    """True for the blocks of this energy from which something can be learnt."""
    sounds: Flags = energy > _SOUND * energy.max()
    return sounds
