"""Active speech level, ITU-T P.56 method B: the level of speech without its pauses."""

import numpy as np
import numpy.typing as npt

STEP = 8
"""Samples of one step of the envelope: 1 ms; P.56 (6.1) asks for at least 694 steps a second."""
_SMOOTHING = float(np.exp(-1 / 30))
"""Per step of 1 ms: time constant 30 ms."""
_HANGOVER = 200
"""Steps that count as active after the envelope was above a threshold: 200 ms."""
_MARGIN_DB = 15.9
_LOWEST = -15
"""Power of two of the lowest threshold; each of the others is twice the one below it, up to a half."""
_FLOORS_DB = 20 * np.log10(2.0) * np.arange(_LOWEST, 0)
_BLOCK = 8192
"""Steps smoothed in one piece: over so many a weight grows to 1e118, and a float64 holds 1e308."""

_Floats = npt.NDArray[np.float32]

_OVER = np.power(_SMOOTHING, np.arange(1, _BLOCK + 1), dtype=np.float64)
"""What is left of a sum after so many steps."""
_GROWING, _FADING = _SMOOTHING / _OVER, (1 - _SMOOTHING) ** 2 * _OVER / _SMOOTHING
"""What a step weighs by its place in a piece, and what takes the weight off two sums."""


def active_level_dbov(samples: npt.NDArray[np.floating]) -> float | None:
    """Active level of speech of -1 to 1 at 8 kHz; None when nothing in it is above the lowest threshold."""
    samples = samples.astype(np.float32, copy=False)
    whole = samples[: samples.size // STEP * STEP]
    return level_of_steps(magnitudes(whole.reshape(1, -1)).ravel(), float(samples @ samples))


def magnitudes(rows: _Floats) -> _Floats:
    """Mean magnitude of each step of 8 samples, of signals in rows."""
    absolute = np.abs(rows).reshape(-1, STEP)
    return (absolute @ np.full(STEP, 1 / STEP, dtype=np.float32)).reshape(len(rows), -1)


def level_of_steps(steps: _Floats, energy: float) -> float | None:
    """The same from the magnitude of each step, and the sum of all squares."""
    active = _steps_above(_held(_smooth(steps))) * STEP
    active = active[active > 0]
    if not active.size:
        return None
    levels_db = 10 * np.log10(energy / active)
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


def _steps_above(envelope: _Floats) -> npt.NDArray[np.int64]:
    """How many steps are not below each threshold: what counts of a step is its power of two."""
    floor = np.float32(2.0 ** (_LOWEST - 1))
    power = np.maximum(envelope, floor).view(np.int32) >> 23  # the bits of a float32's exponent
    counts = np.bincount(power - (floor.view(np.int32) >> 23), minlength=1 - _LOWEST)
    return counts[::-1].cumsum()[::-1][1 : 1 - _LOWEST]


def _smooth(envelope: _Floats) -> _Floats:
    """First-order low pass of 30 ms, twice.

    What is left of a step n steps later is a power of n: each pass is a running sum of steps that weigh the more the
    later they come, and the weight is taken off at the end.
    """
    smoothed, once, twice = np.empty(envelope.size, dtype=np.float32), 0.0, 0.0
    for start in range(0, envelope.size, _BLOCK):
        steps = envelope[start : start + _BLOCK]
        sums = steps * _GROWING[: steps.size]
        sums[0] += once
        once = np.cumsum(sums, out=sums)[-1] * _OVER[steps.size - 1]
        sums[0] += twice
        twice = np.cumsum(sums, out=sums)[-1] * _OVER[steps.size - 1]
        np.multiply(sums, _FADING[: steps.size], out=smoothed[start : start + _BLOCK], casting="same_kind")
    return smoothed


def _held(envelope: _Floats) -> _Floats:
    """The highest of the last 200 ms."""
    held, reach = np.concatenate((np.zeros(_HANGOVER, dtype=np.float32), envelope)), 1
    while reach <= _HANGOVER:  # the highest of `reach` steps, and that of as many before: twice the reach
        more = min(reach, _HANGOVER + 1 - reach)
        held = np.maximum(held[more:], held[:-more])
        reach += more
    return held
