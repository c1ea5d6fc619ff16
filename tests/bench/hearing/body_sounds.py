"""What callers do without a voice, and what happens to a phone: cough, breath, wind, thumps. All of it made."""

import numpy as np
from scipy.signal import lfilter

from tests.bench.hearing.sounds import RATE, Random, Sound, coloured


def _resonance(samples: np.ndarray, hz: float, width_hz: float) -> np.ndarray:
    radius = np.exp(-np.pi * width_hz / RATE)
    return np.asarray(lfilter([1 - radius], [1, -2 * radius * np.cos(2 * np.pi * hz / RATE), radius**2], samples))


def cough(size: int, random: Random) -> np.ndarray:
    """One to four coughs: a burst, a rush of air through the throat, and sometimes an end with voice in it."""
    made, at = np.zeros(size), int(random.integers(0, size // 2))
    mouth = [random.uniform(*hz) for hz in ((500, 900), (1100, 1700), (2300, 3000))]
    for _ in range(random.integers(1, 5)):
        length = int(random.integers(1600, 3600))
        seconds = np.arange(length) / RATE
        air = random.normal(size=length)
        shape = np.minimum(seconds / 0.01, 1.0) * np.exp(-seconds * random.uniform(6, 14))
        rough = np.zeros(length)
        if random.random() < 0.5:
            pitch = random.uniform(90, 250) * (1 - 0.4 * seconds / seconds[-1])
            rough = (np.mod(np.cumsum(pitch) / RATE, 1.0) < 0.1) * 4.0 * (seconds > 0.5 * seconds[-1])
        one = np.sum([_resonance((air + rough) * shape, hz, 180) for hz in mouth], axis=0)
        made[at : at + length] += one[: max(0, size - at)]
        at += length + int(random.integers(400, 4000))
        if at >= size:
            break
    return made


def heavy_breath(size: int, random: Random) -> np.ndarray:
    """In and out, close to the microphone: noise through an open mouth, brighter on its way in."""
    made, at = np.zeros(size), -int(random.integers(0, 8000))
    inward = bool(random.integers(2))
    while at < size:
        length = int(random.integers(6000, 14000))
        air = _resonance(coloured(0.5)(length, random), 1600 if inward else 800, 500)
        one = air * np.hanning(length) ** 0.7
        first = max(0, -at)
        made[max(0, at) : max(0, at + length)] += one[first : first + size - max(0, at)]
        at, inward = at + length + int(random.integers(400, 6000)), not inward
    return made


def wind(size: int, random: Random) -> np.ndarray:
    """Gusts on a microphone: low noise that swells and drops, cut off where it is too loud."""
    slow = np.interp(np.arange(size), np.arange(size // 1600 + 2) * 1600, random.normal(size=size // 1600 + 2))
    gusts = coloured(2.5)(size, random)
    gusts = gusts / np.sqrt(np.mean(gusts**2)) * 10 ** (slow * 8 / 20)
    limit = np.percentile(np.abs(gusts), random.uniform(95, 100))
    return np.asarray(np.clip(gusts, -limit, limit))


def thumps(size: int, random: Random) -> np.ndarray:
    """A handset that is put down, a table that is knocked on: short low sounds with a click at their beginning."""
    made = np.zeros(size)
    for _ in range(random.integers(1, 8)):
        length = int(random.integers(400, 1600))
        seconds = np.arange(length) / RATE
        one = np.sin(2 * np.pi * random.uniform(70, 350) * seconds + random.uniform(0, 6.28))
        one = one * np.exp(-seconds * random.uniform(20, 70))
        click = random.normal(size=length) * np.exp(-seconds * 400) * random.uniform(0, 1.0)
        at = int(random.integers(0, size - length))
        made[at : at + length] += (one + click) * random.uniform(0.3, 1.0)
    return made


BODY_SOUNDS: dict[str, Sound] = {"cough": cough, "heavy breath": heavy_breath, "wind": wind, "thumps": thumps}
