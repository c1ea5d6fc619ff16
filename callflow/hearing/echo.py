"""Is what we hear our own prompt come back? How much of a sound can be explained by what was sent before it."""

import numpy as np

from callflow.hearing.blocks import (
    BLOCK,
    HOP,
    LINE_NOISE,
    LINE_PERCENTILE,
    LOWEST_HZ,
    Spectra,
    bands,
    blocks_of,
    energy_of,
    sounding,
)
from callflow.hearing.frames import FRAME, Floats
from callflow.hearing.resemblance import ENOUGH_BLOCKS, resembles
from callflow.hearing.small_arrays import percentile

SPAN = 16384
"""Most samples from which the echo path is learnt: 2 s. From less, any word could be explained by a piece of a prompt.
"""
LONGEST = 6400
"""Samples that an echo may take: 800 ms, network, jitter buffer and room together."""
ECHO_SHARE = 0.3
"""Sound of which this share or more is explained by what was sent is its echo (measured: docs/hearing.md)."""
ECHO_SURE = 0.6
"""From this share on everything in the last half second was an echo."""
RECENT_FRAMES = 16
"""The sound in question: the last half second."""

_RECENT = RECENT_FRAMES * FRAME
_RECENT_BLOCKS = (_RECENT - BLOCK) // HOP + 1
_BLOCKS = (SPAN - BLOCK) // HOP + 1
_FEW = 12
"""Of fewer blocks, 0.4 s, only those teach in which we sounded, too: a caller who speaks as the prompt begins
would else be explained by the one or two blocks of it that there are."""
_OWN = 2 / 3
"""Blocks overlap by half: three of them know as much as two."""
_FITTED = 1.5
"""What is fitted to each frequency: the path and, for all of them, the delay. From a few blocks anything could be
explained so; the share is adjusted for it (the adjusted coefficient of determination)."""

_AROUND = 3
"""Blocks by which the delay of a certain echo may change: 96 ms."""
_COVER = 2.0
"""An echo may be 3 dB louder than it was."""
COVERED = 0.75
"""With this share of the energy no louder than the echo it is the echo."""

_STANDS_OUT = 10.0
"""10 dB below the loudest block, and 10 dB above the line's noise, a block tells what a sound is like."""

_RESTS = 2
"""After the delay was sought in vain; a voice is not certain before four frames (`Listener.confirm`)."""


class EchoPath:
    """The way from what is sent to one caller back to us; remembers how long it takes, and how loud it is."""

    def __init__(self) -> None:
        self._delay = 0
        self._rests = 0
        self._gain: Floats | None = None
        """Of each band, once an echo was certain; its delay then."""
        self._certain_delay = 0
        self.is_open = False
        """Whether the last sound was an echo is open: it has just begun, or is faint."""

    def explains(self, heard: Floats, sent: Floats) -> float:
        """Share (at most 1) of the end of `heard` that is an echo of `sent`, which begins 800 ms earlier.

        `heard` is at least two frames, at most 2 s; silence in both before their beginning would change nothing.

        The delay is where the two are most alike (generalised cross-correlation). What lies between them may colour the
        sound: the path is learnt for each frequency from all of it, and what it does not explain of the last half
        second is somebody else. Where a sound has just begun or the delay has just changed that explains nothing; an
        echo is then known by its bands' energy, if it was certain before, or by its resemblance to what was sent.
        """
        blocks = blocks_of(heard)
        energy = energy_of(blocks)
        loud = energy.sum(axis=1)
        line = LINE_NOISE * percentile(loud, LINE_PERCENTILE)
        self.is_open = _stands_out(loud[-_RECENT_BLOCKS:], line) < ENOUGH_BLOCKS
        share = _explained(blocks, loud, sent, self._delay)
        if share < ECHO_SHARE and not self._rests:
            self._delay = _most_alike(heard, sent)
            share = _explained(blocks, loud, sent, self._delay)
            self._rests = _RESTS if share < ECHO_SHARE else 0
        elif share < ECHO_SHARE:
            self._rests -= 1
        if share >= ECHO_SURE:
            self._remember(energy, sent)
        elif share < ECHO_SHARE and (self._covers(energy, sent) or resembles(energy, sent, line)):
            return ECHO_SHARE
        return share

    def _remember(self, energy: Floats, sent: Floats) -> None:
        ours = energy_of(blocks_of(sent[LONGEST - self._delay : sent.size - self._delay]))
        self._gain = bands(energy).sum(axis=0) / (bands(ours).sum(axis=0) + 1e-9)
        self._certain_delay = self._delay

    def _covers(self, energy: Floats, sent: Floats) -> bool:
        """The last blocks' energy is hardly louder than the certain echo of what was sent about then."""
        if self._gain is None:
            return False
        recent = bands(energy[-_RECENT_BLOCKS:])
        count = len(recent) + 2 * _AROUND
        end = sent.size - max(0, self._certain_delay - _AROUND * HOP)
        start = end - (count - 1) * HOP - BLOCK
        ours = bands(energy_of(blocks_of(sent[max(0, start) : end])))
        if len(ours) < count:
            return False
        around = np.lib.stride_tricks.sliding_window_view(ours, 2 * _AROUND + 1, axis=0).max(axis=2)
        covered = np.minimum(recent, _COVER * self._gain * around)
        return bool(covered.sum() >= COVERED * (recent.sum() + 1e-12))


def _explained(heard: Spectra, energy: Floats, sent: Floats, delay: int) -> float:
    """`energy` of each block of `heard`."""
    ours = blocks_of(sent[LONGEST - delay : sent.size - delay])
    played = energy_of(ours)
    path = (heard * ours.conj()).sum(axis=0) / (played.sum(axis=0) + 1e-9)
    left = energy_of(heard[-_RECENT_BLOCKS:] - path * ours[-_RECENT_BLOCKS:]).sum()
    line = percentile(np.pad(energy, (_BLOCKS - energy.size, 0)), LINE_PERCENTILE) * _RECENT_BLOCKS
    unexplained = max(0.0, left - LINE_NOISE * line) / (energy[-_RECENT_BLOCKS:].sum() + 1e-12)
    sounds = sounding(energy)
    if energy.size < _FEW:
        sounds &= sounding(played.sum(axis=1))
    learnt_from = _OWN * np.count_nonzero(sounds)
    if learnt_from <= _FITTED:
        return 0.0
    return float(1.0 - unexplained * learnt_from / (learnt_from - _FITTED))


def _stands_out(energy: Floats, line: float) -> int:
    """How many of these blocks stand out of the line's noise, and are not much fainter than the loudest."""
    return int(np.count_nonzero(energy > max(energy.max() / _STANDS_OUT, line * _STANDS_OUT)))


def _most_alike(heard: Floats, sent: Floats) -> int:
    """Samples from what was sent to its echo, 0 to 6400, in steps of two: a voice is below 2 kHz for the most part."""
    size = 1 << (sent.size // 2 - 1).bit_length()
    halves = [np.fft.rfft(samples[::2] + samples[1::2], size) for samples in (heard, sent)]
    cross = halves[0] * halves[1].conj()
    cross[: LOWEST_HZ * size // 4000] = 0.0
    alike = np.fft.irfft(cross / (np.sqrt(np.abs(cross)) + 1e-9))
    # heard begins LONGEST after sent, so an echo of delay d lies at lag d - LONGEST
    lags = np.concatenate((alike[size - LONGEST // 2 :], alike[:1]))
    return 2 * int(np.abs(lags).argmax())
