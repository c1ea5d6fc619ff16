"""Sound files below the sounds folder: how long each is, and the voice that callers speak with."""

import wave
from functools import cache
from pathlib import Path

import numpy as np

from callflow.sound.audio import RATE, read_wav
from callflow.sound.mulaw import Samples

_VOICE = "en/callflow/goodbye"
_LOUD = 500


class Sounds:
    """The sound files that Asterisk can play; each is measured once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._samples: dict[str, int | None] = {}
        self.others_s: dict[str, float] = {}
        """Files that Asterisk has besides: name and seconds."""

    def found(self, name: str, language: str) -> int | None:
        """Length in samples of what Asterisk plays under this name; None when there is no such file."""
        if name in self.others_s:
            return round(self.others_s[name] * RATE)
        whole = (f"{language}/{name}", name, f"en/{name}")
        return next((samples for one in whole if (samples := self.samples(one)) is not None), None)

    def samples(self, name: str) -> int | None:
        """Length of a prompt in samples of 8 kHz; None when there is no such file."""
        if name not in self._samples:
            self._samples[name] = self._measure(name)
        return self._samples[name]

    def durations(self, language: str) -> dict[str, float]:
        """Name and seconds of every prompt of a language; empty for a language without prompts."""
        files = sorted((self.folder / language / "callflow").glob("*.wav"))
        found = {path.stem: self.samples(f"{language}/callflow/{path.stem}") for path in files}
        return {name: samples / RATE for name, samples in found.items() if samples}

    def _measure(self, name: str) -> int | None:
        path = self.folder / f"{name}.wav"
        if not path.resolve().is_relative_to(self.folder.resolve()):
            return None
        try:
            with wave.open(str(path)) as file:
                return int(file.getnframes())
        except (OSError, EOFError, wave.Error):
            return None


@cache
def voice(folder: Path) -> Samples:
    """A stretch of speech that starts right with the voice."""
    samples = read_wav(folder / f"{_VOICE}.wav")
    frames = np.abs(samples[: samples.size // 160 * 160].reshape(-1, 160)).mean(axis=1)
    return samples[int(np.argmax(frames > _LOUD)) * 160 :]
