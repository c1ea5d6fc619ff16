"""`callflow standards`: the service as it was, against what is promised."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from callflow.adapters.store.queries import Reader
from callflow.adapters.store.standing import DAY_MS, Standing, standing
from callflow.commands.report_options import NAMES, AsCsv, AsJson, Db, From, To, Zone, asked_period
from callflow.commands.report_period import Period
from callflow.commands.sheets import Sheet, print_csv, print_json
from callflow.commands.terminal import console
from callflow.core.printable import printable
from callflow.core.service.measures import Unit
from callflow.core.service.standards import Judged, Light, Trend
from callflow.errors import SettingError
from callflow.settings.standards import StandardsOptions, read_standards

STYLES = {Light.GREEN: "green", Light.YELLOW: "yellow", Light.RED: "bold red", Light.NONE: "dim"}
ARROWS = {Trend.BETTER: "better", Trend.SAME: "same", Trend.WORSE: "worse", Trend.UNKNOWN: "-"}
COLUMNS = (
    "standard", "measure", "unit", "perceived", "cases", "adequate", "desired", "msa", "mss", "judgement", "words",
    "trend", "before", "owner", "reviewed", "review_overdue",
)  # fmt: skip


def standards(
    context: typer.Context,
    period: Annotated[
        str | None,
        typer.Argument(
            metavar="[PERIOD]",
            help=f"{NAMES}. Default: the last days, as set in `standards.days`.",
        ),
    ] = None,
    since: From = None,
    until: To = None,
    zone: Zone = None,
    file: Annotated[
        Path | None, typer.Option("--file", metavar="FILE", help="Standards to judge. Default: standards.file.")
    ] = None,
    as_json_: AsJson = False,
    as_csv: AsCsv = False,
    db: Db = None,
) -> None:
    """Judge the service standards: what callers got, against the adequate and the desired level.

    MSA is perceived - adequate, MSS is perceived - desired; above zero is good, also where lower is better.
    A standard with too few cases is not judged. docs/standards.md explains the file and every measure.

    Example: `callflow standards last-month`
    """
    settings = context.obj.settings()
    options: StandardsOptions = settings.standards
    path = file or options.find()
    if path is None:
        raise SettingError(
            "[standards] file",
            "there is no file of service standards",
            "copy config/standards.toml to /etc/callflow and edit it",
        )
    found = read_standards(path)
    now_ms = time.time_ns() // 1_000_000
    days_ms = options.days * DAY_MS
    wanted = asked_period(period, since, until, zone, now_ms, lambda zone: Period(now_ms - days_ms, now_ms, zone))
    end_ms = max(wanted.start_ms + 1, min(wanted.end_ms, now_ms))
    with Reader(context.obj.records(db)) as reader:
        judged = standing(reader, found, settings.targets(), wanted.start_ms, end_ms, now_ms)
    if as_json_:
        print_json(sheet_of(judged))
    elif as_csv:
        print_csv(sheet_of(judged))
    else:
        _print(judged, wanted)


def sheet_of(stands: Standing) -> Sheet:
    """All standards as plain values."""
    about = {
        "from": datetime.fromtimestamp(stands.start_ms / 1000, UTC).isoformat(),
        "to": datetime.fromtimestamp(stands.end_ms / 1000, UTC).isoformat(),
    }
    return Sheet("callflow standards", COLUMNS, [_values(one) for one in stands.judged], about)


def _values(one: Judged) -> list[int | float | str | bool | None]:
    standard = one.standard
    reviewed = None if standard.reviewed is None else standard.reviewed.isoformat()
    return [
        standard.name, standard.measure, standard.taken.unit.value, one.perceived, one.cases, standard.adequate,
        standard.desired, one.msa, one.mss, one.light.value, one.words, one.trend.value, one.before, standard.owner,
        reviewed, one.overdue,
    ]  # fmt: skip


def _print(stands: Standing, period: Period) -> None:
    out = console()
    out.print(Text(period.shown(), "bold"))
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("standard", overflow="fold")
    for heading in ("perceived", "n", "adequate", "desired", "MSA", "MSS"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("judgement", overflow="fold")
    table.add_column("trend", no_wrap=True)
    for one in stands.judged:
        unit = one.standard.taken.unit
        style = STYLES[one.light]
        table.add_row(
            Text(printable(one.standard.name)),
            Text(_level(one.perceived, unit), "bold"),
            Text(f"{one.cases:,}"),
            Text(_level(one.standard.adequate, unit)),
            Text(_level(one.standard.desired, unit)),
            Text(_signed(one.msa), style),
            Text(_signed(one.mss), style),
            Text(one.words, style),
            Text(ARROWS[one.trend]),
        )
    out.print(table)
    out.print(Text("MSA: perceived - adequate; MSS: perceived - desired; above zero is good in both", "dim"))
    for one in stands.judged:
        if one.overdue:
            when = f"was reviewed last on {one.standard.reviewed}" if one.standard.reviewed else "was never reviewed"
            out.print(Text(f"{printable(one.standard.name)} {when}: review it at least once a year", "yellow"))


def _level(value: float | None, unit: Unit) -> str:
    if value is None:
        return "-"
    return f"{value:.2f}" if unit is Unit.SCORE else f"{value:.1f} {unit.value}"


def _signed(value: float | None) -> str:
    return "-" if value is None else f"{value:+.2f}"
