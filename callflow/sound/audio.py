"""What a caller sounds like: timelines of speech, clicks, tones and noise as headerless mu-law."""

import math
import wave
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from callflow.sound import SoundName, mulaw
from callflow.sound.mulaw import Samples

RATE = 8000
FRAME = 160
FULL_SCALE = 32768.0
CNG_HZ = 1100.0
CHORDS = ((60, 64, 67), (57, 60, 64), (65, 69, 72), (55, 59, 62))
"""Keys of a piano, 69 for 440 Hz."""
CHILD = 1.4
OVERDRIVE = 10 ** (30 / 20)
_ACTIVE_MARGIN_DB = 15.9


@dataclass(frozen=True)
class Sound:
    """One sound in a caller's timeline; the level of speech is that of its active parts."""

    at_s: float
    name: SoundName
    for_s: float = 2.5
    level_dbov: float = -26.0
    samples: Samples | None = None
    """What an echo is of."""


def timeline(sounds: Iterable[Sound], length_s: float, voice: Samples) -> Samples:
    """`length_s` seconds of digital silence with these sounds in it; `voice` is what speech is cut from."""
    whole = np.zeros(round(length_s * RATE))
    for sound in sounds:
        start = round(sound.at_s * RATE)
        part = _made(sound, voice)[: max(0, whole.size - start)]
        whole[start : start + part.size] += part
    return whole


def write_mulaw(path: Path, samples: Samples) -> Path:
    """Write samples as headerless mu-law in whole 20 ms frames; returns the path."""
    padding = -samples.size % FRAME
    path.write_bytes(mulaw.encode(np.pad(samples, (0, padding))))
    return path


def read_wav(path: Path) -> Samples:
    """Samples of an 8 kHz 16-bit mono WAV file. Raises ValueError for another kind."""
    with wave.open(str(path)) as file:
        if (file.getframerate(), file.getsampwidth(), file.getnchannels()) != (RATE, 2, 1):
            raise ValueError(f"{path} is not 8 kHz, 16-bit, mono")
        data = file.readframes(file.getnframes())
    return np.frombuffer(data, dtype="<i2").astype(np.float64)


def duration_s(path: Path) -> float:
    """Length of a WAV file in seconds."""
    with wave.open(str(path)) as file:
        return float(file.getnframes() / file.getframerate())


def voice_from(folder: Path, names: Iterable[str] = ("demo-congrats", "vm-options", "demo-instruct")) -> Samples:
    """A long stretch of speech from a sound package, starting right with the voice. Raises FileNotFoundError."""
    for name in names:
        if (path := folder / f"{name}.wav").exists():
            return _trimmed(read_wav(path))
    raise FileNotFoundError(f"no speech to use in {folder}")


def level_dbov(samples: Samples) -> float:
    """RMS level; -inf for digital silence."""
    rms = float(np.sqrt(np.mean(np.square(samples)))) if samples.size else 0.0
    return 20 * math.log10(rms / FULL_SCALE) if rms else -math.inf


def active_level_dbov(samples: Samples) -> float:
    """Level of the frames that carry speech: those within 15.9 dB of the level so found."""
    frames = samples[: samples.size // FRAME * FRAME].reshape(-1, FRAME)
    power = np.mean(np.square(frames), axis=1)
    level = float(np.max(power, initial=0.0))
    for _ in range(20):
        active = power[power >= level * 10 ** (-_ACTIVE_MARGIN_DB / 10)]
        level = float(np.mean(active)) if active.size else 0.0
    return 10 * math.log10(level / FULL_SCALE**2) if level else -math.inf


def _made(sound: Sound, voice: Samples) -> Samples:
    size = round(sound.for_s * RATE)
    seconds = np.arange(size) / RATE
    match sound.name:
        case "speech":
            return _at_level(np.resize(voice, size), sound.level_dbov, active=True)
        case "echo":
            if sound.samples is None:
                raise ValueError('an echo needs a prompt to be of: at = "greeting+0.1"')
            return _at_level(sound.samples, sound.level_dbov, active=True)
        case "click":
            burst = np.random.default_rng(1).normal(size=round(0.03 * RATE))
            return _at_level(burst, sound.level_dbov)
        case "tone":
            return _at_level(np.sin(2 * np.pi * 440 * seconds), sound.level_dbov)
        case "noise":
            return _at_level(np.random.default_rng(2).normal(size=size), sound.level_dbov)
        case "music":
            return _at_level(_music(size), sound.level_dbov)
        case "dc":
            return np.full(size, FULL_SCALE * 10 ** (sound.level_dbov / 20))
        case "child":  # pitch and formants of a smaller person
            faster = np.interp(np.arange(size) * CHILD, np.arange(voice.size), voice, period=voice.size)
            return _at_level(faster, sound.level_dbov, active=True)
        case "clipped":
            driven = np.clip(np.resize(voice, size) / np.abs(voice).max() * OVERDRIVE, -1.0, 1.0)
            return _at_level(driven, sound.level_dbov, active=True)
        case "television":
            said = np.resize(np.roll(voice, voice.size // 2), size)
            return _at_level(said + _at_level(_music(size), level_dbov(said) - 6), sound.level_dbov, active=True)
        case "fax":
            on = (seconds % 3.5) < 0.5  # T.30: half a second of 1100 Hz, three seconds of rest
            return _at_level(np.sin(2 * np.pi * CNG_HZ * seconds), sound.level_dbov) * on


def _music(size: int) -> Samples:
    """A plucked accompaniment with a melody: four notes every quarter of a second."""
    made, step, random = np.zeros(size), RATE // 4, np.random.default_rng(3)
    for number, start in enumerate(range(0, size, step)):
        chord = CHORDS[number // 4 % len(CHORDS)]
        seconds = np.arange(min(3 * step, size - start)) / RATE
        for key in (*chord, chord[random.integers(3)] + 12):
            hz = 440 * 2 ** ((key - 69) / 12)
            partials = np.sum([np.sin(2 * np.pi * hz * n * seconds) / n**1.5 for n in range(1, 6)], axis=0)
            made[start : start + seconds.size] += partials * np.exp(-3 * seconds)
    return made


def _at_level(samples: Samples, wanted_dbov: float, *, active: bool = False) -> Samples:
    present = active_level_dbov(samples) if active else level_dbov(samples)
    return np.asarray(samples * 10 ** ((wanted_dbov - present) / 20))


def _trimmed(samples: Samples) -> Samples:
    """Without what comes before the first frame of voice."""
    frames = np.abs(samples[: samples.size // FRAME * FRAME].reshape(-1, FRAME)).mean(axis=1)
    return samples[int(np.argmax(frames > 500)) * FRAME :]
