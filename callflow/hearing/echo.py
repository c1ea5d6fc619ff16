"""Is what we hear our own prompt come back? How much of a sound can be explained by what was sent before it."""

import numpy as np
import numpy.typing as npt

from callflow.hearing.frames import FRAME, Floats
from callflow.hearing.small_arrays import percentile
from callflow.hearing.tones import Flags

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
_BLOCK, _HOP = 512, 256
_BLOCK_WINDOW = np.hanning(_BLOCK + 1)[:_BLOCK].astype(np.float32)
_RECENT_BLOCKS = (_RECENT - _BLOCK) // _HOP + 1
_BLOCKS = (SPAN - _BLOCK) // _HOP + 1
_LINE_PERCENTILE, _LINE_NOISE = 15, 1.5
"""The quietest blocks are the line's own noise, which nothing explains and nobody makes."""

_SOUND = 1e-3
"""A block 30 dB below the loudest one teaches nothing of the path."""
_FEW = 12
"""Of fewer blocks, 0.4 s, only those teach in which we sounded, too: a caller who speaks as the prompt begins
would else be explained by the one or two blocks of it that there are."""
_OWN = 2 / 3
"""Blocks overlap by half: three of them know as much as two."""
_FITTED = 1.5
"""What is fitted to each frequency: the path and, for all of them, the delay. From a few blocks anything could be
explained so; the share is adjusted for it (the adjusted coefficient of determination)."""

_BAND = 8
"""Bins of a band: 125 Hz."""
_AROUND = 3
"""Blocks by which the delay of a certain echo may change: 96 ms."""
_COVER = 2.0
"""An echo may be 3 dB louder than it was."""
COVERED = 0.75
"""With this share of the energy no louder than the echo it is the echo."""

_LEAST_BLOCKS = 10
"""Since the sound began: the beginnings of any two sounds are alike, and a caller who has just begun is no echo."""
ALIKE = 0.7
"""From this correlation on, what is heard rises and falls as what was sent: it is the echo, whatever its path."""
_FAINT = 1e-3
"""What is 30 dB below the loudest band does not matter."""

_RESTS = 2
"""After the delay was sought in vain; a voice is not certain before four frames (`Listener.confirm`)."""

Spectra = npt.NDArray[np.complex64]


class EchoPath:
    """The way from what is sent to one caller back to us; remembers how long it takes, and how loud it is."""

    def __init__(self) -> None:
        self._delay = 0
        self._rests = 0
        self._gain: Floats | None = None
        """Of each band, once an echo was certain; its delay then."""
        self._certain_delay = 0

    def explains(self, heard: Floats, sent: Floats) -> float:
        """Share (at most 1) of the end of `heard` that is an echo of `sent`, which begins 800 ms earlier.

        `heard` is at least two frames, at most 2 s; silence in both before their beginning would change nothing.

        The delay is where the two are most alike (generalised cross-correlation). What lies between them may colour the
        sound: the path is learnt for each frequency from all of it, and what it does not explain of the last half
        second is somebody else. Where the delay has just changed that explains nothing; an echo is then known by its
        bands' energy, if it was certain before, or by the way its bands rise and fall.
        """
        blocks = _blocks(heard)
        share = _explained(blocks, sent, self._delay)
        if share < ECHO_SHARE and not self._rests:
            self._delay = _most_alike(heard, sent)
            share = _explained(blocks, sent, self._delay)
            self._rests = _RESTS if share < ECHO_SHARE else 0
        elif share < ECHO_SHARE:
            self._rests -= 1
        if share >= ECHO_SURE:
            self._remember(blocks, sent)
        elif share < ECHO_SHARE and (self._covers(blocks, sent) or _rise_alike(blocks, sent)):
            return ECHO_SHARE
        return share

    def _remember(self, blocks: Spectra, sent: Floats) -> None:
        ours = _energy(_blocks(sent[LONGEST - self._delay : sent.size - self._delay]))
        self._gain = _bands(_energy(blocks)).sum(axis=0) / (_bands(ours).sum(axis=0) + 1e-9)
        self._certain_delay = self._delay

    def _covers(self, blocks: Spectra, sent: Floats) -> bool:
        """The last blocks' energy is hardly louder than the certain echo of what was sent about then."""
        if self._gain is None:
            return False
        recent = _bands(_energy(blocks[-_RECENT_BLOCKS:]))
        count = len(recent) + 2 * _AROUND
        end = sent.size - max(0, self._certain_delay - _AROUND * _HOP)
        start = end - (count - 1) * _HOP - _BLOCK
        ours = _bands(_energy(_blocks(sent[max(0, start) : end])))
        if len(ours) < count:
            return False
        around = np.lib.stride_tricks.sliding_window_view(ours, 2 * _AROUND + 1, axis=0).max(axis=2)
        covered = np.minimum(recent, _COVER * self._gain * around)
        return bool(covered.sum() >= COVERED * (recent.sum() + 1e-12))


def _explained(heard: Spectra, sent: Floats, delay: int) -> float:
    ours = _blocks(sent[LONGEST - delay : sent.size - delay])
    played = _energy(ours)
    path = (heard * ours.conj()).sum(axis=0) / (played.sum(axis=0) + 1e-9)
    left = _energy(heard[-_RECENT_BLOCKS:] - path * ours[-_RECENT_BLOCKS:]).sum()
    energy = _energy(heard).sum(axis=1)
    line = percentile(np.pad(energy, (_BLOCKS - energy.size, 0)), _LINE_PERCENTILE) * _RECENT_BLOCKS
    unexplained = max(0.0, left - _LINE_NOISE * line) / (energy[-_RECENT_BLOCKS:].sum() + 1e-12)
    sounds = _sounds(energy)
    if energy.size < _FEW:
        sounds &= _sounds(played.sum(axis=1))
    learnt_from = _OWN * np.count_nonzero(sounds)
    if learnt_from <= _FITTED:
        return 0.0
    return float(1.0 - unexplained * learnt_from / (learnt_from - _FITTED))


def _rise_alike(blocks: Spectra, sent: Floats) -> bool:
    """The levels of the last blocks' bands are correlated with those of what was sent, at any delay.

    Each band is compared with its own mean, so it does not matter how the path colours the sound.
    """
    recent = blocks[-_RECENT_BLOCKS:]
    recent = recent[int(_sounds(_energy(recent).sum(axis=1)).argmax()) :]
    if len(recent) < _LEAST_BLOCKS:
        return False
    heard, ours = _levels(recent), _levels(_blocks(sent))
    delays = np.lib.stride_tricks.sliding_window_view(ours, len(recent), axis=0)
    moved, theirs = heard - heard.mean(axis=0), delays - delays.mean(axis=2, keepdims=True)
    alike = np.einsum("dbt,tb->d", theirs, moved)
    sizes = np.sqrt(np.einsum("dbt,dbt->d", theirs, theirs) * np.square(moved).sum())
    return bool((alike >= ALIKE * (sizes + 1e-6)).any())


def _levels(spectra: Spectra) -> Floats:
    """Natural logarithm of the energy of each band."""
    bands = _bands(_energy(spectra))
    levels: Floats = np.log(np.maximum(bands, bands.max() * _FAINT) + 1e-9)
    return levels


def _sounds(energy: Floats) -> Flags:
    """Blocks from which something can be learnt."""
    sounds: Flags = energy > _SOUND * energy.max()
    return sounds


def _most_alike(heard: Floats, sent: Floats) -> int:
    """Samples from what was sent to its echo, 0 to 6400, in steps of two: a voice is below 2 kHz for the most part."""
    size = 1 << (sent.size // 2 - 1).bit_length()
    halves = [np.fft.rfft(samples[::2] + samples[1::2], size) for samples in (heard, sent)]
    cross = halves[0] * halves[1].conj()
    alike = np.fft.irfft(cross / (np.sqrt(np.abs(cross)) + 1e-9))
    # heard begins LONGEST after sent, so an echo of delay d lies at lag d - LONGEST
    lags = np.concatenate((alike[size - LONGEST // 2 :], alike[:1]))
    return 2 * int(np.abs(lags).argmax())


def _energy(spectra: Spectra) -> Floats:
    energy: Floats = np.square(spectra.real) + np.square(spectra.imag)
    return energy


def _bands(energy: Floats) -> Floats:
    """From 125 to 3375 Hz."""
    banded: Floats = energy[:, 8:216].reshape(len(energy), -1, _BAND).sum(axis=2)
    return banded


def _blocks(samples: Floats) -> Spectra:
    views = np.lib.stride_tricks.sliding_window_view(samples, _BLOCK)[::_HOP]
    return np.fft.rfft(views * _BLOCK_WINDOW, axis=1).astype(np.complex64)
