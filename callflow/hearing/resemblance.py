"""Does a sound resemble what was sent, at any delay? Two likenesses are added, which no echo path can change much.

The levels of its bands rise and fall alike, each compared with its own mean. And its harmonics lie at the same
frequencies, each compared with the bins around it: another voice has another pitch.
"""

import numpy as np

from callflow.hearing.blocks import BLOCK, HOP, bands, blocks_of, energy_of, sounding
from callflow.hearing.frames import Floats

ALIKE = 1.35
"""From this sum of both correlations on it is the echo (measured: docs/hearing.md)."""
ENOUGH_BLOCKS = 5
"""0.2 s of a sound. The beginnings of any two sounds are alike: a younger one must resemble more closely."""
_MORE_ALIKE = 0.15
"""For each block that is missing."""
_SPANS = (7, 15)
"""Blocks that are compared, 0.25 and 0.5 s: at a change of delay the longer span holds two, of which either may fit."""
_LEAST_BLOCKS = 3
_HOPS = 2
"""Delays are tried in steps of half a hop, 16 ms."""
_FAINT = 1e-3
"""What is 30 dB below the loudest band does not matter."""
_FAINT_BIN = 1e-4
_BIN_OF_BAND = 0.25
"""Line noise in a bin, of that in a band: a harmonic is narrow."""
_FIRST_BIN, _LAST_BIN = 12, 192
"""From 190 to 3000 Hz."""
_AROUND = 8
"""Bins to each side with which a harmonic is compared: 125 Hz."""


def resembles(heard: Floats, sent: Floats, line: float) -> bool:
    """True if the end of `heard`, the energy of its last blocks, is like any piece of `sent`.

    `sent` are samples up to the same moment; `line` is the energy of a block of the line's noise.
    """
    recent = heard[-_SPANS[-1] :]
    recent = recent[int(sounding(recent.sum(axis=1)).argmax()) :]
    delays = sent.size - _least_samples(len(heard))
    ours = energy_of(blocks_of(sent[-delays - _least_samples(len(recent)) :], HOP // _HOPS))
    for span in _SPANS:
        count = min(span, len(recent))
        begins = (len(recent) - count) * _HOPS
        alike = ALIKE + _MORE_ALIKE * max(0, ENOUGH_BLOCKS - count)
        if count >= _LEAST_BLOCKS and _likeness(recent[-count:], ours[begins:], line) >= alike:
            return True
    return False


def _least_samples(blocks: int) -> int:
    return (blocks - 1) * HOP + BLOCK


def _likeness(heard: Floats, sent: Floats, line: float) -> float:
    """The largest sum of both correlations at one delay; what is below the line's noise is left out of both sides."""
    energy = heard.sum(axis=1)
    loudest = energy.max() + 1e-12
    noise = line / loudest
    weights = np.sqrt(energy / loudest)[:, None]
    levels = _rise_alike(_levels(heard, noise), _levels(sent, noise))
    harmonics = _harmonics_alike(_harmonics(heard, noise), _harmonics(sent, noise), weights)
    return float((levels + harmonics).max())


def _levels(energy: Floats, noise: float) -> Floats:
    """Natural logarithm of the energy of each band."""
    banded = bands(energy)
    levels: Floats = np.log(np.maximum(banded, banded.max() * max(_FAINT, noise)) + 1e-9)
    return levels


def _harmonics(energy: Floats, noise: float) -> Floats:
    """How far each bin stands above those around it."""
    bins = energy[:, _FIRST_BIN:_LAST_BIN]
    levels = np.log(bins + bins.max() * max(_FAINT_BIN, _BIN_OF_BAND * noise) + 1e-9)
    width = 2 * _AROUND + 1
    sums = np.cumsum(np.pad(levels, ((0, 0), (_AROUND + 1, _AROUND)), "edge"), axis=1)
    above: Floats = levels - (sums[:, width:] - sums[:, :-width]) / width
    return above


def _rise_alike(heard: Floats, sent: Floats) -> Floats:
    """The correlation at each delay of the movement of the bands."""
    pieces = np.lib.stride_tricks.sliding_window_view(sent, (len(heard) - 1) * _HOPS + 1, axis=0)[..., ::_HOPS]
    moved, theirs = heard - heard.mean(axis=0), pieces - pieces.mean(axis=2, keepdims=True)
    alike = np.einsum("dbt,tb->d", theirs, moved)
    sizes = np.sqrt(np.einsum("dbt,dbt->d", theirs, theirs) * np.square(moved).sum())
    correlation: Floats = alike / (sizes + 1e-6)
    return correlation


def _harmonics_alike(heard: Floats, sent: Floats, weights: Floats) -> Floats:
    """The correlation at each delay of the harmonics; loud blocks weigh more."""
    delays = len(sent) - (len(heard) - 1) * _HOPS
    places = np.arange(delays)[:, None] + _HOPS * np.arange(len(heard))
    products = sent @ (weights * heard).T
    alike = products[places, np.arange(len(heard))].sum(axis=1)
    theirs = np.square(sent).sum(axis=1)[places] @ weights[:, 0]
    correlation: Floats = alike / (np.sqrt(theirs * (weights * np.square(heard)).sum()) + 1e-6)
    return correlation
