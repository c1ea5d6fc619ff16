"""Recorded voices as utterances: read, cut to the voice, and left out where they are no clean voice."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from scipy.signal import find_peaks, firwin, lfilter

from tests.bench.hearing.line import active_level_dbov
from tests.bench.hearing.packages import Half, Package, unpacked

Kind = Literal["running", "word", "syllable"]

FILES_EACH = 140
_SINGLE = ("letters", "digits", "alpha")
_SOUNDS = (".wav", ".gsm", ".ogg")
_MAN_BELOW_HZ = 165.0
_FRAME = 256
_PITCH_LAGS = slice(16, 134)
"""Samples of a period: 500 to 60 Hz."""
_HIGHEST_HZ = 480.0


@dataclass(frozen=True)
class Utterance:
    """One thing said: 8 kHz, trimmed to the voice, 300 to 3400 Hz; `samples` run from -1 to 1."""

    voice: str
    language: str
    sex: str
    half: Half
    kind: Kind
    samples: np.ndarray
    level_dbov: float
    """Active level, P.56."""
    pitch_hz: float = 0.0
    """The median over its voiced frames."""


def recorded(package: Package) -> Iterator[Utterance]:
    """A spread of the package's recordings that are voices; letters and digits are its lone syllables."""
    root = unpacked(package.name)
    paths = sorted(path for path in (root / package.below).rglob("*") if path.suffix in _SOUNDS)
    paths = [path for path in paths if "silence" not in path.parts and path.stat().st_size > 1000]
    step = max(1, len(paths) // FILES_EACH)
    found = [one for path in paths[::step] if (one := _utterance(package, path)) is not None]
    pitch_hz = float(np.median([one.pitch_hz for one in found])) if found else 0.0
    sex = package.sex or ("m" if pitch_hz < _MAN_BELOW_HZ else "f")
    for one in found:
        yield Utterance(
            f"{package.name} {package.language}", package.language, sex, package.half, one.kind, one.samples,
            one.level_dbov, one.pitch_hz,
        )  # fmt: skip


def _utterance(package: Package, path: Path) -> Utterance | None:
    wide = read(path)
    if wide.size < 1200 or not np.any(wide):
        return None
    pitch_hz = pitch_of(wide)
    voice = trimmed(band(wide))
    kind = kind_of(voice, single=path.parent.name in _SINGLE)
    if kind is None or pitch_hz is None or is_chime(voice) or not is_clean(wide, voice):
        return None
    return Utterance("", package.language, "", package.half, kind, voice, active_level_dbov(voice), pitch_hz)


def read(path: Path) -> np.ndarray:
    """Any sound file at 8 kHz, one channel, -1 to 1; empty if it cannot be read."""
    command = ["sox", "-V0", str(path), "-t", "raw", "-r", "8000", "-c", "1", "-e", "signed", "-b", "16", "-"]
    if path.suffix == ".mp3":
        command = ["ffmpeg", "-v", "quiet", "-i", str(path), "-f", "s16le", "-ar", "8000", "-ac", "1", "-"]
    data = subprocess.run(command, capture_output=True, check=False).stdout
    return np.frombuffer(data[: len(data) // 2 * 2], dtype="<i2") / 32768


_TELEPHONE = firwin(129, (300, 3400), fs=8000, pass_zero=False)


def band(samples: np.ndarray) -> np.ndarray:
    """What a telephone lets through."""
    return np.asarray(lfilter(_TELEPHONE, 1.0, np.concatenate((samples, np.zeros(64))))[64:])


def _envelope(samples: np.ndarray) -> np.ndarray:
    """Power of each 10 ms."""
    return np.asarray(np.mean(np.square(samples[: samples.size // 80 * 80].reshape(-1, 80)), axis=1) + 1e-12)


def trimmed(samples: np.ndarray) -> np.ndarray:
    """From the first to the last 10 ms that reach 25 dB below the loudest."""
    power = _envelope(samples)
    loud = np.flatnonzero(power > power.max() * 10**-2.5)
    return samples[loud[0] * 80 : (loud[-1] + 1) * 80]


def kind_of(voice: np.ndarray, *, single: bool) -> Kind | None:
    """Counts syllables by the peaks of the envelope; None for what is too short to say anything of."""
    smooth = np.convolve(_envelope(voice), np.hanning(9) / np.hanning(9).sum(), mode="same")
    syllables = len(find_peaks(10 * np.log10(np.pad(smooth, 1, constant_values=1e-12)), prominence=3)[0])
    seconds = voice.size / 8000
    if seconds < 0.15:
        return None
    if syllables == 1:
        return "syllable" if seconds < 1.0 else None
    if seconds < 0.3:
        return None
    if seconds < 1.3:
        return "word"
    return None if single else "running"


def pitch_of(samples: np.ndarray) -> float | None:
    """Median pitch of the loud frames that have one; None where hardly any has: that is no voice, but hiss or a sound.

    By the normalised autocorrelation of frames of 64 ms.
    """
    size = 2 * _FRAME
    frames = samples[: samples.size // size * size].reshape(-1, size)
    energy = np.sum(np.square(frames), axis=1)
    frames = frames[energy > energy.max(initial=0.0) / 100]
    if not len(frames):
        return None
    frames = frames - frames.mean(axis=1, keepdims=True)
    spectra = np.fft.rfft(frames * np.hanning(size), 2 * size, axis=1)
    alike = np.fft.irfft(np.square(np.abs(spectra)), axis=1)[:, :size]
    window = np.fft.irfft(np.square(np.abs(np.fft.rfft(np.hanning(size), 2 * size))))[:size]
    alike = alike / (alike[:, :1] + 1e-12) / (window / window[0] + 1e-6)
    lags = alike[:, _PITCH_LAGS]
    best = lags.max(axis=1)
    # the shortest lag that is nearly as good: a period, not two of them
    lag = (lags >= 0.9 * best[:, None]).argmax(axis=1) + _PITCH_LAGS.start
    voiced = best > 0.6
    if voiced.mean() < 0.25:
        return None
    pitch_hz = float(np.median(8000 / lag[voiced]))
    return pitch_hz if pitch_hz < _HIGHEST_HZ else None


def is_chime(voice: np.ndarray) -> bool:
    """Most of its loud frames are one or two pure tones that stand still."""
    frames = voice[: voice.size // _FRAME * _FRAME].reshape(-1, _FRAME)
    energy = np.square(np.abs(np.fft.rfft(frames * np.hanning(_FRAME), axis=1)))
    loud = energy.sum(axis=1) > energy.sum(axis=1).max(initial=0.0) / 30
    energy = energy[loud]
    peak = energy.argmax(axis=1)
    near = np.abs(np.arange(energy.shape[1]) - peak[:, None]) <= 2
    pure = (energy * near).sum(axis=1) > 0.95 * energy.sum(axis=1)
    still = np.abs(np.diff(peak, prepend=-9)) <= 1
    return bool(np.mean(pure & still) > 0.4)


def is_clean(wide: np.ndarray, voice: np.ndarray) -> bool:
    """The voice stands 18 dB or more above the quiet parts of its recording, or its recording has none."""
    power = 10 * np.log10(_envelope(band(wide)))
    if wide.size < voice.size + 2400:  # cut close by its makers
        return bool(np.percentile(power, 98) - power.min() > 18)
    return bool(np.percentile(power, 98) - np.percentile(power, 5) > 18)
