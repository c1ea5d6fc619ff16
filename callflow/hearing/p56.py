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
_THRESHOLDS = 2.0 ** np.arange(-15, 0)
_BLOCK = 64

_Floats = npt.NDArray[np.float64]


def _lowpass() -> tuple[_Floats, _Floats]:
    """One smoothing of a block as a matrix, and how what went before fades over it."""
    age = np.subtract.outer(np.arange(_BLOCK), np.arange(_BLOCK))
    matrix = np.where(age >= 0, (1 - _SMOOTHING) * _SMOOTHING ** np.maximum(age, 0), 0.0)
    return matrix, np.power(_SMOOTHING, np.arange(1, _BLOCK + 1), dtype=np.float64)


_MATRIX, _FADING = _lowpass()


def active_level_dbov(samples: npt.NDArray[np.floating]) -> float | None:
    """Active level of speech of -1 to 1 at 8 kHz; None when nothing in it is above the lowest threshold."""
    if samples.size < _STEP:
        return None
    envelope = _smooth(_smooth(_absolute(samples)))
    power = float(np.sum(np.square(samples, dtype=np.float64)))
    held = _held(envelope)
    below = None
    for threshold in _THRESHOLDS:
        active = np.count_nonzero(held >= threshold) * _STEP
        if not active:
            break
        level, floor = 10 * np.log10(power / active), 20 * np.log10(threshold)
        if level - floor <= _MARGIN_DB:
            return float(level if below is None else _between(below, (level, floor)))
        below = (level, floor)
    return None if below is None else float(below[0])


def _absolute(samples: npt.NDArray[np.floating]) -> _Floats:
    whole = samples[: samples.size // _STEP * _STEP].reshape(-1, _STEP)
    absolute: _Floats = np.abs(whole).mean(axis=1, dtype=np.float64)
    return absolute


def _smooth(envelope: _Floats) -> _Floats:
    """First-order low pass of 30 ms, block by block: each block is a product with one matrix."""
    blocks = np.pad(envelope, (0, -envelope.size % _BLOCK)).reshape(-1, _BLOCK) @ _MATRIX.T
    before, carried, fading = 0.0, [], float(_FADING[-1])
    for last in blocks[:, -1].tolist():
        carried.append(before)
        before = last + before * fading
    blocks += np.outer(carried, _FADING)
    return blocks.ravel()[: envelope.size]


def _held(envelope: _Floats) -> _Floats:
    """The highest of the last 200 ms."""
    held, reach = np.concatenate((np.zeros(_HANGOVER), envelope)), 1
    while reach <= _HANGOVER:  # the highest of `reach` steps, and that of as many before: twice the reach
        more = min(reach, _HANGOVER + 1 - reach)
        held = np.maximum(held[more:], held[:-more])
        reach += more
    return held


def _between(below: tuple[float, float], above: tuple[float, float]) -> float:
    """Where level minus threshold crosses the margin, in a straight line between two thresholds."""
    far, near = below[0] - below[1] - _MARGIN_DB, above[0] - above[1] - _MARGIN_DB
    return below[0] + (above[0] - below[0]) * far / (far - near)
