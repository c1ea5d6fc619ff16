"""Active speech level, ITU-T P.56 method B: the level of speech without its pauses."""

import numpy as np
import numpy.typing as npt

_STEP = 8
"""Samples of one step of the envelope: 1 ms; P.56 (6.1) asks for at least 694 steps a second."""
_SMOOTHING = float(np.exp(-1 / 30))
"""Per step of 1 ms: time constant 30 ms."""
_HANGOVER = 200
"""Steps that count as active after the envelope was above a threshold: 200 ms."""
_MARGIN_DB = 15.9
_LOWEST = -15
"""Power of two of the lowest threshold; each of the others is twice the one below it, up to a half."""
_FLOORS_DB = 20 * np.log10(2.0) * np.arange(_LOWEST, 0)
_BLOCK = 64

_Floats = npt.NDArray[np.float32]


def _lowpass() -> tuple[_Floats, _Floats]:
    """One smoothing of a block as a matrix, and how what went before fades over it."""
    age = np.subtract.outer(np.arange(_BLOCK), np.arange(_BLOCK))
    matrix = np.where(age >= 0, (1 - _SMOOTHING) * _SMOOTHING ** np.maximum(age, 0), 0.0)
    fading = np.power(_SMOOTHING, np.arange(1, _BLOCK + 1), dtype=np.float64)
    return matrix.astype(np.float32), fading.astype(np.float32)


_MATRIX, _FADING = _lowpass()


def active_level_dbov(samples: npt.NDArray[np.floating]) -> float | None:
    """Active level of speech of -1 to 1 at 8 kHz; None when nothing in it is above the lowest threshold."""
    if samples.size < _STEP:
        return None
    samples = samples.astype(np.float32, copy=False)
    active = _steps_above(_held(_smooth(_smooth(_absolute(samples))))) * _STEP
    active = active[active > 0]
    if not active.size:
        return None
    levels_db = 10 * np.log10(float(samples @ samples) / active)
    over_db = levels_db - _FLOORS_DB[: active.size] - _MARGIN_DB
    near = np.flatnonzero(over_db <= 0)
    if not near.size:
        return float(levels_db[-1])
    at = int(near[0])
    if at == 0:
        return float(levels_db[0])
    # where level minus threshold crosses the margin, in a straight line between two thresholds
    share = over_db[at - 1] / (over_db[at - 1] - over_db[at])
    return float(levels_db[at - 1] + (levels_db[at] - levels_db[at - 1]) * share)


def _absolute(samples: _Floats) -> _Floats:
    whole = np.abs(samples[: samples.size // _STEP * _STEP]).reshape(-1, _STEP)
    absolute: _Floats = whole @ np.full(_STEP, 1 / _STEP, dtype=np.float32)
    return absolute


def _steps_above(envelope: _Floats) -> npt.NDArray[np.int64]:
    """How many steps are not below each threshold: what counts of a step is its power of two."""
    below = _LOWEST - 1
    power = np.frexp(np.maximum(envelope, np.float32(2.0**below)))[1] - 1
    counts = np.bincount(np.minimum(power, -1) - below, minlength=-below)
    return counts[:0:-1].cumsum()[::-1]


def _smooth(envelope: _Floats) -> _Floats:
    """First-order low pass of 30 ms, block by block: each block is a product with one matrix."""
    blocks = np.pad(envelope, (0, -envelope.size % _BLOCK)).reshape(-1, _BLOCK) @ _MATRIX.T
    before, carried, fading = 0.0, [], float(_FADING[-1])
    for last in blocks[:, -1].tolist():
        carried.append(before)
        before = last + before * fading
    blocks += np.outer(np.array(carried, dtype=np.float32), _FADING)
    return blocks.ravel()[: envelope.size]


def _held(envelope: _Floats) -> _Floats:
    """The highest of the last 200 ms."""
    held, reach = np.concatenate((np.zeros(_HANGOVER, dtype=np.float32), envelope)), 1
    while reach <= _HANGOVER:  # the highest of `reach` steps, and that of as many before: twice the reach
        more = min(reach, _HANGOVER + 1 - reach)
        held = np.maximum(held[more:], held[:-more])
        reach += more
    return held
