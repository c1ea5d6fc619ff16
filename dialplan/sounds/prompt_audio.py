"""The sound of a prompt file: what it must be like, reading, writing and measuring it."""

from __future__ import annotations

import array
import math
import sys
import wave
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from p56 import active_level

TARGET_DBOV = -20.0
TOLERANCE_DB = 0.5
PEAK_DBFS = -3.0
LEAD_S = 0.05
TAIL_S, TAIL_LIMITS_S = 0.15, (0.10, 0.30)
LONGEST_GAP_S = 0.8

AUDIBLE_DB = -45.0  # relative to the peak: quieter than this is silence
FULL_SCALE = 32768


class Kind(NamedTuple):
    """What differs between the kinds of prompts; times in seconds."""

    lead_s: float
    lead_limits_s: tuple[float, float]
    length_s: tuple[float, float]


KINDS = {
    "": Kind(LEAD_S, (0.02, 0.10), (0.8, 10.0)),
    "whispered": Kind(0.2, (0.17, 0.27), (0.8, 10.0)),
    "part": Kind(LEAD_S, (0.02, 0.10), (0.3, 10.0)),
}


class PromptError(Exception):
    """What the user has to put right; its text is shown as it is."""


class Sound(NamedTuple):
    """Mono samples of full scale 1.0, with their rate in Hz."""

    rate: int
    samples: Sequence[float]


class Measure(NamedTuple):
    """What was measured of a sound: levels in dB, times in seconds."""

    rate: int
    length_s: float
    dbov: float
    peak_dbfs: float
    lead_s: float
    tail_s: float
    gap_s: float

    def faults(self, kind: Kind) -> Iterable[str]:
        """Yield a sentence for everything that a prompt of this kind must not be."""
        if abs(self.dbov - TARGET_DBOV) > TOLERANCE_DB:
            yield f"active level {self.dbov:.1f} dBov, not {TARGET_DBOV} +-{TOLERANCE_DB}"
        if self.peak_dbfs > PEAK_DBFS:
            yield f"peak {self.peak_dbfs:.1f} dBFS, above {PEAK_DBFS}"
        if self.gap_s > LONGEST_GAP_S:
            yield f"a silence of {self.gap_s:.2f} s inside, above {LONGEST_GAP_S}"
        for name, value, (low, high) in (
            ("length", self.length_s, kind.length_s),
            ("lead", self.lead_s, kind.lead_limits_s),
            ("tail", self.tail_s, TAIL_LIMITS_S),
        ):
            if not low <= value <= high:
                yield f"{name} {value:.2f} s, not between {low} and {high}"


def read_wav(path: Path) -> Sound:
    """Read a mono 16-bit PCM WAV file; raise PromptError for anything else."""
    try:
        with wave.open(str(path), "rb") as file:
            channels, width, rate = file.getparams()[:3]
            frames = file.readframes(file.getnframes())
    except FileNotFoundError:
        raise PromptError(f"{path}: no such file") from None
    except (OSError, EOFError, wave.Error) as error:
        raise PromptError(f"{path}: not a PCM WAV file ({error})") from None
    if (channels, width) != (1, 2):
        raise PromptError(f"{path}: {channels} channels of {8 * width} bit, not one of 16 bit")
    pcm = array.array("h", frames[: len(frames) // 2 * 2])
    if sys.byteorder == "big":
        pcm.byteswap()
    return Sound(rate, [value / FULL_SCALE for value in pcm])


def write_wav(path: Path, sound: Sound) -> None:
    """Write a mono 16-bit PCM WAV file, and the folder it is in."""
    pcm = array.array("h", (round(sample * (FULL_SCALE - 1)) for sample in sound.samples))
    if sys.byteorder == "big":
        pcm.byteswap()
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, sound.rate, len(pcm), "NONE", ""))
        file.writeframes(pcm.tobytes())


def measure(sound: Sound) -> Measure:
    """Measure a sound; one without speech has a level and a peak of -inf."""
    rate, samples = sound
    peak = max(map(abs, samples), default=0.0)
    floor = peak * 10 ** (AUDIBLE_DB / 20)
    audible = [n for n, sample in enumerate(samples) if abs(sample) > floor]
    if not audible:
        return Measure(rate, len(samples) / rate, -math.inf, -math.inf, 0.0, 0.0, 0.0)
    return Measure(
        rate=rate,
        length_s=len(samples) / rate,
        dbov=active_level(samples, rate).dbov,
        peak_dbfs=20 * math.log10(peak),
        lead_s=audible[0] / rate,
        tail_s=(len(samples) - 1 - audible[-1]) / rate,
        gap_s=max((b - a for a, b in pairwise(audible)), default=0) / rate,
    )
