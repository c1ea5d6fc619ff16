"""The figures as Markdown, into docs/hearing.md, and on the terminal."""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.hearing.echoes import Way
from tests.bench.hearing.score import (
    LABELS,
    Bar,
    Pair,
    Share,
    confusion,
    decision_ms,
    in_bar,
    missed,
    plain_noise,
    reaction_ms,
    share,
    taken,
    talker,
)  # fmt: skip

DOCS = Path(__file__).parents[3] / "docs" / "hearing.md"
BEGIN, END = "<!-- measured figures -->", "<!-- end figures -->"

Rows = tuple[str, list[str], list[list[str]]]
"""A title, the headings, the rows."""


def bars_table(bars: Sequence[Bar], title: str = "The tap ear against its bars") -> Rows:
    """Every bar, what was reached, and whether that is enough."""
    rows = [[bar.what, f"{bar.at} {bar.percent:g} %", str(bar.share), "yes" if bar.met else "**no**"] for bar in bars]
    return title, ["", "bar", "reached", "met"], rows


def confusion_table(pairs: Sequence[Pair]) -> Rows:
    """Truth down, the tap ear's verdict across, in percent."""
    rows = []
    for truth, given in confusion(pairs).items():
        total = given.total()
        rows.append([truth, str(total), *(f"{100 * given[label] / total:.1f}" for label in LABELS)])
    return "What was (down) and what the tap ear called it (across), % of all windows", ["", "windows", *LABELS], rows


def ears_table(heard: Mapping[str, Sequence[Pair]], hung_up: dict[str, Share]) -> Rows:
    """All ears side by side."""
    headings = [
        "ear",
        "talkers missed",
        "of -46 dBov",
        "talkers hung up after a ladder",
        "tones taken for talkers",
        "noise",
        "babble",
        "silence",
        "reaction at -46 dBov, median / p90 ms",
        "mean time to decision ms",
    ]
    rows = []
    for name, pairs in heard.items():
        median, p90 = reaction_ms(pairs, lambda c: in_bar(c, "running", "word") and c.level_dbov == -46)
        shares = (
            share(pairs, lambda c: in_bar(c, "running", "word"), missed),
            share(pairs, lambda c: in_bar(c, "running", "word") and c.level_dbov == -46, missed),
            share(pairs, lambda c: c.label == "tone", taken),
            share(pairs, plain_noise, taken),
            share(pairs, lambda c: c.what == "babble", taken),
            share(pairs, lambda c: c.label == "silence", taken),
        )
        times = [f"{_ms(median)} / {_ms(p90)}", _ms(decision_ms(pairs))]
        percents = [f"{one.percent:.1f} %" for one in shares]
        percents.insert(2, f"{hung_up[name].percent:.2f} %")
        rows.append([name, *percents, *times])
    return (
        "All ears on the same windows (running speech and words, SNR of 15 dB and more, -50 dBov and more)",
        headings,
        rows,
    )


def kinds_table(pairs: Sequence[Pair]) -> Rows:
    """Where talkers are missed: what they say, who they are, how loud against the noise."""
    rows = []
    for kind in ("running", "word", "syllable"):
        of_kind = [pair for pair in pairs if talker(pair[0]) and pair[0].what == kind]
        cells = [share([p for p in of_kind if p[0].sex == sex], lambda c: c.in_bar, missed) for sex in "fm"]
        cells += [share(of_kind, lambda c: c.level_dbov >= -50 and 5 <= c.snr_db < 15, missed)]
        cells += [share(of_kind, lambda c: c.level_dbov >= -50 and c.snr_db < 5, missed)]
        cells += [share(of_kind, lambda c: c.level_dbov < -50 and c.snr_db >= 15, missed)]
        rows.append([kind, *(str(cell) for cell in cells)])
    headings = ["", "women", "men", "SNR 5 and 10 dB", "SNR 0 dB", "-54 and -58 dBov, SNR of 15 dB and more"]
    return "Talkers missed by the tap ear", headings, rows


def negatives_table(pairs: Sequence[Pair]) -> Rows:
    """What is taken for a talker, sound by sound."""
    names = dict.fromkeys(case.what for case, _ in pairs if not talker(case))
    rows = [[name, str(share([p for p in pairs if p[0].what == name], lambda c: True, taken))] for name in names]
    return "Taken for a talker by the tap ear, sound by sound", ["", "taken for a talker"], rows


def echo_table(found: Iterable[tuple[Way, Share, float]]) -> Rows:
    """Echoes alone, and callers who speak over the prompt."""
    rows = []
    for way, heard, after in found:
        who = "nobody" if way.talker_dbov is None else f"{way.talker_dbov:g} dBov"
        rows.append([str(way), who, str(heard), "" if way.talker_dbov is None else _ms(after)])
    headings = ["echo", "who speaks over the prompt", "heard as a caller", "median reaction ms"]
    return "Our own prompt come back", headings, rows


def _ms(value: float) -> str:
    return f"{value:.0f}" if value < 1e6 else "not in time"


def markdown(tables: Iterable[Rows], about: str) -> str:
    """The tables as one piece of Markdown, headed by the date and what was measured."""
    parts = [f"Measured on {datetime.datetime.now(datetime.UTC):%Y-%m-%d}; {about}\n"]
    for title, headings, rows in tables:
        lines = [" | ".join(cells) for cells in (headings, ["---"] * len(headings), *rows)]
        parts.append(f"**{title}**\n\n" + "\n".join(f"| {line} |" for line in lines) + "\n")
    return "\n".join(parts)


def show(tables: Iterable[Rows], console: Console) -> None:
    """The same on the terminal."""
    for title, headings, rows in tables:
        table = Table(title=title, title_justify="left")
        for heading in headings:
            table.add_column(heading)
        for row in rows:
            table.add_row(*row)
        console.print(table)


def write(text: str, path: Path = DOCS) -> None:
    """Put the text between the markers of docs/hearing.md."""
    before, _, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    path.write_text(f"{before}{BEGIN}\n{text}{END}{after}", encoding="utf-8")
