"""The labelled set: what a caller's line carries in one listening window, made from a seed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tests.bench.hearing import line, sounds
from tests.bench.hearing.packages import Half
from tests.bench.hearing.recordings import Kind, Utterance

LEAD = 4000
"""Samples before the window: half a second of the same line."""
WINDOW = 24000
"""Samples of a listening window: 3 s."""
SIZE = LEAD + WINDOW

LEVELS_DBOV = (-20, -23, -26, -29, -32, -35, -38, -41, -44, -46, -50, -54, -58)
SNRS_DB = (0, 5, 10, 15, 20, 30, 40)
LOSSES = (0.0, 0.0, 0.01, 0.05)
QUIET_BELOW_DBOV = -38.0


@dataclass
class Case:
    """One window and the truth about it; `label` is speech, quiet, music, noise, tone or silence."""

    label: str
    what: str
    samples: np.ndarray
    level_dbov: float = -96.0
    snr_db: float = 99.0
    sex: str = ""
    voice: str = ""
    law: str = "mulaw"
    begins: int = LEAD
    """Where the voice begins, in samples of the stream."""
    group: str = ""
    """Which group of the second set it is in."""

    def forget(self) -> None:
        """The samples are not needed any more, the rest is."""
        self.samples = np.empty(0, dtype=np.int16)

    @property
    def in_bar(self) -> bool:
        """True where the bars apply: SNR of 15 dB and more, -50 dBov and more, 3 dB from the boundary for speech."""
        return self.snr_db >= 15 and self.level_dbov >= -50

    @property
    def clear(self) -> bool:
        """True for what is 3 dB or more from the boundary between speech and quiet."""
        return abs(self.level_dbov - QUIET_BELOW_DBOV) >= 3


class Maker:
    """Makes the cases of one half of the voices; case n is always the same for the same seed."""

    def __init__(self, voices: Sequence[Utterance], half: Half, seed: int = 20261122) -> None:
        self._half = half
        self._seed = [seed, 1 if half == "report" else 0]
        self.voices = [one for one in voices if one.half == half]
        names = list(dict.fromkeys((one.voice, one.language) for one in self.voices))
        self._by: dict[Kind, list[list[Utterance]]] = {
            kind: [
                said
                for voice in names
                if (said := [one for one in self.voices if (one.voice, one.language) == voice and one.kind == kind])
            ]
            for kind in ("running", "word", "syllable")
        }

    def _random(self, *which: int) -> np.random.Generator:
        return np.random.default_rng([*self._seed, *which])

    def talkers(self, kind: Kind, count: int) -> Iterator[Case]:
        """Talkers of one kind at every level and signal-to-noise ratio, women and men alike."""
        for number in range(count):
            random = self._random(1, len(kind), number)
            level = LEVELS_DBOV[number % len(LEVELS_DBOV)]
            snr = SNRS_DB[number // len(LEVELS_DBOV) % len(SNRS_DB)]
            yield self.talker(kind, random, level, snr)

    def talker(
        self, kind: Kind, random: np.random.Generator, level: float, snr: float, sex: str = "", voice: int | None = None
    ) -> Case:
        """One talker in one window; of either sex and any voice if it does not matter."""
        said = self._someone(kind, random, sex or random.choice(("f", "m")), voice)
        latest = 8000 if kind == "running" else max(1, WINDOW - said.samples.size - 1600)
        begins = LEAD + int(random.integers(0, latest))
        return self._spoken(said, random, level, snr, begins)

    def ladder(self, number: int, window: int) -> Case:
        """One window of a ladder: the same voice, level and line in each, another thing said."""
        random = self._random(6, number)
        level = random.choice([level for level in LEVELS_DBOV if level >= -50])
        snr = random.choice([snr for snr in SNRS_DB if snr >= 15])
        kind: Kind = random.choice(("running", "word"))
        sex, voice = random.choice(("f", "m")), int(random.integers(1000))
        return self.talker(kind, self._random(7, number, window), level, snr, sex, voice)

    def _someone(self, kind: Kind, random: np.random.Generator, sex: str, voice: int | None) -> Utterance:
        voices = [said for said in self._by[kind] if said[0].sex == sex]
        said = voices[(random.integers(1000) if voice is None else voice) % len(voices)]
        return said[random.integers(len(said))]

    def _spoken(self, said: Utterance, random: np.random.Generator, level: float, snr: float, begins: int) -> Case:
        voice = (said.samples * 10 ** ((level - said.level_dbov) / 20))[: SIZE - begins]
        whole = np.zeros(SIZE)
        whole[begins : begins + voice.size] = voice
        background = random.choice(("white", "pink", "brown", "hum"))
        whole += line.at_level(sounds.NOISES[background](SIZE, random), level - snr)
        label = "speech" if level >= QUIET_BELOW_DBOV else "quiet"
        law = str(random.choice(("mulaw", "alaw")))
        heard = line.lose(line.through_codec(whole, law), random.choice(LOSSES), random)
        return Case(label, said.kind, heard, level, snr, said.sex, said.voice, law, begins)

    def noises(self, count: int) -> Iterator[Case]:
        """Noise of every kind from -25 to -60 dBov."""
        for number in range(count):
            random = self._random(2, number)
            name = list(sounds.NOISES)[number % len(sounds.NOISES)]
            level = random.uniform(-60, -25)
            yield self._without_voice("noise", name, sounds.NOISES[name](SIZE, random), level, random)

    def babbles(self, count: int) -> Iterator[Case]:
        """Many people far away."""
        for number in range(count):
            random = self._random(3, number)
            made = sounds.babble(SIZE, random, self.voices)
            yield self._without_voice("noise", "babble", made, random.uniform(-60, -30), random)

    def tones(self, count: int) -> Iterator[Case]:
        """Tones of every kind from -10 to -45 dBov, on a line with a little noise."""
        for number in range(count):
            random = self._random(4, number)
            name = list(sounds.TONES)[number % len(sounds.TONES)]
            made = sounds.TONES[name](SIZE, random)
            while np.mean(made[LEAD:] != 0.0) < 0.1:  # a cadence may be resting all the time
                made = sounds.TONES[name](SIZE, random)
            yield self._without_voice("tone", name, made, random.uniform(-45, -10), random)

    def silences(self, count: int) -> Iterator[Case]:
        """Digital silence of both laws, and comfort noise of -66 to -78 dBov."""
        for number in range(count):
            random = self._random(5, number)
            level = random.uniform(-78, -68) if number % 2 else -120.0
            made = sounds.NOISES["white"](SIZE, random)
            what = "comfort noise" if number % 2 else "digital silence"
            yield self._without_voice("silence", what, made, level, random)

    def _without_voice(
        self, label: str, what: str, made: np.ndarray, level: float, random: np.random.Generator
    ) -> Case:
        law = str(random.choice(("mulaw", "alaw")))
        floor = line.at_level(sounds.NOISES["white"](SIZE, random), random.uniform(-80, -65))
        loud = line.at_level(made, level, active=what in sounds.UNSTEADY) + (floor if label != "silence" else 0.0)
        if label == "tone" and np.abs(loud).max() > 0.98:
            loud *= 0.98 / np.abs(loud).max()
        heard = line.lose(line.through_codec(loud, law), random.choice(LOSSES), random)
        return Case(label, what, heard, level, law=law)
