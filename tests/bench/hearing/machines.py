"""What machines send: call tones of twenty countries, fax, modems and signalling. Float samples at 8 kHz."""

from collections.abc import Callable, Sequence

import numpy as np

from tests.bench.hearing.sounds import RATE, Random, Sound, cadence

CALL_TONES: dict[str, tuple[tuple[str, tuple[float, ...], tuple[float, ...]], ...]] = {
    "au": (("ring", (400, 425, 450), (0.4, 0.2, 0.4, 2.0)), ("busy", (425,), (0.375, 0.375))),
    "at": (("ring", (420,), (1.0, 5.0)), ("busy", (420,), (0.4, 0.4)), ("dial", (420,), (1.0, 0.0))),
    "be": (("ring", (425,), (1.0, 3.0)), ("congestion", (425,), (0.167, 0.167))),
    "br": (("ring", (425,), (1.0, 4.0)), ("busy", (425,), (0.25, 0.25))),
    "ch": (("ring", (425,), (1.0, 4.0)), ("busy", (425,), (0.5, 0.5))),
    "cn": (("ring", (450,), (1.0, 4.0)), ("busy", (450,), (0.35, 0.35)), ("congestion", (450,), (0.7, 0.7))),
    "cz": (("ring", (425,), (1.0, 4.0)), ("dial", (425,), (0.33, 0.33, 0.66, 0.66))),
    "de": (("ring", (425,), (1.0, 4.0)), ("busy", (425,), (0.48, 0.48)), ("congestion", (425,), (0.24, 0.24))),
    "es": (("ring", (425,), (1.5, 3.0)), ("busy", (425,), (0.2, 0.2))),
    "fr": (("ring", (440,), (1.5, 3.5)), ("busy", (440,), (0.5, 0.5)), ("dial", (330, 440), (1.0, 0.0))),
    "gr": (("ring", (425,), (1.0, 4.0)), ("dial", (425,), (0.2, 0.3, 0.7, 0.8))),
    "hu": (("ring", (425,), (1.25, 3.75)), ("busy", (425,), (0.3, 0.3))),
    "in": (("ring", (375, 400, 425), (0.4, 0.2, 0.4, 2.0)), ("dial", (375, 400, 425), (1.0, 0.0))),
    "it": (("ring", (425,), (1.0, 4.0)), ("dial", (425,), (0.2, 0.2, 0.6, 1.0))),
    "jp": (("ring", (384, 400, 416), (1.0, 2.0)), ("busy", (400,), (0.5, 0.5))),
    "mx": (("ring", (425,), (1.0, 4.0)), ("busy", (425,), (0.25, 0.25))),
    "nl": (("ring", (425,), (1.0, 4.0)), ("dial", (133, 150, 425), (1.0, 0.0))),
    "pl": (("ring", (425,), (1.0, 4.0)), ("special", (950,), (0.33, 0.03))),
    "ru": (("ring", (425,), (0.8, 3.2)), ("busy", (425,), (0.35, 0.35))),
    "se": (("ring", (425,), (1.0, 5.0)), ("busy", (425,), (0.25, 0.25))),
    "uk": (("ring", (400, 450), (0.4, 0.2, 0.4, 2.0)), ("busy", (400,), (0.375, 0.375)),
           ("congestion", (400,), (0.4, 0.35, 0.225, 0.525)), ("dial", (350, 440), (1.0, 0.0))),
    "us": (("ring", (440, 480), (2.0, 4.0)), ("busy", (480, 620), (0.5, 0.5)), ("reorder", (480, 620), (0.25, 0.25))),
    "za": (("ring", (367, 400, 433), (0.4, 0.2, 0.4, 2.0)), ("dial", (383, 417), (1.0, 0.0))),
}  # fmt: skip
"""Country: name, frequencies, seconds on and off."""


def buzz(size: int, random: Random) -> np.ndarray:
    """133 Hz with its harmonics, as some exchanges send it: lasting, or on and off."""
    seconds, made = np.arange(size) / RATE, np.zeros(size)
    base = 133.3 * random.uniform(0.99, 1.01)
    for harmonic in range(1, int(3400 / base)):
        made += np.sin(2 * np.pi * base * harmonic * seconds + random.uniform(0, 6.28)) / harmonic
    return np.asarray(made * cadence(size, ((1.0, 0.0), (0.5, 0.5), (1.0, 2.0))[random.integers(3)], random))


def _call_tone(hz: Sequence[float], on_off_s: Sequence[float]) -> Sound:
    def make(size: int, random: Random) -> np.ndarray:
        seconds, off = np.arange(size) / RATE, random.uniform(0.99, 1.01)
        made = sum(np.sin(2 * np.pi * one * off * seconds + random.uniform(0, 6.28)) for one in hz)
        return np.asarray(np.asarray(made) * cadence(size, on_off_s, random))

    return make


def call_tones() -> dict[str, Sound]:
    """Every call tone, by country and name."""
    return {
        f"{country} {name}": _call_tone(hz, on_off_s)
        for country, tones in CALL_TONES.items()
        for name, hz, on_off_s in tones
    } | {"buzz 133": buzz}


def _keyed(low_hz: float, high_hz: float, rate: float) -> Sound:
    """Frequency shift keying."""

    def make(size: int, random: Random) -> np.ndarray:
        bits = random.integers(0, 2, size=int(size / RATE * rate) + 2)
        hz = np.where(bits[(np.arange(size) / RATE * rate).astype(int)], high_hz, low_hz)
        return np.sin(2 * np.pi * np.cumsum(hz) / RATE)

    return make


def _quadrature(carrier_hz: float, rate: float, points: int) -> Sound:
    """Phase or quadrature amplitude modulation, as V.22 and faster modems and faxes have it."""

    def make(size: int, random: Random) -> np.ndarray:
        count = int(size / RATE * rate) + 16
        if points <= 8:
            symbols = np.exp(2j * np.pi * random.integers(0, points, count) / points)
        else:
            side = int(np.sqrt(points))
            symbols = (
                random.integers(0, side, count) * 2 - side + 1 + 1j * (random.integers(0, side, count) * 2 - side + 1)
            )
        at = np.arange(size) / RATE * rate
        first = at.astype(int)
        made = np.zeros(size, dtype=complex)
        for near in range(-3, 5):  # each symbol is a raised cosine in time
            place = at - (first + near)
            pulse = np.sinc(place) * np.cos(np.pi * 0.25 * place) / (1 - (0.5 * place) ** 2 + 1e-9)
            made += symbols[np.clip(first + near, 0, count - 1)] * pulse
        return np.asarray((made * np.exp(2j * np.pi * carrier_hz * np.arange(size) / RATE)).real)

    return make


def _answer_tone(size: int, random: Random) -> np.ndarray:
    """V.8's ANSam: 2100 Hz, its amplitude at 15 Hz, its phase turned round every 450 ms."""
    seconds = np.arange(size) / RATE
    turned = np.where(((seconds + random.uniform(0, 0.45)) / 0.45).astype(int) % 2, -1.0, 1.0)
    return turned * np.sin(2 * np.pi * 2100 * seconds) * (1 + 0.2 * np.sin(2 * np.pi * 15 * seconds))


_PAIRS: dict[str, tuple[int, ...]] = {
    "R1": (700, 900, 1100, 1300, 1500, 1700),
    "R2 forward": (1380, 1500, 1620, 1740, 1860, 1980),
    "R2 backward": (540, 660, 780, 900, 1020, 1140),
}


def _pairs(hz: Sequence[int]) -> Sound:
    """Two of six tones at a time, as exchanges signal to each other."""

    def make(size: int, random: Random) -> np.ndarray:
        made, at, length, pause = np.zeros(size), 0, int(random.integers(480, 1000)), int(random.integers(480, 1000))
        seconds = np.arange(length) / RATE
        while at < size:
            pair = random.choice(hz, 2, replace=False)
            made[at : at + length] = sum(np.sin(2 * np.pi * one * seconds) for one in pair)[: size - at]
            at += length + pause
        return made

    return make


MODEMS: dict[str, Callable[[int, Random], np.ndarray]] = {
    "ANSam": _answer_tone,
    "V.21 low": _keyed(1180, 980, 300),
    "V.23": _keyed(2100, 1300, 1200),
    "V.23 back": _keyed(450, 390, 75),
    "Bell 103 low": _keyed(1070, 1270, 300),
    "Bell 103 high": _keyed(2025, 2225, 300),
    "Bell 202": _keyed(2200, 1200, 1200),
    "text telephone": _keyed(1800, 1400, 45.45),
    "V.22": _quadrature(1200, 600, 4),
    "V.22 bis": _quadrature(2400, 600, 16),
    "V.27 ter": _quadrature(1800, 1600, 8),
    "V.29": _quadrature(1700, 2400, 16),
    "V.17 and V.32": _quadrature(1800, 2400, 64),
} | {name: _pairs(hz) for name, hz in _PAIRS.items()}
