"""`callflow cases`: open cases, and the news that their callers get at least once a day."""

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from callflow.adapters.store.callback_list import CallbackList
from callflow.adapters.store.case_list import CaseList, listed_cases
from callflow.adapters.store.queries import Reader
from callflow.commands.callbacks import AsJson, By, Db
from callflow.commands.case_file import read_cases
from callflow.commands.context import Context, who
from callflow.commands.terminal import console
from callflow.commands.times import iso, shown, shown_seconds
from callflow.core.callbacks.hours import UnknownHours, zone_of
from callflow.core.callbacks.numbers import UndialableNumber, dialable
from callflow.core.cases import HOUR_MS, Case, CaseClosed, CaseKind, checked_reference, new_case
from callflow.errors import CallflowError
from callflow.settings.model import Settings

cases_app = typer.Typer(
    help="Open cases: their callers get news at least once a day until the case is closed.\n\n"
    "When news is due, callflow puts the caller on the call-back list. `news` says what they were told, "
    'even if it is "nothing new yet". A case without news raises an alert.',
    no_args_is_help=True,
    rich_markup_mode="markdown",
)
Reference = Annotated[str, typer.Argument(help="The reference of the case, as your own system names it.")]


@cases_app.command("list")
def list_cases(
    context: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="Closed cases, too.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="At most so many.")] = 200,
    as_json: AsJson = False,
    db: Db = None,
) -> None:
    """List open cases, the earliest due news first.

    Example: `callflow cases list`
    """
    settings = _settings(context)
    with Reader(db or settings.store.path) as reader:
        found = listed_cases(reader.rows, settings.node.name, limit)
    found = found if every else [case for case in found if case.open]
    if as_json:
        print(json.dumps({"cases": [case_json(case) for case in found]}, indent=2))
    else:
        _print(found, _now_ms())


@cases_app.command("add")
def add(
    context: typer.Context,
    reference: Reference,
    number: Annotated[str, typer.Option("--number", help="Caller to give news to; without one, only a reminder.")] = "",
    kind: Annotated[CaseKind, typer.Option("--kind", help="installation: news within 24 h.")] = CaseKind.GENERAL,
    profile: Annotated[str, typer.Option("--profile", help="Profile whose calling hours count.")] = "default",
    zone: Annotated[str, typer.Option("--zone", help="IANA zone of the caller. Default: the profile's.")] = "",
    by: By = "",
    as_json: AsJson = False,
    db: Db = None,
) -> None:
    """Open a case.

    Example: `callflow cases add T-2041 --number 13855550100 --kind installation`
    """
    settings = _settings(context)
    rules = settings.callbacks
    try:
        digits = dialable(number, rules.dialable, rules.refused) if number else ""
        if zone:
            zone_of(zone)
        zone, named = zone or rules.profile(profile).zone, checked_reference(reference)
        case = new_case(named, digits, kind, profile, zone, _now_ms(), who(by), rules.case_news_h)
    except (UndialableNumber, UnknownHours, ValueError) as error:
        raise CallflowError(str(error), "callflow cases add --help") from None
    _list(context, db, new=True).add(case)
    _tell(case, f"is open; news is due {shown(case.news_due_ms)}", as_json=as_json)


@cases_app.command("news")
def news(
    context: typer.Context,
    reference: Reference,
    text: Annotated[str, typer.Argument(help='What the caller was told, even if it is "nothing new yet".')],
    next_h: Annotated[
        float | None,
        typer.Option("--next-h", min=0.1, max=168, help="Hours to the next news. Default: case_news_h."),
    ] = None,
    by: By = "",
    as_json: AsJson = False,
    db: Db = None,
) -> None:
    """Record that the caller got news: the next is due a day later.

    Example: `callflow cases news T-2041 "nothing new yet; the part comes on Friday"`
    """
    now_ms, hours = _now_ms(), next_h or _settings(context).callbacks.case_news_h
    case = _change(context, db, reference, lambda now: now.told(now_ms, who(by), text, now_ms + round(HOUR_MS * hours)))
    _tell(case, f"has news; the next is due {shown(case.news_due_ms)}", as_json=as_json)


@cases_app.command("close")
def close(
    context: typer.Context,
    reference: Reference,
    text: Annotated[str, typer.Argument(help="What the caller was told last.")] = "",
    by: By = "",
    as_json: AsJson = False,
    db: Db = None,
) -> None:
    """Close a case.

    Example: `callflow cases close T-2041 "works again"`
    """
    case = _change(context, db, reference, lambda now: now.closed(_now_ms(), who(by), text))
    _tell(case, "is closed", as_json=as_json)


@cases_app.command("import")
def import_cases(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="CSV in UTF-8: reference, number, kind, opened, profile, zone.")],
    by: By = "",
    as_json: AsJson = False,
    db: Db = None,
) -> None:
    """Open the cases of a CSV file, all or none; a mistake is reported with file and line.

    The first line names the columns; only `reference` is needed.

    Example: `callflow cases import open-cases.csv`
    """
    found = read_cases(file, _settings(context).callbacks, _now_ms(), who(by))
    _list(context, db, new=True).add(*found)
    if as_json:
        print(json.dumps({"cases": [case_json(case) for case in found]}, indent=2))
    else:
        print(f"{len(found)} cases are open")


def case_json(case: Case) -> dict[str, Any]:
    """All fields, times as epoch ms and as ISO."""
    fields = asdict(case)
    for name in ("opened", "news_due", "changed", "closed"):
        fields[name] = iso(fields[f"{name}_ms"]) or None
    return fields


def _change(context: typer.Context, db: Path | None, reference: str, make: Any) -> Case:
    try:
        return _list(context, db).change(reference, make)
    except CaseClosed as error:
        raise CallflowError(str(error), "open another case") from None


def _print(found: list[Case], now_ms: int) -> None:
    out = console()
    if found:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for name in ("reference", "kind", "caller", "opened", "news due", "last news"):
            table.add_column(name, overflow="fold")
        for case in found:
            late_s = (now_ms - case.news_due_ms) / 1000
            due = f"in {shown_seconds(-late_s)}" if late_s < 0 else f"late by {shown_seconds(late_s)}"
            due = due if case.open else "closed"
            style = "dim" if not case.open else "bold red" if late_s >= 0 else ""
            cells = (case.reference, case.kind.value, case.number or "-", shown(case.opened_ms))
            table.add_row(*map(Text, cells), Text(due, style), Text(case.news or "-"))
        out.print(table)
    late = sum(case.open and case.news_due_ms <= now_ms for case in found)
    out.print(Text(f"{len(found)} cases" + (f", {late} without the news that is due" if late else "")))


def _tell(case: Case, what: str, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(case_json(case), indent=2))
    else:
        console().print(f"{case.reference} {what}", markup=False)


def _list(context: typer.Context, db: Path | None, *, new: bool = False) -> CaseList:
    """The list of this node; a `new` one is made where there is no file. Raises StoreError."""
    settings = _settings(context)
    path = db or settings.store.path
    beside = CallbackList(path, settings.node.name)
    if new:
        beside.prepare()
    else:
        beside.check()
    return CaseList(path, settings.node.name)


def _settings(context: typer.Context) -> Settings:
    found: Context = context.obj
    return found.settings()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
