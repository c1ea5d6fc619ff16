"""What Asterisk plays to a caller: the reference for recognising its echo."""

import wave
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]
RATE_PER_MS = 8
SLIP = 300 * RATE_PER_MS
"""Samples by which audio may be late: it catches up in a burst. Beyond this the caller's stream has paused."""
AHEAD = 100 * RATE_PER_MS
"""Samples by which the reference runs ahead: with every packet of the caller's that is lost it falls back by 20 ms, and
an echo that came before it would be unknown."""


@lru_cache(maxsize=256)
def read_prompt(path: Path) -> Samples | None:
    """The samples of a prompt; None unless the file is a readable 8 kHz 16-bit mono WAV."""
    try:
        with wave.open(str(path)) as file:
            if (file.getframerate(), file.getsampwidth(), file.getnchannels()) != (8000, 2, 1):
                return None
            return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.int16)
    except (OSError, EOFError, wave.Error):
        return None


class Playing:
    """One prompt being played, cut into the same steps as the caller's audio, and ahead of it."""

    def __init__(self, samples: Samples, began_ms: int) -> None:
        self._samples = samples
        self._began_ms = began_ms
        self._position: int | None = None

    def before(self, size: int, now_ms: int) -> Samples:
        """What Asterisk sent before the last `size` samples came in, the first of this caller."""
        self._position = self._by_clock(size, now_ms)
        return self._samples[: self._position]

    def next(self, size: int, now_ms: int) -> Samples:
        """What Asterisk sent while the last `size` samples came in; zeros after the prompt's end.

        The first piece is longer: it begins with the prompt, and ends with these samples.
        """
        by_clock = self._by_clock(size, now_ms)
        end = by_clock + size
        start = self._position
        if start is None:
            start = max(0, by_clock - AHEAD)
        elif abs(start - by_clock) > SLIP:
            start = by_clock
        else:
            end = start + size
        self._position = end
        piece = self._samples[start:end]
        return np.pad(piece, (0, end - start - piece.size))

    def _by_clock(self, size: int, now_ms: int) -> int:
        """Place of the reference in the prompt when the last `size` samples began."""
        return max(0, (now_ms - self._began_ms) * RATE_PER_MS - size) + AHEAD
