"""Tones of machines: ringback, busy, dial, DTMF and fax, told from voices frame by frame."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from callflow.hearing.frames import BIN_HZ, FRAME, Floats, FrameFacts

Flags = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int32]

FAINT_DBOV = -58.0
"""Frames below this are not looked at for tones: G.711 itself makes tones of very faint sound."""
STEADY_STEPS = 3
"""A steady tone is one for so many frames (96 ms)."""
V21_STEPS = 6
"""A fax's modem is one for so many frames (192 ms)."""

_STEADY_SHARE, _DTMF_SHARE, _V21_SHARE = 0.99, 0.93, 0.72
_PURE_SHARE = 0.998  # two tones that beat move their common peak, but nothing else is that pure
_STEADY_HZ = 4.0  # a voice moves more in 32 ms, and women's vowels are nearly as pure as tones
_DTMF_LOW_HZ, _DTMF_HIGH_HZ = (697, 770, 852, 941), (1209, 1336, 1477, 1633)
_DTMF_WITHIN_HZ = 20.0
_IS_DTMF_LOW, _IS_DTMF_HIGH = (
    (np.abs(np.arange(FRAME // 2 + 1)[:, None] * BIN_HZ - np.array(group_hz)) <= _DTMF_WITHIN_HZ).any(axis=1)
    for group_hz in (_DTMF_LOW_HZ, _DTMF_HIGH_HZ)
)
"""Of each bin."""
_V21_BINS = (50, 62)  # around 1650 and 1850 Hz, ITU-T V.21 channel 2


class ToneRuns(NamedTuple):
    """How many frames in a row each kind of tone has lasted, up to and with this frame."""

    steady: Counts
    v21: Counts
    dtmf: Flags

    def certain(self) -> Flags:
        """True for frames in which a tone is certain by now."""
        return (self.steady >= STEADY_STEPS) | (self.v21 >= V21_STEPS) | self.dtmf

    def begun(self) -> Flags:
        """True where a tone has just become certain."""
        begun: Flags = (self.steady == STEADY_STEPS) | (self.v21 == V21_STEPS)
        return begun


def continue_runs(facts: FrameFacts, moved_hz: Floats, steady: Counts, v21: Counts) -> ToneRuns:
    """The runs with one more frame of each listener; `steady` and `v21` are those up to the frame before."""
    loud = facts.level_dbov > FAINT_DBOV
    low, high = np.minimum(facts.first, facts.second), np.maximum(facts.first, facts.second)
    is_steady = loud & (facts.tonality > np.where(moved_hz < _STEADY_HZ, _STEADY_SHARE, _PURE_SHARE))
    is_v21 = loud & (facts.tonality > _V21_SHARE) & (low >= _V21_BINS[0]) & (high <= _V21_BINS[1])
    keys = _IS_DTMF_LOW[low] & _IS_DTMF_HIGH[high]
    is_dtmf = loud & (facts.tonality > _DTMF_SHARE) & keys
    return ToneRuns((steady + 1) * is_steady, (v21 + 1) * is_v21, is_dtmf)
