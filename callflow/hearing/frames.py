"""What can be told of a single frame of 32 ms: its level, and whether one or two tones make up its spectrum."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

FRAME = 256
"""Samples of a frame at 8 kHz: 32 ms."""
FRAME_MS = 32
BIN_HZ = 8000 / FRAME
SILENT_DBOV = -120.0

_FIRST_BIN = 7  # 219 Hz: what is below is no telephone tone
_SPREAD = 2  # a Hann window spreads a tone over two bins to each side
_AROUND = np.arange(-_SPREAD, _SPREAD + 1)

Floats = npt.NDArray[np.float32]
Bins = npt.NDArray[np.int64]


def _spectrum_of_a_frame() -> Floats:
    """What a frame is multiplied by to have its spectrum through a Hann window, real parts and then imaginary ones.

    For so many so short frames that takes half of what as many fast Fourier transforms take.
    """
    turns = np.outer(np.arange(FRAME), np.arange(_FIRST_BIN - _SPREAD, FRAME // 2 + 1)) / FRAME
    waves = np.concatenate((np.cos(2 * np.pi * turns), np.sin(2 * np.pi * turns)), axis=1)
    return np.ascontiguousarray(np.hanning(FRAME + 1)[:FRAME, None] * waves, dtype=np.float32)


_SPECTRUM = _spectrum_of_a_frame()


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


def describe(frames: Floats) -> FrameFacts:
    """The facts of frames of 256 samples (-1 to 1), one a row."""
    power = np.einsum("ij,ij->i", frames, frames) / FRAME
    level = 10 * np.log10(power + 10 ** (SILENT_DBOV / 10))
    parts = np.square(frames @ _SPECTRUM)
    bins = _SPECTRUM.shape[1] // 2
    energy = parts[:, :bins] + parts[:, bins:]
    energy[:, :_SPREAD] = 0.0
    energy[:, -_SPREAD:] = 0.0
    whole = energy.sum(axis=1) + 1e-12
    first_hz = _between_bins(energy)
    first, near_first = _take_peak(energy)
    second, near_second = _take_peak(energy)
    tonality = ((near_first + near_second) / whole).astype(np.float32)
    return FrameFacts(level.astype(np.float32), first, second, first_hz, tonality)


def _between_bins(energy: Floats) -> Floats:
    """Frequency of each row's largest peak: the top of the parabola through it and its neighbours, in decibels."""
    peak = _between(energy.argmax(axis=1), 1, energy.shape[1] - 2)
    rows = np.arange(len(energy))
    below, top, above = (np.log(energy[rows, peak + step] + 1e-15) for step in (-1, 0, 1))
    moved = 0.5 * (below - above) / np.minimum(below - 2 * top + above, -1e-9)
    hertz: Floats = ((peak + _FIRST_BIN - _SPREAD + _between(moved, -0.5, 0.5)) * BIN_HZ).astype(np.float32)
    return hertz


def _take_peak(energy: Floats) -> tuple[Bins, Floats]:
    """The bin of each row's largest peak and the energy around it, which is taken out of `energy`."""
    rows = np.arange(len(energy))[:, None]
    peak = energy.argmax(axis=1)
    around = _between(peak[:, None] + _AROUND, 0, energy.shape[1] - 1)
    taken = energy[rows, around].sum(axis=1)
    energy[rows, around] = 0.0
    return peak + _FIRST_BIN - _SPREAD, taken


def _between(values: npt.NDArray[Any], least: float, most: float) -> npt.NDArray[Any]:
    """np.clip, which takes four times as long for so few."""
    within: npt.NDArray[Any] = np.minimum(np.maximum(values, least), most)
    return within
