"""Whose sound is in each frame that a phone received, and how loud: parties' sines, and recorded prompts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from callflow.lab.phone.heard import HEARD_DBOV, Played, Span, joined, levels_dbov, played
from callflow.lab.phone.media import FRAME_S, Frame, audio
from callflow.sound.mulaw import Samples

Levels = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Presence:
    """One row for each frame of audio, in order of arrival (epoch seconds; levels in dBov, -inf for absent)."""

    at: Levels
    levels: Mapping[str, Levels]
    prompts: Mapping[str, Played] = field(default_factory=dict)
    """Prompts that were heard: first and last frame, and how much of each."""

    def in_frame(self, number: int, above_dbov: float = HEARD_DBOV) -> dict[str, float]:
        """Whose sound is in one frame, and how loud."""
        found = {name: float(levels[number]) for name, levels in self.levels.items()}
        return {name: level for name, level in found.items() if level > above_dbov}

    def spans(self, name: str, above_dbov: float = HEARD_DBOV) -> list[Span]:
        """When one of them was heard."""
        return joined(Span(at, at + FRAME_S) for at in self.at[self.levels[name] > above_dbov].tolist())

    def level_dbov(self, name: str, began: float = -np.inf, ended: float = np.inf) -> float:
        """The median level of one of them between two moments; -inf without a frame."""
        there = (self.at >= began) & (self.at < ended)
        return float(np.median(self.levels[name][there])) if there.any() else -np.inf

    def longest_gap_s(self, began: float = -np.inf, ended: float = np.inf) -> float:
        """The longest time between two frames that both lie between two moments; 0 for fewer than two."""
        there = self.at[(self.at >= began) & (self.at < ended)]
        return max((after - before for before, after in pairwise(there.tolist())), default=0.0)


def presence(
    frames: Iterable[Frame], tones_hz: Mapping[str, int], prompts: Mapping[str, Samples] | None = None
) -> Presence:
    """Whose sound is in which of these frames; `prompts` are found beneath the tones as well."""
    sound = audio(frames)
    found = {name: played(sound, samples) for name, samples in (prompts or {}).items()}
    return Presence(
        np.array([frame.at for frame in sound]),
        {name: levels_dbov(sound, hz) for name, hz in tones_hz.items()},
        {name: one for name, one in found.items() if one is not None},
    )
