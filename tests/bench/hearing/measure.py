"""The parts of the benchmark, side by side, a process for each processor."""

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context

from tests.bench.hearing import codecs, echoes, tables
from tests.bench.hearing.cases import Case, Maker
from tests.bench.hearing.ears import EARS, tap
from tests.bench.hearing.grown import Grown
from tests.bench.hearing.grown_score import groups_table, grown_bars
from tests.bench.hearing.packages import Half
from tests.bench.hearing.prepared import prepared
from tests.bench.hearing.recordings import Utterance
from tests.bench.hearing.score import Pair, Share, bars
from tests.bench.hearing.voices import unseen, utterances

CHUNK = 200


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    talkers: int
    """Windows of running speech, and as many of words; a third of it of lone syllables."""
    negatives: int
    """Windows of noise, and as many of tones; a quarter of it of babble, an eighth of silence."""
    ladders: int
    echoes: int
    every: int
    """Of the second set every so many-th window."""


FULL = Size(talkers=1820, negatives=1120, ladders=10000, echoes=100, every=1)
QUICK = Size(talkers=91, negatives=56, ladders=100, echoes=4, every=10)

WAYS = (
    *(echoes.Way(loss, room) for loss in (20, 30) for room in (False, True)),
    echoes.Way(20, room=False, reference=False),
    *(echoes.Way(loss, room=True, talker_dbov=level) for loss in (20, 30) for level in (-26, -36)),
)
CODED_WAYS = tuple(echoes.Way(loss, room=False, codec=codec) for codec in codecs.CODECS for loss in (10, 20, 30))
DRIFTING_WAYS = tuple(echoes.Way(loss, room, drifting=True) for loss in (10, 20) for room in (False, True))
PART = 0.3
"""Of the echoes through a codec, so many for each way."""

Found = tuple[echoes.Way, Share, float]


def windows(size: Size, half: Half) -> dict[str, list[Pair]]:
    """What every ear makes of every window of the first set."""
    heard: dict[str, list[Pair]] = {name: [] for name in EARS}
    for cases in _chunks(_all(Maker(_utterances(), half), size)):
        for name, ear in EARS.items():
            heard[name] += zip(cases, ear(cases), strict=True)
        for case in cases:
            case.forget()
    return heard


def ladders(size: Size, half: Half) -> tuple[Share, dict[str, Share]]:
    """Talkers whom the tap missed in each of three windows; and for each ear, whom it would have hung up after them.

    Who is heard in one window is not asked again, nor who was passed on to a person as noise. The other ears climb a
    tenth of the ladders.
    """
    maker, count = Maker(_utterances(), half), size.ladders
    missed, hung_up = 0, dict.fromkeys(EARS, 0)
    others = max(1, count // 10)
    for begin in range(0, count, CHUNK):
        numbers = list(range(begin, min(begin + CHUNK, count)))
        for name, ear in EARS.items():
            left = numbers if name == "tap" else [number for number in numbers if number < others]
            hopeless = set(left)
            for window in range(3):
                results = list(zip(left, ear([maker.ladder(number, window) for number in left]), strict=True))
                left = [number for number, result in results if not result.talker]
                hopeless &= {number for number, result in results if result.hopeless}
            hung_up[name] += len(hopeless)
            missed += len(left) if name == "tap" else 0
    climbed = {name: Share(number, count if name == "tap" else others) for name, number in hung_up.items()}
    return Share(missed, count), climbed


def echo(ways: Iterable[echoes.Way], count: int, half: Half) -> list[Found]:
    """Who is heard when a prompt comes back."""
    return [(way, *echoes.taken_for_caller(way, _utterances(), half, count)) for way in ways]


def second_set(size: Size, half: Half) -> list[Pair]:
    """What the tap makes of every window of the second set."""
    grown, pairs = Grown(half, _utterances(), prepared("unseen", unseen)), []
    for plan in grown.plans():
        cases = prepared(f"{half}-{size.every}-{plan.name}", partial(grown.cases, plan, size.every))
        pairs += list(zip(cases, tap(cases), strict=True))
        for case in cases:
            case.forget()
    return pairs


def measure(size: Size, half: Half) -> list[tables.Rows]:
    """Everything, as tables."""
    _utterances()
    prepared("unseen", unseen)
    part = max(1, round(PART * size.echoes))
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as processes:
        first, climbed = processes.submit(windows, size, half), processes.submit(ladders, size, half)
        second = processes.submit(second_set, size, half)
        echoed = [
            processes.submit(echo, *ways, half)
            for ways in ((WAYS, size.echoes), (CODED_WAYS, part), (DRIFTING_WAYS, size.echoes))
        ]
        heard, (missed, hung_up), pairs = first.result(), climbed.result(), second.result()
        plain, coded, drifting = (job.result() for job in echoed)
    at_20 = [one for one in plain if one[0].loss_db == 20 and one[0].talker_dbov is None and one[0].reference]
    return [
        tables.bars_table(bars(heard["tap"], _sum(at_20), missed)),
        tables.bars_table(grown_bars(pairs, _sum(coded), _sum(drifting)), "The second set against its bars"),
        tables.ears_table(heard, hung_up),
        tables.confusion_table(heard["tap"]),
        tables.kinds_table(heard["tap"]),
        tables.negatives_table(heard["tap"]),
        groups_table(pairs),
        tables.echo_table([*plain, *coded, *drifting]),
    ]


def _utterances() -> list[Utterance]:
    return prepared("utterances", utterances)


def _sum(found: Sequence[Found]) -> Share:
    return Share(sum(share.count for _, share, _ in found), sum(share.of for _, share, _ in found))


def _all(maker: Maker, size: Size) -> Iterator[Case]:
    yield from maker.talkers("running", size.talkers)
    yield from maker.talkers("word", size.talkers)
    yield from maker.talkers("syllable", size.talkers // 3)
    yield from maker.noises(size.negatives)
    yield from maker.tones(size.negatives)
    yield from maker.babbles(size.negatives // 4)
    yield from maker.silences(size.negatives // 8)


def count(size: Size) -> int:
    return size.talkers * 2 + size.talkers // 3 + size.negatives * 2 + size.negatives // 4 + size.negatives // 8


def _chunks(cases: Iterator[Case]) -> Iterator[list[Case]]:
    chunk: list[Case] = []
    for case in cases:
        chunk.append(case)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
