"""Our own prompt come back to us: is it taken for the caller, and is a caller who speaks over it heard?"""

import wave
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from callflow.adapters.audio.reference import AHEAD
from callflow.hearing import Hearing, Listener
from tests.bench.hearing import codecs, line, sounds
from tests.bench.hearing.cases import WINDOW
from tests.bench.hearing.packages import Half
from tests.bench.hearing.recordings import Utterance
from tests.bench.hearing.score import Share
from tests.bench.hearing.voices import SOUNDS

STEP = 160
TOGETHER = 100


@dataclass(frozen=True)
class Way:
    """How the prompt comes back, and whether somebody speaks over it."""

    loss_db: float
    room: bool
    talker_dbov: float | None = None
    reference: bool = True
    codec: str = ""
    """Passed twice: to the caller and back."""
    drifting: bool = False
    """The delay changes by 20 to 60 ms every half second to two seconds, as a jitter buffer makes it."""

    def __str__(self) -> str:
        path = f"{'room' if self.room else 'line'}, -{self.loss_db:g} dB"
        path += f", {self.codec} there and back" if self.codec else ""
        path += ", changing delay" if self.drifting else ""
        return path + ("" if self.reference else ", without knowing what was sent")


@dataclass(frozen=True)
class Played:
    """A prompt as sent, and what came back while it was played and in the window after it."""

    sent: np.ndarray
    heard: np.ndarray
    ends: int
    speaks_at: int


def prompts() -> list[np.ndarray]:
    """The project's own prompts of all languages."""
    found = []
    for path in sorted(SOUNDS.glob("*/callflow/*.wav")):
        with wave.open(str(path)) as file:
            found.append(np.frombuffer(file.readframes(file.getnframes()), dtype="<i2"))
    return found


def _come_back(way: Way, sent: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The echo of what was sent, after 20 to 500 ms."""
    if not way.drifting:
        return line.echo(sent, way.loss_db, random.uniform(20, 500), random, room=way.room)
    plain = line.echo(sent, way.loss_db, 0, random, room=way.room)
    back, at, delay = np.zeros(sent.size), 0, int(random.uniform(160, 3200))
    while at < sent.size:
        length = int(random.integers(4000, 16000))
        place = np.arange(at, min(at + length, sent.size)) - delay
        back[at : at + place.size] = np.where(place >= 0, plain[np.maximum(place, 0)], 0.0)
        at, delay = at + length, int(np.clip(delay + random.choice((-1, 1)) * random.integers(160, 480), 160, 4000))
    return back


def played(
    way: Way, voices: Sequence[Utterance], some: Sequence[np.ndarray], random: np.random.Generator
) -> list[Played]:
    """Prompts and their echoes with some noise, both laws, and perhaps a caller who speaks over each."""
    sent, heard, speak_at = [], [], []
    for prompt in some:
        size = (prompt.size + WINDOW) // STEP * STEP
        sent.append(np.pad(prompt, (0, size - prompt.size)).astype(np.int16))
        back = _come_back(way, sent[-1] / 32768, random)
        back += line.at_level(sounds.NOISES["pink"](size, random), random.uniform(-75, -60))
        speak_at.append(int(random.integers(8000, max(8001, prompt.size - 8000))))
        if way.talker_dbov is not None:
            running = [one for one in voices if one.kind == "running"]
            one = running[random.integers(len(running))]
            said = (one.samples * 10 ** ((way.talker_dbov - one.level_dbov) / 20))[: size - speak_at[-1]]
            back[speak_at[-1] : speak_at[-1] + said.size] += said
        heard.append(back)
    if way.codec:
        heard = codecs.through(way.codec, heard, 2)
    found = []
    for prompt, whole, back, speaks_at in zip(some, sent, heard, speak_at, strict=True):
        law = str(random.choice(("mulaw", "alaw")))
        lost = line.lose(line.through_codec(back, law), random.choice((0.0, 0.01, 0.03)), random)
        found.append(Played(whole, lost, prompt.size, speaks_at))
    return found


def judge(way: Way, some: Sequence[Played]) -> list[tuple[bool, float]]:
    """For each: was anybody heard at all, and how long after the caller spoke up (ms; infinite: not in the prompt)."""
    hearing, results = Hearing(), []
    for begin in range(0, len(some), TOGETHER):
        calls = some[begin : begin + TOGETHER]
        listeners = [hearing.listener() for _ in calls]
        results += _listen(way, hearing, listeners, calls)
        for listener in listeners:
            listener.close()
    return results


def _listen(
    way: Way, hearing: Hearing, listeners: Sequence[Listener], calls: Sequence[Played]
) -> list[tuple[bool, float]]:
    spoke = [float("inf")] * len(calls)
    if way.reference:
        for listener, call in zip(listeners, calls, strict=True):
            listener.sent_before(call.sent[:AHEAD])
    for at in range(0, max(call.sent.size for call in calls), STEP):
        for listener, call in zip(listeners, calls, strict=True):
            if call.ends <= at < call.ends + STEP:
                listener.begin_window()
            listener.feed(call.heard[at : at + STEP])
            if way.reference:
                piece = call.sent[at + AHEAD : at + AHEAD + STEP]
                listener.sent(np.pad(piece, (0, STEP - piece.size)))
        hearing.run(listeners)
        for number, (listener, call) in enumerate(zip(listeners, calls, strict=True)):
            if (onset := listener.speaking) and at < call.ends and spoke[number] == float("inf"):
                spoke[number] = onset.confirmed_ms - call.speaks_at / 8
    verdicts = [listener.verdict().heard.value in ("speech", "quiet") for listener in listeners]
    return [(after != float("inf") or found, after) for after, found in zip(spoke, verdicts, strict=True)]


def taken_for_caller(way: Way, voices: Sequence[Utterance], half: Half, count: int) -> tuple[Share, float]:
    """How many were heard as a caller, and the median of the reaction to those who spoke over the prompt."""
    seed = [20261122, half == "report", int(way.loss_db), way.room, int(way.talker_dbov or 0) + 99]
    if way.codec or way.drifting:
        seed += [ord(letter) for letter in str(way)]
    random = np.random.default_rng(seed)
    ours, found = prompts(), [one for one in voices if one.half == half]
    some = played(way, found, [ours[n % len(ours)] for n in range(count)], random)
    judged = judge(way, some)
    return Share(sum(heard for heard, _ in judged), count), float(np.median([after for _, after in judged]))
