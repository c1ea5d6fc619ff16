"""What is remembered of every listener, one row each, so that a step of all of them is a few array operations."""

from typing import Any

import numpy as np
import numpy.typing as npt

from callflow.hearing.frames import FRAME, SILENT_DBOV, STEPS
from callflow.hearing.vad import REMEMBERED

KEPT_FRAMES = 256
"""Frames of each listener that a verdict can look back on: 8.2 s."""
KEPT_SAMPLES = KEPT_FRAMES * FRAME

FRAME_RECORD = np.dtype(
    [
        ("level_dbov", "f4"),
        ("voice", "f4"),  # probability of voice, 0 where it is a tone, hum or our own echo
        ("tone", "?"),  # part of a tone
        ("echo", "?"),  # our own prompt come back
    ],
    align=True,
)
_ROW = np.dtype(
    [
        ("model", "f4", REMEMBERED),
        ("dc", "f4"),  # offset of the line at the end of the frame before
        ("dc_known", "?"),
        ("peak_dbov", "f4"),  # level of the loudest frame of late; falls slowly
        ("level_dbov", "f4"),  # of the frame before
        ("level_kept", "i4"),  # frames in a row, this one counted in, between which the level hardly moved
        ("held", "i4"),  # frames in a row that sounded like the one before
        ("tonality", "f4"),  # of the frame before
        ("first_hz", "f4"),  # the largest peak of the frame before
        ("steady", "i4"),  # see tones.ToneRuns
        ("v21", "i4"),
        ("silent", "i4"),  # frames in a row with nothing in them
        ("tone_hold", "i1"),  # frames for which a certain tone still masks voices
        ("voice", "f4"),  # that of the frame before
        ("voiced", "i4"),  # frames in a row with voice
        ("speaking", "?"),  # a voice is certain, and told
        ("played_to", "?"),  # of late: what is heard may be our own echo
        ("echoes", "?"),  # an echo has been certain
        ("open", "?"),  # whether the sound before this frame was our own echo is open
        ("history", FRAME_RECORD, KEPT_FRAMES),
        ("magnitudes", "f4", (KEPT_FRAMES, STEPS)),  # of each frame of the history, see p56
    ],
    align=True,
)

_FRESH = np.zeros((), dtype=_ROW)
_FRESH["peak_dbov"] = SILENT_DBOV
_FRESH["history"]["level_dbov"] = SILENT_DBOV

Rows = npt.NDArray[np.int64]
Records = npt.NDArray[Any]


class Memory:
    """`rows` is an array of records; a row is taken by a listener and given back when it is closed."""

    def __init__(self, rows: int = 256) -> None:
        self.rows: Records = np.zeros(rows, dtype=_ROW)
        self._free = list(range(rows))

    def take(self) -> int:
        """The number of a fresh row."""
        if not self._free:
            size = self.rows.size
            self.rows = np.concatenate((self.rows, np.zeros(size, dtype=_ROW)))
            self._free = list(range(size, 2 * size))
        row = self._free.pop()
        self.rows[row] = _FRESH
        return row

    def give_back(self, row: int) -> None:
        """The row's listener is closed."""
        self._free.append(row)
