"""Is what we hear our own prompt come back? How much of a sound can be explained by what was sent before it."""

import numpy as np
import numpy.typing as npt

SPAN = 6144
"""Samples of a sound that are looked at: 768 ms."""
LONGEST = 6400
"""Samples that an echo may take: 800 ms, network, jitter buffer and room together."""

ECHO_SHARE = 0.3
"""Sound of which this share or more is explained by what was sent is its echo (measured: docs/hearing.md)."""

_FFT = 16384
_BLOCK, _HOP = 512, 128
_BLOCK_WINDOW = np.hanning(_BLOCK + 1)[:_BLOCK].astype(np.float32)

Floats = npt.NDArray[np.float32]


class EchoPath:
    """The way from what is sent to one caller back to us; remembers how long it takes."""

    def __init__(self) -> None:
        self._delay = 0

    def explains(self, heard: Floats, sent: Floats) -> float:
        """Share (0 to 1) of the energy of `heard` (768 ms) that is an echo of `sent`, which begins 800 ms earlier.

        The delay is where the two are most alike (generalised cross-correlation); the share is their coherence there,
        summed over all frequencies, so that any room or line between them may colour it.
        """
        share = _coherence(heard, sent, self._delay)
        if share < ECHO_SHARE:
            self._delay = _most_alike(heard, sent)
            share = _coherence(heard, sent, self._delay)
        return share


def _coherence(heard: Floats, sent: Floats, delay: int) -> float:
    mine, theirs = _blocks(heard), _blocks(sent[LONGEST - delay : LONGEST - delay + SPAN])
    cross = np.square(np.abs((mine * theirs.conj()).sum(axis=0)))
    whole = np.square(np.abs(mine)).sum()
    return float((cross / (np.square(np.abs(theirs)).sum(axis=0) + 1e-12)).sum() / (whole + 1e-12))


def _most_alike(heard: Floats, sent: Floats) -> int:
    """Samples from what was sent to its echo, 0 to 6400."""
    cross = np.fft.rfft(heard, _FFT) * np.fft.rfft(sent, _FFT).conj()
    alike = np.fft.irfft(cross / (np.sqrt(np.abs(cross)) + 1e-9))
    # heard begins LONGEST after sent, so an echo of delay d lies at lag d - LONGEST
    lags = np.concatenate((alike[_FFT - LONGEST :], alike[:1]))
    return int(np.abs(lags).argmax())


def _blocks(samples: Floats) -> npt.NDArray[np.complex64]:
    views = np.lib.stride_tricks.sliding_window_view(samples, _BLOCK)[::_HOP]
    return np.fft.rfft(views * _BLOCK_WINDOW, axis=1).astype(np.complex64)
