"""Active speech level: method B of ITU-T Recommendation P.56 (12/2011).

Source: "Objective measurement of active speech level", whose time constant, hangover time, margin
and fifteen thresholds are the constants below. The level is that of the stretches in which
somebody is speaking: pauses as short as the hangover count as speech, longer ones do not.
Levels are in dBov: 0 dBov is the RMS of a full-scale square wave, a full-scale sine is -3.01.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

TIME_CONSTANT_S = 0.03
HANGOVER_S = 0.2
MARGIN_DB = 15.9
THRESHOLDS = tuple(2.0**-power for power in range(15, 0, -1))


class ActiveLevel(NamedTuple):
    """Level of the active speech in dBov, and the share of time it takes (0 to 1)."""

    dbov: float
    activity: float


def active_level(samples: Sequence[float], rate: int) -> ActiveLevel:
    """Measure samples of full scale 1.0 at rate in Hz; silence gives -inf dBov, activity 0."""
    energy = math.fsum(sample * sample for sample in samples)
    counts = _active_counts(_envelope(samples, rate), round(HANGOVER_S * rate))
    if energy == 0 or counts[0] == 0:
        return ActiveLevel(-math.inf, 0.0)
    dbov = _crossing(energy, counts)
    return ActiveLevel(dbov, energy / len(samples) / 10 ** (dbov / 10))


def _envelope(samples: Iterable[float], rate: int) -> Iterable[float]:
    """Yield the rectified samples after two exponential averages in a row."""
    keep = math.exp(-1 / (TIME_CONSTANT_S * rate))
    first = second = 0.0
    for sample in samples:
        first = keep * first + (1 - keep) * abs(sample)
        second = keep * second + (1 - keep) * first
        yield second


def _active_counts(envelope: Iterable[float], hangover: int) -> list[int]:
    """Count for each threshold the samples above it or within hangover samples after that."""
    counts = [0] * len(THRESHOLDS)
    active_until = [-1] * len(THRESHOLDS)
    for now, level in enumerate(envelope):
        for index, threshold in enumerate(THRESHOLDS):
            if level >= threshold:
                active_until[index] = now + hangover
            elif active_until[index] < now:
                break  # a higher threshold was never crossed later than a lower one
            counts[index] += 1
    return counts


def _crossing(energy: float, counts: Sequence[int]) -> float:
    """Find in dB the level that stands MARGIN_DB above the threshold that gives it."""
    previous: tuple[float, float] | None = None
    level = -math.inf
    for threshold, count in zip(THRESHOLDS, counts, strict=True):
        if count == 0:
            break
        level = 10 * math.log10(energy / count)
        excess = level - 20 * math.log10(threshold) - MARGIN_DB
        if excess <= 0:
            return level if previous is None else _interpolate(previous, (level, excess))
        previous = level, excess
    return level


def _interpolate(above: tuple[float, float], below: tuple[float, float]) -> float:
    """Return the level at which the excess is zero, between two (level, excess) points."""
    share = above[1] / (above[1] - below[1])
    return above[0] + share * (below[0] - above[0])
