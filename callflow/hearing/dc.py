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
_SHARES = np.full(FRAME, 1 / FRAME, dtype=np.float32)
"""A product with it is a frame's mean."""
_TO_FLOAT = np.float32(1 / 32768)


def remove_dc(pcm: npt.NDArray[np.int16], known: npt.NDArray[np.bool_], before: Floats) -> tuple[Floats, Floats]:
    """Frames of -1 to 1 without their offset, one a row, and the offset at their end.

    `before` is the offset so far, where it is `known`. It changes along a straight line within a frame. A block of
    zeros is a lost packet, not a line at zero: it stays zero and tells nothing of the offset.
    """
    frames = np.multiply(pcm, _TO_FLOAT, dtype=np.float32)
    filled = (pcm.view(np.int64) != 0).view(np.int64) != 0  # eight flags, of four samples each, make a block
    whole = bool(filled.all())
    mean = frames @ _SHARES
    if not whole:
        blocks = filled.sum(axis=1, dtype=np.float32)
        mean = np.where(blocks > 0, mean * (FRAME // _BLOCK) / np.maximum(blocks, 1), before)
    start = before if known.all() else np.where(known, before, mean)
    line = np.empty((len(pcm), 2), dtype=np.float32)
    rise, line[:, 1] = line[:, 0], start
    np.multiply(mean - start, _FOLLOW, out=rise)
    frames -= line @ _LINE
    if not whole:
        frames.reshape(len(pcm), -1, _BLOCK)[~filled] = 0.0
    return frames, start + rise
