"""Takes the DC offset out of callers' audio: analogue lines and cheap adapters add up to a quarter of full scale."""

import numpy as np
import numpy.typing as npt

from callflow.hearing.frames import FRAME, Floats

_BLOCK = 32
"""Samples that a lost packet may zero together: what 20 ms packets and 32 ms frames have in common."""
_FOLLOW = np.float32(0.25)
"""Share of a new frame in the offset: it follows in about 0.1 s."""
_LINE = np.array((np.arange(FRAME) / FRAME, np.ones(FRAME)), dtype=np.float32)
"""Of a line's rise within a frame and its beginning, all that lies between."""
_ONES = np.ones(FRAME, dtype=np.float32)
_TO_FLOAT = np.float32(1 / 32768)


def remove_dc(pcm: npt.NDArray[np.int16], known: npt.NDArray[np.bool_], before: Floats) -> tuple[Floats, Floats]:
    """Frames of -1 to 1 without their offset, one a row, and the offset at their end.

    `before` is the offset so far, where it is `known`. It changes along a straight line within a frame. A block of
    zeros is a lost packet, not a line at zero: it stays zero and tells nothing of the offset.
    """
    frames = np.multiply(pcm, _TO_FLOAT, dtype=np.float32)
    filled = (pcm.view(np.int64).reshape(len(pcm), FRAME // _BLOCK, -1) != 0).any(axis=2)
    whole = bool(filled.all())
    count = FRAME if whole else np.maximum(np.count_nonzero(filled, axis=1) * _BLOCK, 1)
    mean = frames @ _ONES / count
    after = before + _FOLLOW * (mean - before)
    if not whole:
        after = np.where(filled.any(axis=1), after, before)
    start = before
    if not known.all():
        start, after = np.where(known, before, mean), np.where(known, after, mean)
    offset = np.stack((after - start, start), axis=1).astype(np.float32, copy=False) @ _LINE
    if whole:
        frames -= offset
    elif filled.any():
        parts = (len(pcm), FRAME // _BLOCK, _BLOCK)
        frames.reshape(parts)[...] -= offset.reshape(parts) * filled[:, :, None]
    return frames, after.astype(np.float32, copy=False)
