"""What is on a line besides voices: noise, hum, babble, tones, clicks. Float samples at 8 kHz, about full scale."""

from collections.abc import Callable, Sequence

import numpy as np

from tests.bench.hearing.recordings import Utterance

RATE = 8000
Random = np.random.Generator
Sound = Callable[[int, Random], np.ndarray]


def coloured(exponent: float) -> Sound:
    """Noise of 200 to 3600 Hz whose power falls with this power of the frequency."""

    def make(size: int, random: Random) -> np.ndarray:
        spectrum = np.fft.rfft(random.normal(size=size))
        hz = np.fft.rfftfreq(size, 1 / RATE)
        shape = np.zeros(hz.size)
        heard = (hz >= 200) & (hz <= 3600)
        shape[heard] = hz[heard] ** (-exponent / 2)
        return np.fft.irfft(spectrum * shape, size)

    return make


def hum(size: int, random: Random) -> np.ndarray:
    """Mains hum: 50 or 60 Hz and its harmonics up to 1200 Hz, each with a strength and phase of its own."""
    seconds = np.arange(size) / RATE
    base = random.choice((50.0, 60.0)) * random.uniform(0.998, 1.002)
    made = np.zeros(size)
    for harmonic in range(1, int(1200 / base)):
        strength = random.uniform(0.2, 1.0) / harmonic ** random.uniform(0.3, 1.0)
        made += strength * np.sin(2 * np.pi * base * harmonic * seconds + random.uniform(0, 6.28))
    return made


def hum_in_mid_window(size: int, random: Random) -> np.ndarray:
    """Silence, then hum from somewhere in the window on."""
    made = hum(size, random)
    made[: random.integers(size // 6, size // 2)] = 0.0
    return made


def clicks(size: int, random: Random) -> np.ndarray:
    """A few bursts of 2 to 30 ms."""
    made = np.zeros(size)
    for _ in range(random.integers(1, 6)):
        length = int(random.integers(16, 240))
        start = int(random.integers(0, size - length))
        made[start : start + length] += random.normal(size=length) * np.hanning(length)
    return made


def handling(size: int, random: Random) -> np.ndarray:
    """A phone in a hand or a pocket: low rumbles that come and go."""
    made = coloured(1.5)(size, random)
    gate = np.clip(np.convolve(random.normal(size=size // 400 + 2), np.ones(3), mode="same") - 0.8, 0, None)
    return made * np.interp(np.arange(size), np.arange(gate.size) * 400, gate)


def breath(size: int, random: Random) -> np.ndarray:
    """Somebody breathing into the microphone: soft noise, swelling twice a second to once in four seconds."""
    slow = np.sin(2 * np.pi * random.uniform(0.25, 0.6) * np.arange(size) / RATE + random.uniform(0, 6.28))
    return np.asarray(coloured(0.7)(size, random) * np.clip(slow, 0.02, None) ** 2)


NOISES: dict[str, Sound] = {
    "white": coloured(0.0), "pink": coloured(1.0), "brown": coloured(2.0),
    "hum": hum, "hum in mid-window": hum_in_mid_window, "clicks": clicks, "handling": handling, "breath": breath,
}  # fmt: skip
UNSTEADY = ("hum in mid-window", "clicks", "handling", "breath")
"""Their level is that of the parts with sound."""


def babble(size: int, random: Random, voices: Sequence[Utterance]) -> np.ndarray:
    """Six people at once, none of them the caller."""
    made = np.zeros(size)
    running = [one for one in voices if one.kind == "running"]
    for one in random.choice(len(running), 6, replace=False):
        said = running[one].samples
        said = np.tile(said / np.sqrt(np.mean(said**2)), size // said.size + 2)
        start = int(random.integers(0, said.size - size))
        made += said[start : start + size]
    return made


def cadence(size: int, on_off_s: Sequence[float], random: Random) -> np.ndarray:
    """1 while the tone is on, 0 while it is off, from anywhere in its pattern."""
    pattern = np.concatenate([np.full(round(s * RATE), 1.0 - n % 2) for n, s in enumerate(on_off_s)])
    start = int(random.integers(0, pattern.size))
    return np.tile(pattern, size // pattern.size + 2)[start : start + size]


def _tones(*hz: float, on_off_s: Sequence[float] = (1.0, 0.0)) -> Sound:
    def make(size: int, random: Random) -> np.ndarray:
        seconds = np.arange(size) / RATE
        off = random.uniform(0.995, 1.005)
        made = sum(np.sin(2 * np.pi * f * off * seconds + random.uniform(0, 6.28)) for f in hz)
        return np.asarray(np.asarray(made) * cadence(size, on_off_s, random))

    return make


def dtmf(size: int, random: Random) -> np.ndarray:
    """Keys, 60 to 200 ms each."""
    made, at = np.zeros(size), int(random.integers(0, 4000))
    while at < size - 2000:
        length = int(random.integers(480, 1600))
        seconds = np.arange(length) / RATE
        low, high = random.choice((697, 770, 852, 941)), random.choice((1209, 1336, 1477, 1633))
        key = np.sin(2 * np.pi * low * seconds) + 1.2 * np.sin(2 * np.pi * high * seconds)
        made[at : at + length] = key[: size - at]
        at += length + int(random.integers(400, 8000))
    return made


def v21(size: int, random: Random) -> np.ndarray:
    """A fax's preamble and flags: V.21 channel 2, 300 bit/s, 1650 and 1850 Hz."""
    bits = np.tile((0, 1, 1, 1, 1, 1, 1, 0), size // 200)
    if random.random() < 0.5:
        bits = random.integers(0, 2, size=bits.size)
    hz = np.where(np.repeat(bits, 27)[:size], 1650.0, 1850.0)
    hz = np.pad(hz, (0, size - hz.size), mode="edge")
    return np.sin(2 * np.pi * np.cumsum(hz) / RATE)


def special_information(size: int, random: Random) -> np.ndarray:
    """The three rising tones before "the number you have dialled"."""
    parts = [np.sin(2 * np.pi * f * np.arange(2640) / RATE) for f in (950, 1400, 1800)]
    return np.resize(np.concatenate((*parts, np.zeros(8000))), size) * random.uniform(0.9, 1.0)


TONES: dict[str, Sound] = {
    "ringback 440+480": _tones(440, 480, on_off_s=(2, 4)), "ringback 425": _tones(425, on_off_s=(1, 4)),
    "ringback 400+450": _tones(400, 450, on_off_s=(0.4, 0.2, 0.4, 2.0)),
    "busy 480+620": _tones(480, 620, on_off_s=(0.5, 0.5)), "busy 450": _tones(450, on_off_s=(0.35, 0.35)),
    "congestion 425": _tones(425, on_off_s=(0.25, 0.25)),
    "dial 350+440": _tones(350, 440), "dial 450": _tones(450), "1004 Hz": _tones(1004),
    "fax CNG": _tones(1100, on_off_s=(0.5, 3.0)), "fax CED": _tones(2100), "V.21": v21,
    "DTMF": dtmf, "special information": special_information,
}  # fmt: skip
