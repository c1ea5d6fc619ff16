"""What can be told of a single frame of 32 ms: its level, and whether one or two tones make up its spectrum."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from callflow.hearing.p56 import STEP, magnitudes
from callflow.hearing.small_arrays import clip

FRAME = 256
"""Samples of a frame at 8 kHz: 32 ms."""
FRAME_MS = 32
STEPS = FRAME // STEP
"""Steps of the speech level's envelope in a frame."""
BIN_HZ = 8000 / FRAME
SILENT_DBOV = -120.0

_FIRST_BIN = 7  # 219 Hz: what is below is no telephone tone
_SPREAD = 2  # a Hann window spreads a tone over two bins to each side
_AROUND = np.arange(-_SPREAD, _SPREAD + 1)

Floats = npt.NDArray[np.float32]
Bins = npt.NDArray[np.int64]


_WINDOW = np.hanning(FRAME + 1)[:FRAME].astype(np.float32)
_ONES = np.ones(FRAME, dtype=np.float32)
"""A product with it is a row's sum."""


class FrameFacts(NamedTuple):
    """One entry for each frame of a batch."""

    level_dbov: Floats
    first: Bins
    """The largest peak of the spectrum above 219 Hz, in bins of 31.25 Hz."""
    second: Bins
    """The largest peak apart from it."""
    first_hz: Floats
    """Where between its bins the largest peak lies."""
    tonality: Floats
    """Share of the energy above 219 Hz that lies within two bins of these two peaks."""
    magnitudes: Floats
    """Of each of its steps; one row for each frame."""
    kurtosis: Floats
    """How even its samples' sizes are: 1 where all are alike, 1.5 of a sine, 3 of noise."""


def describe(frames: Floats) -> FrameFacts:
    """The facts of frames of 256 samples (-1 to 1), one a row."""
    squares = np.square(frames)
    level = squares @ _ONES
    level *= np.float32(1 / FRAME)
    level += np.float32(10 ** (SILENT_DBOV / 10))
    kurtosis = np.einsum("ij,ij->i", squares, squares) / (FRAME * np.square(level))
    np.log10(level, out=level)
    level *= np.float32(10)
    bins_to = _FIRST_BIN - _SPREAD
    energy = np.abs(np.fft.rfft(frames * _WINDOW)[:, bins_to:]).astype(np.float32, copy=False)
    np.square(energy, out=energy)
    energy[:, :_SPREAD] = 0.0
    energy[:, -_SPREAD:] = 0.0
    whole = energy @ _ONES[: energy.shape[1]] + np.float32(1e-12)
    first, around_first = _take_peak(energy)
    second, around_second = _take_peak(energy)
    tonality = (around_first + around_second).sum(axis=1) / whole
    first_hz = ((first + bins_to + _off_its_bin(around_first)) * BIN_HZ).astype(np.float32)
    return FrameFacts(level, first + bins_to, second + bins_to, first_hz, tonality, magnitudes(frames), kurtosis)


def _off_its_bin(around: Floats) -> Floats:
    """How far off its bin each peak lies: the top of the parabola through it and its neighbours, in decibels."""
    below, top, above = np.log(around[:, _SPREAD - 1 : _SPREAD + 2] + 1e-15).T
    moved = 0.5 * (below - above) / np.minimum(below - 2 * top + above, -1e-9)
    return clip(moved, -0.5, 0.5)


def _take_peak(energy: Floats) -> tuple[Bins, Floats]:
    """The column of each row's largest peak and the energies around it, which are taken out of `energy`.

    A peak has two columns to each side: where there would be none, the next one that has is taken.
    """
    peak = clip(energy.argmax(axis=1), _SPREAD, energy.shape[1] - 1 - _SPREAD)
    around = (np.arange(len(energy)) * energy.shape[1] + peak)[:, None] + _AROUND
    flat = energy.reshape(-1)
    taken = flat[around]
    flat[around] = 0.0
    return peak, taken
