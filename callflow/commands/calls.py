"""`callflow calls`: the outcome of every call."""

import csv
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Protocol, TextIO

import typer
from rich.console import Console
from rich.progress import track

from callflow.adapters.store.lists import ringing
from callflow.adapters.store.places import Where, where
from callflow.adapters.store.queries import CallFilter, Reader
from callflow.commands.calls_list import call_json, print_calls, print_json
from callflow.commands.calls_rings import print_rings
from callflow.commands.calls_show import print_call
from callflow.commands.report_options import Db
from callflow.commands.sheets import LineFeeds, cell, whole_file
from callflow.commands.terminal import console, csv_output
from callflow.commands.times import iso, parse_when
from callflow.core.profile import Mode
from callflow.core.screening.states import Result
from callflow.errors import CallflowError
from callflow.records.calls import StoredCall

calls_app = typer.Typer(invoke_without_command=True, rich_markup_mode="markdown")


COLUMNS = (
    "node",
    "call_id",
    "uniqueid",
    "channel",
    "profile",
    "mode",
    "ladder",
    "ear",
    "language",
    "caller_number",
    "caller_name",
    "dialled",
    "arrived",
    "arrived_ms",
    "ended",
    "ended_ms",
    "result",
    "would",
    "rung",
    "heard_at",
    "heard_at_ms",
    "heard_after_would",
    "partial",
    "interrupted",
    "heard",
    "level_dbov",
    "gain_db",
)


class HasDatabase(Protocol):
    """What the context object must offer."""

    records: Callable[[], Where]


Node = Annotated[str | None, typer.Option("--node", help="Only calls of this daemon (node.name).")]
Since = Annotated[
    int | None,
    typer.Option(
        parser=parse_when,
        metavar="WHEN",
        help="Only calls since then: `30m`, `2h`, `1d`, `1w` (ago), `2026-01-31` or `2026-01-31T14:05`.",
    ),
]
Until = Annotated[
    int | None,
    typer.Option(parser=parse_when, metavar="WHEN", help="Only calls before then; same forms as --since."),
]
OfResult = Annotated[Result | None, typer.Option("--result", help="Only calls with this CALLFLOW_RESULT.")]
OfProfile = Annotated[str | None, typer.Option("--profile", help="Only calls of this profile.")]
OfCaller = Annotated[str | None, typer.Option("--caller", help="Only calls from this number (exact match).")]
OfMode = Annotated[Mode | None, typer.Option("--mode", help="Only calls screened in this mode.")]
Limit = Annotated[int, typer.Option(min=1, max=100_000, help="Show at most this many calls.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def list_calls(
    context: typer.Context,
    since: Since = None,
    until: Until = None,
    result: OfResult = None,
    profile: OfProfile = None,
    caller: OfCaller = None,
    mode: OfMode = None,
    node: Node = None,
    limit: Limit = 50,
    as_json: AsJson = False,
    db: Db = None,
) -> None:
    """List calls, newest first, with a summary.

    For calls in observe mode, the summary counts the callers that callflow would have hung up on, and how many of
    them spoke afterwards.

    Example: `callflow calls --since 1d --result silent`
    """
    if context.invoked_subcommand is not None:
        _refuse_lost_options(context)
        return
    wanted = CallFilter(since, until, result, profile, caller, mode, node)
    with Reader(_database(context, db)) as reader:
        calls, summary = reader.page(wanted, limit=limit), reader.summary(wanted)
    if as_json:
        print_json(calls, summary)
    else:
        print_calls(calls, summary)


calls_app.callback()(list_calls)
calls_app.command("list")(list_calls)


@calls_app.command("show")
def show(
    context: typer.Context,
    call_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the call, or its first characters.")],
    node: Node = None,
    as_json: AsJson = False,
    db: Db = None,
) -> None:
    """Explain one call: what callflow heard, said and decided, when and why, and afterwards which phones
    rang, who talked, and who was put on hold.

    Times are seconds since the caller arrived.

    Example: `callflow calls show 1769864703.12`
    """
    with Reader(_database(context, db)) as reader:
        call = reader.find(call_id, node)
        happened, rung = reader.happenings(call), ringing(reader, call)
    if as_json:
        print(json.dumps(call_json(call, happened) | asdict(rung), indent=2))
    else:
        print_call(call, happened, console())
        print_rings(rung, call.record.arrived_ms, console())


@calls_app.command("export")
def export(
    context: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="File to write; none or - is standard output.")
    ] = None,
    since: Since = None,
    until: Until = None,
    result: OfResult = None,
    profile: OfProfile = None,
    caller: OfCaller = None,
    mode: OfMode = None,
    node: Node = None,
    db: Db = None,
) -> None:
    """Write calls as CSV, oldest first: UTF-8, a header row, times as ISO with zone and as epoch milliseconds.

    Text that a spreadsheet would read as a formula (it begins with = + - or @) gets a ' in front.

    Example: `callflow calls export --since 2026-01-01 --until 2026-02-01 january.csv`
    """
    wanted = CallFilter(since, until, result, profile, caller, mode, node)
    with Reader(_database(context, db)) as reader:
        if file is None or str(file) == "-":
            with csv_output() as out:
                write_calls(reader.stream(wanted), out)
            return
        told = Console(stderr=True, highlight=False)
        calls = track(reader.stream(wanted), "exporting", total=reader.count(wanted), console=told, transient=True)
        with whole_file(file) as out:
            written = write_calls(calls, out)
        told.print(f"wrote {written:,} calls to {file}", markup=False, soft_wrap=True)


def _database(context: typer.Context, db: str | None) -> Where:
    """--db of the command, else of `callflow calls`, else of the settings."""
    above = context.parent.params.get("db") if context.parent else None
    named = db or above
    if named is not None:
        return where(named)
    settings: HasDatabase | None = context.obj
    if settings is None:
        raise CallflowError("no database given", remedy="name one with --db PATH")
    return settings.records()


def _refuse_lost_options(context: typer.Context) -> None:
    """An option before the subcommand would be silently ignored."""
    for name in context.params:
        source = context.get_parameter_source(name)
        if name != "db" and source is not None and source.name == "COMMANDLINE":
            raise typer.BadParameter(
                f"write --{name.replace('as_', '')} after {context.invoked_subcommand}, not before"
            )


def write_calls(calls: Iterable[StoredCall], out: TextIO) -> int:
    """Write all calls; returns how many."""
    rows = csv.writer(LineFeeds(out))
    rows.writerow(COLUMNS)
    written = 0
    for call in calls:
        rows.writerow([_cell(call, column) for column in COLUMNS])
        written += 1
    return written


def _cell(call: StoredCall, column: str) -> str | int | float:
    if column in ("node", "interrupted"):
        return cell(getattr(call, column))
    if column in ("arrived", "ended", "heard_at"):
        return iso(getattr(call.record, f"{column}_ms"))
    return cell(getattr(call.record, column))
