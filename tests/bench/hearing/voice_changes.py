"""Voices made from voices: children, whisper, overdriven phones; and other people in the room."""

import subprocess
from collections.abc import Sequence

import numpy as np
from scipy.signal import istft, lfilter, stft

from tests.bench.hearing import line
from tests.bench.hearing.recordings import Utterance, band

Random = np.random.Generator

_BLOCK = 256
_LIFTER = 14
"""Cepstral coefficients of an envelope: formants without the pitch."""


def raised(samples: np.ndarray, pitch: float, formants: float) -> np.ndarray:
    """The same said by a smaller person: pitch and formants times so much, in the same time."""
    loudest = np.abs(samples).max()
    pcm = np.rint(samples * (0.5 / loudest) * 32767).astype("<i2").tobytes()
    kind = ("-t", "raw", "-r", "8000", "-c", "1", "-e", "signed", "-b", "16")
    command = ["sox", "-V0", *kind, "-", *kind, "-", "pitch", f"{1200 * np.log2(pitch):.0f}"]
    data = subprocess.run(command, input=pcm, capture_output=True, check=True).stdout
    made = np.frombuffer(data, dtype="<i2") / 32767 * (loudest / 0.5)
    _, _, spectra = stft(made, 8000, nperseg=_BLOCK)
    envelope = _envelope(spectra)
    bins = np.arange(envelope.shape[0])
    place = np.minimum(bins * pitch / formants, bins[-1])  # the formants went up with the pitch: back by the rest
    wanted = np.array([np.interp(place, bins, column) for column in envelope.T]).T
    _, back = istft(spectra * np.minimum(wanted / envelope, 30.0), 8000, nperseg=_BLOCK)
    return band(back[: samples.size])


def whispered(samples: np.ndarray, random: Random) -> np.ndarray:
    """The same in a whisper: noise through the same mouth, 3 dB an octave flatter."""
    _, _, spectra = stft(samples, 8000, nperseg=_BLOCK)
    _, _, noise = stft(random.normal(size=samples.size), 8000, nperseg=_BLOCK)
    tilt = np.sqrt(np.maximum(np.arange(spectra.shape[0]), 1.0))[:, None]
    _, made = istft(_envelope(spectra) * noise[:, : spectra.shape[1]] * tilt, 8000, nperseg=_BLOCK)
    return band(made[: samples.size])


def _envelope(spectra: np.ndarray) -> np.ndarray:
    """Of each block, by its first cepstral coefficients."""
    logs = np.log(np.abs(spectra) + 1e-7)
    cepstra = np.fft.irfft(logs, axis=0)
    cepstra[_LIFTER : -_LIFTER + 1] = 0.0
    return np.asarray(np.exp(np.fft.rfft(cepstra, axis=0).real))


def clipped(samples: np.ndarray, over_db: float) -> np.ndarray:
    """Driven so far over full scale that so much of the loudest peak is cut off."""
    return np.asarray(np.clip(samples / np.abs(samples).max() * 10 ** (over_db / 20), -1.0, 1.0))


def in_room(samples: np.ndarray, random: Random) -> np.ndarray:
    """From across a room: 200 to 400 ms of reverberation."""
    size = int(random.integers(1600, 3200))
    response = random.normal(size=size) * np.exp(-np.arange(size) * 6.9 / size)
    response[0] += 4.0
    return np.asarray(lfilter(response / np.sqrt(np.sum(response**2)), 1.0, samples))


def people(size: int, count: int, voices: Sequence[Utterance], random: Random) -> np.ndarray:
    """So many people who talk without a pause, equally loud."""
    made, running = np.zeros(size), [one for one in voices if one.kind == "running"]
    for one in random.choice(len(running), count, replace=False):
        said = running[one].samples
        said = np.tile(said / np.sqrt(np.mean(said**2)), size // said.size + 2)
        start = int(random.integers(0, said.size - size))
        made += said[start : start + size]
    return made


def television(size: int, voices: Sequence[Utterance], music: np.ndarray, random: Random) -> np.ndarray:
    """Somebody on television with music under them, from across the room."""
    bed = line.at_level(music, -20 - random.uniform(6, 16))
    return in_room(line.at_level(people(size, 1, voices, random), -20) + bed, random)
