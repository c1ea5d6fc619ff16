"""Small callers for tests: the project's own prompts as voices, made tones and noise; nothing to download."""

import wave
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from callflow.hearing import Finding, Hearing, Listener
from callflow.hearing.p56 import active_level_dbov

Samples = npt.NDArray[np.int16]
RATE = 8000
SOUNDS = Path(__file__).parents[2] / "dialplan" / "sounds"
_CHORDS = ((60, 64, 67), (57, 60, 64), (65, 69, 72), (55, 59, 62))


@cache
def prompt(name: str = "en/callflow/goodbye") -> npt.NDArray[np.float64]:
    """A prompt of the project, -1 to 1."""
    with wave.open(str(SOUNDS / f"{name}.wav")) as file:
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2") / 32768


def voice(dbov: float, seconds: float = 3.0, name: str = "en/callflow/goodbye") -> Samples:
    """The beginning of a prompt, so that its active level is `dbov`."""
    said = prompt(name)[: round(seconds * RATE)]
    now = active_level_dbov(said)
    assert now is not None
    return pcm(said * 10 ** ((dbov - now) / 20))


def tone(*hz: float, dbov: float = -20.0, seconds: float = 3.0) -> Samples:
    """Tones of equal strength at once."""
    at = np.arange(round(seconds * RATE)) / RATE
    made = np.sum([np.sin(2 * np.pi * one * at) for one in hz], axis=0)
    return at_rms(made, dbov)


def noise(dbov: float, seconds: float = 3.0, seed: int = 1) -> Samples:
    """White noise."""
    return at_rms(np.random.default_rng(seed).normal(size=round(seconds * RATE)), dbov)


def music(dbov: float = -25.0, seconds: float = 4.0) -> Samples:
    """Music: a plucked accompaniment: chords with a melody above them, a note every quarter of a second."""
    made, step, random = np.zeros(round(seconds * 8000)), 2000, np.random.default_rng(3)
    for number, start in enumerate(range(0, made.size, step)):
        chord = _CHORDS[number // 4 % len(_CHORDS)]
        for key in (*chord, chord[random.integers(3)] + 12):
            hz, at = 440 * 2 ** ((key - 69) / 12), np.arange(min(3 * step, made.size - start)) / 8000
            partials = sum(np.sin(2 * np.pi * hz * n * at) / n**1.5 for n in range(1, 6))
            made[start : start + at.size] += partials * np.exp(-3 * at)
    return at_rms(made, dbov)


def silence(seconds: float = 3.0) -> Samples:
    """Every sample zero."""
    return np.zeros(round(seconds * RATE), dtype=np.int16)


def at_rms(samples: npt.NDArray[np.float64], dbov: float) -> Samples:
    """The samples with this root mean square."""
    return pcm(samples * 10 ** (dbov / 20) / np.sqrt(np.mean(np.square(samples))))


def pcm(samples: npt.NDArray[np.float64]) -> Samples:
    """-1 to 1 as 16 bit."""
    return np.clip(np.rint(samples * 32768), -32768, 32767).astype(np.int16)


def listen(hearing: Hearing, samples: Samples, step: int = 160) -> Listener:
    """A listener who has heard it, in steps as they come from the line."""
    listener = hearing.listener()
    for at in range(0, samples.size, step):
        listener.feed(samples[at : at + step])
        hearing.run([listener])
    return listener


def verdicts(hearing: Hearing, many: Iterable[Samples]) -> list[Finding]:
    """The verdict on each, one after the other."""
    found = []
    for samples in many:
        listener = listen(hearing, samples)
        found.append(listener.verdict())
        listener.close()
    return found
