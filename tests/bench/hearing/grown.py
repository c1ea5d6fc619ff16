"""The second labelled set: lines, voices and sounds that real callers have. Made from a seed, for each half."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tests.bench.hearing import codecs, line, music, sounds, voice_changes
from tests.bench.hearing.body_sounds import BODY_SOUNDS
from tests.bench.hearing.cases import LEAD, QUIET_BELOW_DBOV, SIZE, WINDOW, Case
from tests.bench.hearing.machines import MODEMS, buzz, call_tones
from tests.bench.hearing.packages import Half
from tests.bench.hearing.recordings import Kind, Utterance

Random = np.random.Generator

HIGH_HZ = 270.0
DC_PERCENTS = (1, 3, 5, 10, 25)
CLIPPED_DB = (12, 20, 30)
_LEVELS_DBOV = (-20, -23, -26, -29, -32, -35, -41, -44, -46, -50)
_SNRS_DB = (15, 20, 30, 40)
_OVER_DBOV = (-23, -26, -29, -32, -34)


@dataclass(frozen=True)
class Plan:
    """One group: its name, the windows of the full benchmark, and what makes window n."""

    name: str
    count: int
    make: Callable[[Random, int], Case]
    codec: str = ""
    passes: int = 1


class Grown:
    """Makes the groups of one half. Window n of a group is always the same."""

    def __init__(
        self, half: Half, voices: Sequence[Utterance], unseen: Sequence[Utterance], seed: int = 20261128
    ) -> None:
        self._half: Half = half
        self._seed = [seed, 1 if half == "report" else 0]
        self._old = [one for one in voices if one.half == half]
        self._unseen = [one for one in unseen if one.half == half]
        self._everybody = [*self._old, *self._unseen]

    def plans(self) -> list[Plan]:
        """Every group."""
        return [
            Plan("unseen voices, words", 240, self._talker(self._unseen, "word")),
            Plan("unseen voices, running", 120, self._talker(self._unseen, "running")),
            Plan("high voices, words", 480, self._high_voice("word")),
            Plan("high voices, running", 80, self._high_voice("running")),
            Plan("raised by 9 semitones, words", 80, self._raised),
            Plan("whisper", 120, self._whisper(None)),
            Plan("whisper at SNR 15", 480, self._whisper(15)),
            *(Plan(f"DC of {percent} %", 80, self._with_dc(percent / 100)) for percent in DC_PERCENTS),
            *(Plan(f"clipped by {over} dB", 80, self._clipped(over)) for over in CLIPPED_DB),
            Plan("over a television", 120, self._over(self._television)),
            Plan("over a second talker", 120, self._over(self._second_talker)),
            Plan("over music in the room", 120, self._over(self._music)),
            *(
                Plan(f"{codec}{' twice' if passes > 1 else ''}", 40, self._talker(self._everybody, ""), codec, passes)
                for codec in codecs.CODECS
                for passes in (1, 2)
            ),
            Plan("bursts of loss", 80, self._lossy),
            Plan("running at -58 dBov", 480, self._faint),
            Plan("music", 480, self._music_alone),
            *(Plan(f"music, {codec}", 120, self._music_alone, codec) for codec in ("GSM", "AMR 12.2", "G.729")),
            *(
                Plan(name, 480 if name == "thumps" else 120, self._made("noise", name, make))
                for name, make in BODY_SOUNDS.items()
            ),
            Plan("hum", 480, self._made("noise", "hum", sounds.hum)),
            Plan("buzz", 480, self._made("noise", "buzz", buzz)),
            Plan("noise or hum with DC", 240, self._dc_alone),
            Plan("call tones", 240, self._machine(call_tones())),
            Plan("modems", 195, self._machine(MODEMS)),
            Plan("television alone", 80, self._alone("television", self._television)),
            Plan("babble of 6", 80, self._alone("babble", lambda random: self._people(6, random))),
            Plan("babble of 12", 80, self._alone("babble", lambda random: self._people(12, random))),
        ]

    def cases(self, plan: Plan, every: int = 1) -> list[Case]:
        """The windows of a group, or every so many-th of them."""
        number = [ord(letter) for letter in plan.name]
        found = [
            replace(plan.make(np.random.default_rng([*self._seed, *number, n]), n), group=plan.name)
            for n in range(0, plan.count, every)
        ]
        if plan.codec:
            coded = codecs.through(plan.codec, [case.samples / 32768 for case in found], plan.passes)
            for case, samples in zip(found, coded, strict=True):
                case.samples = line.through_codec(samples, case.law)
        return found

    # -- talkers ------------------------------------------------------------------------------------------------------

    def _talker(self, voices: Sequence[Utterance], kind: Kind | str) -> Callable[[Random, int], Case]:
        def make(random: Random, number: int) -> Case:
            said = self._someone(voices, kind or ("word", "running")[number % 2], random)
            return self._case(said, said.samples, random, number)

        return make

    def _someone(self, voices: Sequence[Utterance], kind: Kind | str, random: Random) -> Utterance:
        """Any voice is as likely as any other, however much it says; who says only words says some in a row."""
        who = sorted({(one.voice, one.language) for one in voices})
        for _ in range(100):
            voice = who[random.integers(len(who))]
            said = [one for one in voices if (one.voice, one.language) == voice]
            fitting = [one for one in said if one.kind == kind]
            if fitting:
                return fitting[random.integers(len(fitting))]
            words = [one for one in said if one.kind == "word"]
            if kind == "running" and len(words) >= 3:
                return _in_a_row([words[n] for n in random.choice(len(words), 3, replace=False)], random)
        raise ValueError(f"nobody says a {kind}")

    def _case(
        self, said: Utterance, samples: np.ndarray, random: Random, number: int,
        *, level: float | None = None, snr: float | None = None, background: np.ndarray | None = None, dc: float = 0.0,
    ) -> Case:  # fmt: skip
        level = _LEVELS_DBOV[number % len(_LEVELS_DBOV)] if level is None else level
        snr = _SNRS_DB[number // len(_LEVELS_DBOV) % len(_SNRS_DB)] if snr is None else snr
        latest = 8000 if said.kind == "running" else max(1, WINDOW - samples.size - 1600)
        begins = LEAD + int(random.integers(0, latest))
        voice = line.at_level(samples, level, active=True)[: SIZE - begins]
        whole = np.zeros(SIZE)
        whole[begins : begins + voice.size] = voice
        noise = random.choice(("white", "pink", "brown", "hum"))
        whole += line.at_level(sounds.NOISES[noise](SIZE, random), level - snr)
        if background is not None:
            whole += background
        law = str(random.choice(("mulaw", "alaw")))
        label = "speech" if level >= QUIET_BELOW_DBOV else "quiet"
        heard = line.lose(line.through_codec(whole + dc, law), random.choice((0.0, 0.0, 0.01, 0.03)), random)
        return Case(label, said.kind, heard, level, snr, said.sex, said.voice, law, begins)

    def _high_voice(self, kind: Kind) -> Callable[[Random, int], Case]:
        """By turns one that is high by nature, and a child made of a woman: higher, and from a shorter throat."""
        natural = [one for one in self._everybody if one.pitch_hz > HIGH_HZ]
        women = [one for one in self._everybody if one.sex == "f" and 180 < one.pitch_hz < HIGH_HZ]

        def make(random: Random, number: int) -> Case:
            if number % 2:
                said = self._someone(natural, kind, random)
                return self._case(said, said.samples, random, number)
            said = self._someone(women, kind, random)
            pitch = random.uniform(280, 380) / said.pitch_hz
            child = voice_changes.raised(said.samples, pitch, random.uniform(1.15, 1.3))
            return self._case(said, child, random, number)

        return make

    def _raised(self, random: Random, number: int) -> Case:
        women = [one for one in self._everybody if one.sex == "f"]
        said = self._someone(women, "word", random)
        return self._case(said, voice_changes.raised(said.samples, 1.68, 1.68), random, number)

    def _whisper(self, snr: float | None) -> Callable[[Random, int], Case]:
        def make(random: Random, number: int) -> Case:
            said = self._someone(self._everybody, ("word", "running")[number % 2], random)
            return self._case(said, voice_changes.whispered(said.samples, random), random, number, snr=snr)

        return make

    def _with_dc(self, dc: float) -> Callable[[Random, int], Case]:
        def make(random: Random, number: int) -> Case:
            said = self._someone(self._everybody, ("word", "running")[number % 2], random)
            return self._case(said, said.samples, random, number, dc=dc * random.choice((-1.0, 1.0)))

        return make

    def _clipped(self, over_db: float) -> Callable[[Random, int], Case]:
        """At full scale, or behind an adapter that takes up to 20 dB off again."""

        def make(random: Random, number: int) -> Case:
            said = self._someone(self._everybody, ("word", "running")[number % 2], random)
            driven = voice_changes.clipped(said.samples, over_db)
            level = line.active_level_dbov(driven) - random.choice((0.0, 0.0, 6.0, 12.0, 20.0))
            return self._case(said, driven, random, number, level=level)

        return make

    def _over(self, other: Callable[[Random], np.ndarray]) -> Callable[[Random, int], Case]:
        """A talker over another sound that is 8 to 15 dB lower and lasts for the whole window."""

        def make(random: Random, number: int) -> Case:
            level = _OVER_DBOV[number % len(_OVER_DBOV)]
            said = self._someone(self._everybody, ("word", "running")[number % 2], random)
            below = line.at_level(other(random), level - random.uniform(8, 15), active=True)
            return self._case(said, said.samples, random, number, level=level, snr=40, background=below)

        return make

    def _lossy(self, random: Random, number: int) -> Case:
        said = self._someone(self._everybody, ("word", "running")[number % 2], random)
        case = self._case(said, said.samples, random, number)
        lost = np.zeros(SIZE // 160, dtype=bool)
        while lost.mean() < 0.2:
            start = int(random.integers(0, lost.size))
            lost[start : start + int(random.integers(2, 9))] = True
        case.samples = np.where(np.repeat(lost, 160), 0, case.samples).astype(np.int16)
        return case

    def _faint(self, random: Random, number: int) -> Case:
        said = self._someone(self._everybody, "running", random)
        return self._case(said, said.samples, random, number, level=-58)

    # -- no talkers ---------------------------------------------------------------------------------------------------

    def _television(self, random: Random) -> np.ndarray:
        return voice_changes.television(SIZE, self._everybody, self._music(random), random)

    def _second_talker(self, random: Random) -> np.ndarray:
        return voice_changes.in_room(self._people(1, random), random)

    def _people(self, count: int, random: Random) -> np.ndarray:
        return voice_changes.people(SIZE, count, self._everybody, random)

    def _music(self, random: Random) -> np.ndarray:
        return music.excerpt(self._half, SIZE, random)

    def _music_alone(self, random: Random, number: int) -> Case:
        return self._line("music", "music", self._music(random), random.uniform(-45, -15), random)

    def _made(self, label: str, name: str, make: sounds.Sound) -> Callable[[Random, int], Case]:
        return lambda random, number: self._line(label, name, make(SIZE, random), random.uniform(-55, -15), random)

    def _machine(self, tones: dict[str, sounds.Sound]) -> Callable[[Random, int], Case]:
        def make(random: Random, number: int) -> Case:
            name = list(tones)[number % len(tones)]
            made = tones[name](SIZE, random)
            while np.mean(made[LEAD:] != 0.0) < 0.1:  # a cadence may be resting all the time
                made = tones[name](SIZE, random)
            return self._line("tone", name, made, random.uniform(-45, -10), random)

        return make

    def _dc_alone(self, random: Random, number: int) -> Case:
        name = ("white", "pink", "hum", "nothing")[number % 4]
        made = sounds.NOISES[name](SIZE, random) if name != "nothing" else np.zeros(SIZE)
        dc = random.uniform(0.01, 0.25) * random.choice((-1.0, 1.0))
        return self._line("noise", f"{name} with DC", made, random.uniform(-60, -35), random, dc=dc)

    def _alone(self, name: str, make: Callable[[Random], np.ndarray]) -> Callable[[Random, int], Case]:
        return lambda random, number: self._line("noise", name, make(random), random.uniform(-50, -25), random)

    def _line(self, label: str, what: str, made: np.ndarray, level: float, random: Random, *, dc: float = 0.0) -> Case:
        """A sound on a line with a little noise; as loud as it may be without being cut off."""
        loud = line.at_level(made, level, active=True) if np.any(made) else made
        loud = loud * min(1.0, 0.98 / max(np.abs(loud).max(), 1e-9)) + dc
        loud = loud + line.at_level(sounds.NOISES["white"](SIZE, random), random.uniform(-80, -65))
        law = str(random.choice(("mulaw", "alaw")))
        heard = line.lose(line.through_codec(loud, law), random.choice((0.0, 0.0, 0.01, 0.03)), random)
        return Case(label, what, heard, level, law=law)


def _in_a_row(words: Sequence[Utterance], random: Random) -> Utterance:
    """Running speech from words, 0.1 to 0.3 s between them."""
    parts: list[np.ndarray] = []
    for one in words:
        parts += [line.at_level(one.samples, -26, active=True), np.zeros(int(random.integers(800, 2400)))]
    samples = np.concatenate(parts[:-1])
    return replace(words[0], kind="running", samples=samples, level_dbov=line.active_level_dbov(samples))
