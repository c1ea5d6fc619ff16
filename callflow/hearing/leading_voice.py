"""The level of the voice that leads: a television or other people under the caller do not make the caller quiet."""

from math import log10
from typing import NamedTuple

import numpy as np

from callflow.hearing.frames import FRAME, Floats
from callflow.hearing.p56 import level_of_steps
from callflow.hearing.small_arrays import percentile
from callflow.hearing.tones import Flags

_REACH = 6
"""Frames to each side: within 0.4 s a talker is about as loud as ever, at the loud part of a syllable."""
_BELOW_DB = 7.0
"""Voice that is nowhere near as loud as the leading one is another's."""
_LOUD_PERCENTILE = 98
_OTHER_FRAMES = 16
"""Half a second: less is the end of a word."""
_OTHER_SHARE = 0.5
"""Of all the voice: a television lasts, a talker's own lower words do not."""
_MEDIAN = 50
_LEAST_NOISE_DBOV = -96.0


class VoiceLevel(NamedTuple):
    """Levels in dBov."""

    level_dbov: float
    noise_dbov: float
    other_dbov: float | None
    """Of other voices; None without them."""


def leading_level(spoken: Flags, level_dbov: Floats, magnitudes: Floats, echo: Flags) -> VoiceLevel:
    """Active level of the leading voice in the frames with voice and their neighbours, less the line's noise."""
    near = spoken.copy()
    near[1:] |= spoken[:-1]
    near[:-1] |= spoken[1:]
    line = ~near & ~echo  # our own prompt come back, or a voice that was taken for it, is no noise of the line
    noise = 10 ** (percentile(level_dbov[line], _MEDIAN) / 10) if line.any() else 0.0
    lead = near & _leads(near, level_dbov)
    others = near & ~lead
    is_other = np.count_nonzero(others) >= max(_OTHER_FRAMES, _OTHER_SHARE * np.count_nonzero(near))
    other_dbov = mean_dbov(level_dbov[others]) if is_other else None
    if other_dbov is None:
        lead = near
    energy = float((10 ** (level_dbov[lead] / 10)).sum()) * FRAME
    heard_dbov = level_of_steps(magnitudes[lead].ravel(), energy)
    power = 10 ** ((heard_dbov if heard_dbov is not None else mean_dbov(level_dbov[lead])) / 10)
    found_dbov = 10 * log10(max(power - noise, power / 2))
    return VoiceLevel(found_dbov, max(_LEAST_NOISE_DBOV, 10 * log10(noise + 1e-12)), other_dbov)


def _leads(near: Flags, level_dbov: Floats) -> Flags:
    """Frames around which the voice is about as loud as at its loudest."""
    around, reach = np.full(near.size + 2 * _REACH, -np.inf, dtype=np.float32), 1
    around[_REACH:-_REACH][near] = level_dbov[near]
    while reach < 2 * _REACH + 1:  # the highest of `reach` frames, and that of as many after them: twice the reach
        more = min(reach, 2 * _REACH + 1 - reach)
        around, reach = np.maximum(around[more:], around[:-more]), reach + more
    leads: Flags = around >= percentile(level_dbov[near], _LOUD_PERCENTILE) - _BELOW_DB
    return leads


def mean_dbov(level_dbov: Floats) -> float:
    """Mean power, not below -96 dBov."""
    return max(_LEAST_NOISE_DBOV, float(10 * np.log10(np.mean(10 ** (level_dbov.astype(np.float64) / 10)))))
