"""How well the ears hear: `python -m tests.bench.hearing [--quick] [--half fit] [--write]`."""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from tests.bench.hearing import echoes, tables
from tests.bench.hearing.cases import Case, Maker
from tests.bench.hearing.ears import EARS
from tests.bench.hearing.score import Pair, Share, bars
from tests.bench.hearing.voices import Half, Utterance, utterances

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


FULL = Size(talkers=1820, negatives=1120, ladders=10000, echoes=100)
QUICK = Size(talkers=91, negatives=56, ladders=100, echoes=4)

WAYS = (
    *(echoes.Way(loss, room) for loss in (20, 30) for room in (False, True)),
    echoes.Way(20, room=False, reference=False),
    *(echoes.Way(loss, room=True, talker_dbov=level) for loss in (20, 30) for level in (-26, -36)),
)


def measure(size: Size, half: Half, voices: Sequence[Utterance], progress: Progress) -> list[tables.Rows]:
    """Everything, as tables."""
    maker = Maker(voices, half)
    heard: dict[str, list[Pair]] = {name: [] for name in EARS}
    for cases in _chunks(_all(maker, size), _steps(progress, "windows", _count(size))):
        for name, ear in EARS.items():
            heard[name] += zip(cases, ear(cases), strict=True)
        for case in cases:
            case.forget()
    tap_pairs = heard["tap"]
    ladders, hung_up = _ladders(maker, size.ladders, _steps(progress, "ladders", size.ladders))
    echo_step = _steps(progress, "echoes", len(WAYS))
    found = []
    for way in WAYS:
        found.append((way, *echoes.taken_for_caller(way, voices, half, size.echoes)))
        echo_step(1)
    at_20 = [heard for way, heard, _ in found if way.loss_db == 20 and way.talker_dbov is None and way.reference]
    own_echo = Share(sum(one.count for one in at_20), sum(one.of for one in at_20))
    return [
        tables.bars_table(bars(tap_pairs, own_echo, ladders)),
        tables.ears_table(heard, hung_up),
        tables.confusion_table(tap_pairs),
        tables.kinds_table(tap_pairs),
        tables.negatives_table(tap_pairs),
        tables.echo_table(found),
    ]


def _all(maker: Maker, size: Size) -> Iterator[Case]:
    yield from maker.talkers("running", size.talkers)
    yield from maker.talkers("word", size.talkers)
    yield from maker.talkers("syllable", size.talkers // 3)
    yield from maker.noises(size.negatives)
    yield from maker.tones(size.negatives)
    yield from maker.babbles(size.negatives // 4)
    yield from maker.silences(size.negatives // 8)


def _count(size: Size) -> int:
    return size.talkers * 2 + size.talkers // 3 + size.negatives * 2 + size.negatives // 4 + size.negatives // 8


def _ladders(maker: Maker, count: int, step: Callable[[int], None]) -> tuple[Share, dict[str, Share]]:
    """Talkers whom the tap missed in each of three windows; and for each ear, whom it would have hung up after them.

    Who is heard in one window is not asked again, nor who was passed on to a person as noise. The other ears climb a
    tenth of the ladders.
    """
    missed, hung_up = 0, dict.fromkeys(EARS, 0)
    others = max(1, count // 10)
    for begin in range(0, count, CHUNK):
        numbers = list(range(begin, min(begin + CHUNK, count)))
        step(len(numbers))
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


def _chunks(cases: Iterator[Case], step: Callable[[int], None]) -> Iterator[list[Case]]:
    chunk: list[Case] = []
    for case in cases:
        chunk.append(case)
        if len(chunk) == CHUNK:
            yield chunk
            step(len(chunk))
            chunk = []
    if chunk:
        yield chunk
        step(len(chunk))


def _steps(progress: Progress, what: str, total: int) -> Callable[[int], None]:
    task = progress.add_task(what, total=total)
    return lambda count: progress.advance(task, count)


def main() -> None:
    """Measure, show, and with --write put the figures into docs/hearing.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of it, under a minute")
    parser.add_argument("--half", choices=("fit", "report"), default="report", help="which half of the voices")
    parser.add_argument("--write", action="store_true", help="write the figures into docs/hearing.md")
    options = parser.parse_args()
    console, size = Console(width=None if sys.stdout.isatty() else 160), QUICK if options.quick else FULL
    columns = (TextColumn("{task.description:<8}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    began = time.monotonic()
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=Console(stderr=True)) as progress:
        found = measure(size, options.half, utterances(), progress)
    tables.show(found, console)
    console.print(f"{time.monotonic() - began:.0f} s")
    if options.write:
        voices = f"{_count(size)} windows of 3 s, {size.ladders} ladders, voices of the {options.half} half."
        tables.write(tables.markdown(found, voices))


if __name__ == "__main__":
    main()
