"""Making a prompt's sound from speech: joining, trimming, resampling, and setting the level."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import soxr
from numpy.typing import NDArray
from p56 import active_level
from prompt_audio import (
    AUDIBLE_DB,
    LEAD_S,
    PEAK_DBFS,
    TAIL_S,
    TARGET_DBOV,
    TOLERANCE_DB,
    PromptError,
    Sound,
)

FADE_IN_S, FADE_OUT_S = 0.01, 0.05
KNEE = 0.8  # share of the peak limit from which the limiter bends


def join(parts: Sequence[Sound], pause_s: float) -> Sound:
    """Return the parts, of one rate, one after another with pause_s of silence in between."""
    rate = parts[0].rate
    silence = np.zeros(max(0, round((pause_s - LEAD_S - TAIL_S) * rate)))
    pieces = [np.concatenate((_trim(np.asarray(part.samples), rate), silence)) for part in parts]
    return Sound(rate, np.concatenate(pieces).tolist())


def shape(sound: Sound, rate: int, lead_s: float = LEAD_S) -> Sound:
    """Return speech trimmed, at another rate, at the target level and under the peak limit."""
    trimmed = _trim(np.asarray(sound.samples, dtype=np.float64), sound.rate, lead_s)
    resampled = soxr.resample(trimmed, sound.rate, rate, quality="VHQ")
    return Sound(rate, _level(resampled, rate).tolist())


def _trim(samples: NDArray[np.float64], rate: int, lead_s: float = LEAD_S) -> NDArray[np.float64]:
    """Return samples with lead_s before and TAIL_S after what can be heard, faded in and out."""
    loudness = np.abs(samples)
    audible = np.flatnonzero(loudness > loudness.max(initial=0.0) * 10 ** (AUDIBLE_DB / 20))
    if not audible.size:
        raise PromptError("there is no sound in it")
    lead, tail = round(lead_s * rate), round(TAIL_S * rate)
    first, last = audible[0] + lead, audible[-1] + lead + 1  # places once it is padded
    cut = np.pad(samples, (lead, tail))[first - lead : last + tail]
    fade_in, fade_out = round(FADE_IN_S * rate), round(FADE_OUT_S * rate)
    cut[:fade_in] *= np.linspace(0.0, 1.0, fade_in)
    cut[-fade_out:] *= np.linspace(1.0, 0.0, fade_out)
    return cut


def _level(samples: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    """Return samples at TARGET_DBOV; raise PromptError if their peaks do not allow it."""
    gain_db = 0.0
    for _ in range(10):
        levelled = _limit(samples * 10 ** (gain_db / 20))
        off_db = TARGET_DBOV - active_level(levelled.tolist(), rate).dbov
        if abs(off_db) < TOLERANCE_DB / 10:
            return levelled
        gain_db += off_db
    raise PromptError(f"cannot be brought to {TARGET_DBOV} dBov under a peak of {PEAK_DBFS} dBFS")


def _limit(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return samples with everything above the knee bent to stay under PEAK_DBFS."""
    ceiling = 10 ** (PEAK_DBFS / 20)
    knee = KNEE * ceiling
    loudness = np.abs(samples)
    bent = knee + (ceiling - knee) * np.tanh((loudness - knee) / (ceiling - knee))
    return np.where(loudness > knee, np.sign(samples) * bent, samples)
