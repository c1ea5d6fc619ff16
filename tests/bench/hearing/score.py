"""What the ears got right and wrong, as figures."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from tests.bench.hearing.cases import LEAD, Case
from tests.bench.hearing.ears import Result

TALKERS = ("speech", "quiet")
LABELS = ("speech", "quiet", "noise", "tone", "silence")

Pair = tuple[Case, Result]


@dataclass(frozen=True)
class Share:
    """So many of so many."""

    count: int
    of: int

    @property
    def percent(self) -> float:
        """0 to 100; 0 of nothing is 0."""
        return 100 * self.count / self.of if self.of else 0.0

    def __str__(self) -> str:
        return f"{self.percent:.2f} % ({self.count} of {self.of})"


def share(pairs: Iterable[Pair], which: Callable[[Case], bool], when: Callable[[Case, Result], bool]) -> Share:
    """How many of the cases chosen by `which` are as `when` says."""
    chosen = [when(case, result) for case, result in pairs if which(case)]
    return Share(sum(chosen), len(chosen))


def talker(case: Case) -> bool:
    """Somebody is there."""
    return case.label in TALKERS


def in_bar(case: Case, *kinds: str) -> bool:
    """A talker that the bars count."""
    return talker(case) and case.in_bar and (not kinds or case.what in kinds)


def plain_noise(case: Case) -> bool:
    """Noise of every kind but babble, which is voices."""
    return case.label == "noise" and case.what != "babble"


def right(case: Case, result: Result) -> bool:
    """The label is the truth."""
    return result.label == case.label


def missed(_: Case, result: Result) -> bool:
    """Not taken for a talker."""
    return not result.talker


def taken(_: Case, result: Result) -> bool:
    """Taken for a talker."""
    return result.talker


def after_onset_ms(case: Case, result: Result) -> float:
    """Milliseconds from the beginning of the voice until it was certain while it spoke; infinite if it never was."""
    return float("inf") if result.heard_ms is None else result.heard_ms - case.begins / 8


def within_1s(case: Case, result: Result) -> bool:
    """Certain while the caller spoke, and in time."""
    return after_onset_ms(case, result) <= 1000


def called_silence(_: Case, result: Result) -> bool:
    """Taken for nobody."""
    return result.label == "silence"


def confusion(pairs: Sequence[Pair]) -> dict[str, Counter[str]]:
    """For each truth, how often each label was given; babble has a row of its own."""
    rows: dict[str, Counter[str]] = {}
    for case, result in pairs:
        truth = "babble" if case.what == "babble" else case.label
        rows.setdefault(truth, Counter())[result.label] += 1
    return rows


def reaction_ms(pairs: Sequence[Pair], which: Callable[[Case], bool]) -> tuple[float, float]:
    """Median and 90th percentile of `after_onset_ms`."""
    times = [after_onset_ms(case, result) for case, result in pairs if which(case)]
    if not times:
        return np.nan, np.nan
    median, high = np.percentile(times, (50, 90), method="lower")
    return float(median), float(high)


def decision_ms(pairs: Sequence[Pair]) -> float:
    """Mean time from the beginning of the window until a talker is decided on, at its end at the latest."""
    times = [(result.heard_ms or 3000 + LEAD / 8) - LEAD / 8 for case, result in pairs if in_bar(case)]
    return float(np.mean(times)) if times else float("nan")


@dataclass(frozen=True)
class Bar:
    """One of the bars of the tap ear: `share` must be at least, or at most, `percent`."""

    what: str
    share: Share
    at: str
    percent: float

    @property
    def met(self) -> bool:
        """True if the figure is on the right side."""
        return self.share.percent >= self.percent if self.at == ">=" else self.share.percent <= self.percent


def bars(pairs: Sequence[Pair], echoes: Share, ladders: Share) -> list[Bar]:
    """All bars; `echoes`: own echo at -20 dB taken for the caller, `ladders`: talkers missed in three windows."""

    def of(which: Callable[[Case], bool], when: Callable[[Case, Result], bool]) -> Share:
        return share(pairs, which, when)

    def said(case: Case) -> bool:
        return in_bar(case, "running", "word")

    def negative(case: Case) -> bool:
        return not talker(case) and case.what != "babble"

    women = of(lambda c: said(c) and c.sex == "f", missed).percent
    men = of(lambda c: said(c) and c.sex == "m", missed).percent
    return [
        Bar("running and words right, 3 dB from the boundary", of(lambda c: said(c) and c.clear, right), ">=", 98.5),
        Bar("all talkers and negatives right", of(lambda c: (in_bar(c) and c.clear) or negative(c), right), ">=", 96),
        Bar("talkers of -46 dBov heard within 1 s", of(lambda c: said(c) and c.level_dbov == -46, within_1s), ">=", 97),
        Bar("tones taken for a talker", of(lambda c: c.label == "tone", taken), "<=", 0.5),
        Bar("noise taken for a talker", of(plain_noise, taken), "<=", 1),
        Bar("hum taken for a talker", of(lambda c: c.what.startswith("hum"), taken), "<=", 5),
        Bar("talkers called silence, whatever level and noise", of(talker, called_silence), "<=", 0),
        Bar("running speech missed", of(lambda c: in_bar(c, "running"), missed), "<=", 0.3),
        Bar("words missed", of(lambda c: in_bar(c, "word"), missed), "<=", 3),
        Bar("talkers missed over a ladder of three windows", ladders, "<=", 0.01),
        Bar("women missed more often than men, points", Share(round((women - men) * 100), 10000), "<=", 1.5),
        Bar("own echo at -20 dB taken for the caller", echoes, "<=", 1),
    ]
