"""`callflow report`: rings, service and screened callers of any period."""

import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track

from callflow.adapters.store.queries import Reader
from callflow.commands.report_figures import By, Report, make_report
from callflow.commands.report_lists import Listed, list_sheet, print_list
from callflow.commands.report_options import NAMES, AsCsv, AsJson, Db, From, OfNode, To, Zone, asked_period
from callflow.commands.report_period import Period, Slot, named_period
from callflow.commands.report_table import print_report, report_sheet
from callflow.commands.sheets import Sheet, kind_of, print_csv, print_json, write_sheet
from callflow.commands.terminal import console
from callflow.core.rings.names import safe_name
from callflow.core.service.grouping import Scope, Span, Whom
from callflow.core.service.targets import Targets
from callflow.errors import CallflowError

BY: dict[str, By] = {by.value: by for by in (*Whom, *Slot)}
APART = ({Whom.QUEUE, Whom.LINE}, {Whom.AGENT, Whom.LINE})
"""No record has both of these."""


def report(
    context: typer.Context,
    period: Annotated[
        str | None,
        typer.Argument(
            metavar="[PERIOD]",
            help=f"{NAMES}. Default: `today`.",
        ),
    ] = None,
    since: From = None,
    until: To = None,
    zone: Zone = None,
    by: Annotated[
        list[str] | None,
        typer.Option("--by", metavar="WHAT", help=f"One row for each {', '.join(BY)}; combine with commas."),
    ] = None,
    queues: Annotated[str | None, typer.Option(metavar="A,B", help="Only these queues, added up.")] = None,
    agents: Annotated[str | None, typer.Option(metavar="A,B", help="Only these agents, by work number.")] = None,
    lines: Annotated[str | None, typer.Option(metavar="A,B", help="Only these direct lines.")] = None,
    node: OfNode = None,
    all_formulas: Annotated[
        bool, typer.Option("--all-formulas", help="Show the service level by all formulas, A to F.")
    ] = False,
    listed: Annotated[
        Listed | None, typer.Option("--list", help="List calls, or agents' pauses or wrap-ups, instead of figures.")
    ] = None,
    as_json_: AsJson = False,
    as_csv: AsCsv = False,
    file: Annotated[
        Path | None, typer.Option("--file", metavar="FILE", help="Write FILE.csv, FILE.json or FILE.xlsx (Excel).")
    ] = None,
    db: Db = None,
) -> None:
    """Report rings, service level, waiting, abandonment, silent callers and occupancy for any period.

    Records that may be wrong count only as uncertain. A figure without measurements is left out.
    docs/reports.md explains every figure.

    Example: `callflow report yesterday --by queue`
    """
    if file is not None:
        kind_of(file)
    if sum((as_json_, as_csv, file is not None)) > 1:
        raise typer.BadParameter("--json, --csv and --file cannot be combined")
    now_ms = time.time_ns() // 1_000_000
    wanted = asked_period(period, since, until, zone, now_ms, lambda zone: named_period("today", zone, now_ms))
    parted = _by(by or [])
    scope = Scope(tuple(map(safe_name, _names(queues))), _names(agents), _names(lines), node)
    _refuse_apart({*parted, *scope.asked()})
    database = context.obj.records(db)
    with Reader(database) as reader:
        if listed is not None:
            calls = list_sheet(reader, listed, wanted, scope)
            if not _put(calls, file, as_json=as_json_, as_csv=as_csv):
                print_list(calls, wanted, console())
            return
        made = _make(reader, wanted, parted, scope, context.obj.settings().targets())
    sheet = report_sheet(made, all_formulas=all_formulas)
    if not _put(sheet, file, as_json=as_json_, as_csv=as_csv):
        print_report(made, console(), all_formulas=all_formulas)


def _put(sheet: Sheet, file: Path | None, *, as_json: bool, as_csv: bool) -> bool:
    """Write or print the sheet; False if a table for people is wanted."""
    if file is not None:
        write_sheet(sheet, file)
        _told().print(f"wrote {file}", markup=False, soft_wrap=True)
    elif as_json:
        print_json(sheet)
    elif as_csv:
        print_csv(sheet)
    return file is not None or as_json or as_csv


def _make(reader: Reader, period: Period, by: tuple[By, ...], scope: Scope, targets: Targets) -> Report:
    """The report; raises CallflowError for a queue, agent or line without records."""
    now_ms = time.time_ns() // 1_000_000
    made = make_report(reader, period, by, scope, targets, now_ms, _track)
    for whom in scope.asked():
        known = make_report(reader, period, (whom,), Scope(node=scope.node), targets, now_ms, _track)
        names = [row.names[0] for row in known.rows]
        missing = [name for name in scope.names(whom) if name not in names]
        if missing:
            remedy = f"this period has {', '.join(names[:20])}" if names else f"no {whom} has records in this period"
            raise CallflowError(f"there are no records of {whom} {', '.join(missing)} in this period", remedy)
    return made


def _by(given: list[str]) -> tuple[By, ...]:
    found: list[By] = []
    for name in (name for words in given for name in _names(words)):
        if name not in BY:
            raise typer.BadParameter(f"--by {name!r} is not known: write {', '.join(BY)}")
        found.append(BY[name])
    return tuple(dict.fromkeys(found))


def _refuse_apart(asked: set[By]) -> None:
    """Rows and narrowing together must ask for what something measured knows."""
    for pair in APART:
        if pair <= asked:
            raise typer.BadParameter(f"no record has both {' and '.join(sorted(pair))}: choose one")


def _names(words: str | None) -> tuple[str, ...]:
    """Names with commas between."""
    return tuple(dict.fromkeys(name.strip() for name in (words or "").split(",") if name.strip()))


def _track(spans: list[Span]) -> Iterable[Span]:
    """A progress bar on standard error for periods of more than a few weeks."""
    if len(spans) < 6 or not sys.stderr.isatty():
        return spans
    return track(spans, "counting", console=_told(), transient=True)


def _told() -> Console:
    return Console(stderr=True, highlight=False)
