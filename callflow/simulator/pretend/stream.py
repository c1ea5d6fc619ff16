"""What a phone sends: RTP of 20 ms, as samples of 16 bits at 8 kHz when it has come out of mu-law."""

from dataclasses import dataclass, field
from functools import lru_cache
from math import inf

import numpy as np
import numpy.typing as npt

from callflow.sound.audio import FRAME, RATE

FRAME_S = 0.02
_SILENCE = bytes(2 * FRAME)
_NOTHING: npt.NDArray[np.int16] = np.zeros(0, dtype=np.int16)
_PEAK = 12566
"""Of Playtones: a mean absolute sample of 8000."""


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """One kind of caller's sound, the same for all of the kind; seconds count from the answer.

    Behind the last of `samples` comes digital silence until the phone stops; `endless`: they begin anew.
    """

    begins_s: float = inf
    ends_s: float = inf
    samples: npt.NDArray[np.int16] = field(default_factory=lambda: _NOTHING)
    endless: bool = False

    def sent(self, now_s: float) -> int:
        """How many frames have come by then: what Asterisk counts as received packets."""
        until_s = min(now_s, self.ends_s)
        return 0 if until_s < self.begins_s else int((until_s - self.begins_s) / FRAME_S + 1e-6) + 1

    def frame(self, number: int) -> bytes:
        """One frame, counted from 0."""
        first = number * FRAME
        if self.endless and self.samples.size:
            first %= self.samples.size
        return self.samples[first : first + FRAME].tobytes() if first < self.samples.size else _SILENCE


NO_MEDIA = Stream()


@lru_cache(maxsize=1)
def tone() -> Stream:
    """Playtones(1004) on the other half of a Local channel."""
    second = np.sin(2 * np.pi * 1004 * np.arange(RATE) / RATE)
    return Stream(0.0, inf, (_PEAK * second).astype(np.int16), endless=True)
