"""Our own prompt come back to us: is it taken for the caller, and is a caller who speaks over it heard?"""

import wave
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from callflow.hearing import Hearing, Listener
from tests.bench.hearing import line, sounds
from tests.bench.hearing.cases import WINDOW
from tests.bench.hearing.score import Share
from tests.bench.hearing.voices import SOUNDS, Half, Utterance

STEP = 160
TOGETHER = 100


@dataclass(frozen=True)
class Way:
    """How the prompt comes back, and whether somebody speaks over it."""

    loss_db: float
    room: bool
    talker_dbov: float | None = None
    reference: bool = True

    def __str__(self) -> str:
        path = f"{'room' if self.room else 'line'}, -{self.loss_db:g} dB"
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


def played(way: Way, voices: Sequence[Utterance], prompt: np.ndarray, random: np.random.Generator) -> Played:
    """One prompt, an echo of 20 to 500 ms, some noise, both laws, and perhaps a caller who speaks over it."""
    size = (prompt.size + WINDOW) // STEP * STEP
    sent = np.pad(prompt, (0, size - prompt.size))
    back = line.echo(sent / 32768, way.loss_db, random.uniform(20, 500), random, room=way.room)
    back += line.at_level(sounds.NOISES["pink"](size, random), random.uniform(-75, -60))
    speaks_at = int(random.integers(8000, prompt.size - 8000))
    if way.talker_dbov is not None:
        running = [one for one in voices if one.kind == "running"]
        one = running[random.integers(len(running))]
        said = (one.samples * 10 ** ((way.talker_dbov - one.level_dbov) / 20))[: size - speaks_at]
        back[speaks_at : speaks_at + said.size] += said
    law = str(random.choice(("mulaw", "alaw")))
    heard = line.lose(line.through_codec(back, law), random.choice((0.0, 0.01, 0.03)), random)
    return Played(sent.astype(np.int16), heard, prompt.size, speaks_at)


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
    for at in range(0, max(call.sent.size for call in calls), STEP):
        for listener, call in zip(listeners, calls, strict=True):
            if call.ends <= at < call.ends + STEP:
                listener.begin_window()
            listener.feed(call.heard[at : at + STEP])
            if way.reference:
                listener.sent(call.sent[at : at + STEP])
        hearing.run(listeners)
        for number, (listener, call) in enumerate(zip(listeners, calls, strict=True)):
            if (onset := listener.speaking) and at < call.ends and spoke[number] == float("inf"):
                spoke[number] = onset.confirmed_ms - call.speaks_at / 8
    verdicts = [listener.verdict().heard.value in ("speech", "quiet") for listener in listeners]
    return [(after != float("inf") or found, after) for after, found in zip(spoke, verdicts, strict=True)]


def taken_for_caller(way: Way, voices: Sequence[Utterance], half: Half, count: int) -> tuple[Share, float]:
    """How many were heard as a caller, and the median of the reaction to those who spoke over the prompt."""
    random = np.random.default_rng(
        [20261122, half == "report", int(way.loss_db), way.room, int(way.talker_dbov or 0) + 99]
    )
    ours, found = prompts(), [one for one in voices if one.half == half]
    some = [played(way, found, ours[n % len(ours)], random) for n in range(count)]
    judged = judge(way, some)
    return Share(sum(heard for heard, _ in judged), count), float(np.median([after for _, after in judged]))
