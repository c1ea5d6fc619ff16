"""Some seconds of sound, measured when it is asked about: is it music, or a voice after all?

Two linear scores of the same measures, with weights fitted on the fit half of the benchmark (docs/hearing.md).
"""

from functools import cached_property
from math import log
from typing import NamedTuple

import numpy as np

from callflow.hearing.frames import Floats
from callflow.hearing.measures import measure
from callflow.hearing.memory import Records
from callflow.hearing.small_arrays import percentile
from callflow.hearing.tape import Samples

LEAST_FRAMES = 31
"""Less than a second is not measured."""
MUSIC_FRAMES = 62
"""Less than 2 s are not called music."""

_ACTIVE, _NEAR_DB, _FAINTEST_DBOV = 0.75, 25.0, -62.0
"""Music hardly rests: so large a share of its frames is near the loudest ones."""
_VOICE, _MOSTLY_VOICE = 0.5, 0.4
"""Share of frames with voice that music hardly ever has."""
_HARDLY = 0.02
"""Added to a probability of which the logarithm is taken."""
NOT_MUSIC = -9.0
"""The score of what cannot be music."""


class Score(NamedTuple):
    """Above 0 a sound is more like what the score is named after than like anything else."""

    weights: dict[str, float]
    bias: float

    def of(self, measures: dict[str, float]) -> float:
        """The score of these measures."""
        return self.bias + sum(weight * measures[name] for name, weight in self.weights.items())


MUSIC = Score(
    {
        "voice": -1.148,
        "loud": 4.728,
        "level jumps": 1.252,
        "level moves": -3.807,
        "spectrum moves": 2.533,
        "shape moves": 1.395,
        "peaks": 0.3662,
        "tuned": 9.84,
        "peaks that last": -10.29,
    },
    -21.43,
)
VOICE = Score(
    {
        "voice": 2.027,
        "loud": -4.001,
        "level jumps": -0.2694,
        "level moves": 0.5086,
        "spectrum moves": -1.982,
        "shape moves": 0.8597,
        "peaks": 0.1734,
        "tuned": -11.24,
        "peaks that last": 2.517,
        "shape moves there": 0.6339,
        "low there": -3.555,
        "second look": 1.696,
    },
    8.444,
)


class Sound:
    """The samples and records of a stretch, of which frame `at` is the likeliest to be a voice."""

    def __init__(self, pcm: Samples, records: Records, at: int) -> None:
        self._pcm = pcm
        self.records = records
        self.at = at

    @cached_property
    def samples(self) -> Floats:
        """-1 to 1, without DC."""
        return _without_dc(self._pcm)

    @property
    def is_measurable(self) -> bool:
        """There is enough of it, and nothing of our own prompt in it."""
        return self.records.size >= LEAST_FRAMES and not self.records["echo"].any()

    @cached_property
    def measures(self) -> dict[str, float]:
        """See `measure`."""
        return measure(self.samples, self.records["level_dbov"], self.records["voice"], self.at)

    @cached_property
    def music(self) -> float:
        """Above 0 it is music. Not measured where most of it is clearly a voice, or pauses."""
        if self.records.size < MUSIC_FRAMES or not self.is_measurable:
            return NOT_MUSIC
        voiced = np.count_nonzero(self.records["voice"] >= _VOICE)
        if voiced > _MOSTLY_VOICE * self.records.size or self._active_share < _ACTIVE:
            return NOT_MUSIC
        return MUSIC.of(self.measures)

    def voice(self, second_look: float) -> float:
        """Above 0 it is a voice; `second_look` is what the model says of its likeliest part when that is slowed."""
        return VOICE.of(self.measures | {"second look": log(second_look + _HARDLY)})

    @property
    def _active_share(self) -> float:
        level = self.records["level_dbov"]
        return float(np.mean(level > max(percentile(level, 90) - _NEAR_DB, _FAINTEST_DBOV)))


def _without_dc(samples: Samples) -> Floats:
    """-1 to 1; lost packets stay zero."""
    filled = samples != 0
    offset = np.float32(np.median(samples[filled])) if filled.any() else np.float32(0.0)
    without: Floats = (samples.astype(np.float32) - offset * filled) / np.float32(32768)
    return without
