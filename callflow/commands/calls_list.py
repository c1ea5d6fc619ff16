"""The table of calls, and the same as JSON."""

import json
from dataclasses import asdict
from typing import Any

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from callflow.adapters.store.queries import Summary
from callflow.adapters.store.rows import StoredCall
from callflow.commands.calls_when import iso, shown
from callflow.commands.calls_words import STYLES, lasted, observe_line, outcome, printable, summary_line
from callflow.core.call_record import TimelineEntry
from callflow.core.screening.states import Result

WIDTH_IN_A_PIPE = 240
WIDE = 120
"""From this many columns on, a call fits on one line."""


def console() -> Console:
    """Where people read: as wide as the terminal, and wide enough for whole lines when it is none."""
    standard = Console(highlight=False)
    return standard if standard.is_terminal else Console(highlight=False, width=WIDTH_IN_A_PIPE)


def print_calls(calls: list[StoredCall], summary: Summary) -> None:
    """The table, and below it the counts over all calls that match."""
    out = console()
    if calls:
        out.print(_wide(calls) if out.width >= WIDE else _narrow(calls))
    out.print(Text(summary_line(summary)))
    if summary.observed:
        out.print(Text(observe_line(summary), style="red" if summary.false_hang_ups else "cyan"))
    if len(calls) < summary.total:
        out.print(Text(f"the newest {len(calls):,} are shown; --limit shows more, --since and others fewer", "dim"))


def print_json(calls: list[StoredCall], summary: Summary) -> None:
    """`{"calls": [...], "summary": {...}}`, newest first."""
    counts = asdict(summary) | {"by_result": {result.value: n for result, n in summary.by_result.items()}}
    print(json.dumps({"calls": [call_json(call) for call in calls], "summary": counts}, indent=2))


def call_json(call: StoredCall, happened: list[TimelineEntry] | None = None) -> dict[str, Any]:
    """A call with all its fields, times both as epoch ms and as ISO, and what happened if given."""
    record = call.record
    fields: dict[str, Any] = {"node": call.node, **asdict(record), "interrupted": call.interrupted}
    for name in ("arrived", "ended", "heard_at"):
        fields[name] = iso(getattr(record, f"{name}_ms")) or None
    if happened is not None:
        fields["happenings"] = [asdict(entry) for entry in happened]
    return fields


def _wide(calls: list[StoredCall]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("id", "arrived", "caller", "profile", "mode", "result", "rung", "what happened", "lasted"):
        right = name in ("rung", "lasted")
        whole = name in ("mode", "result", "lasted")
        table.add_column(name, overflow="fold", justify="right" if right else "left", no_wrap=whole)
    several_nodes = len({call.node for call in calls}) > 1
    for call in calls:
        record = call.record
        table.add_row(
            Text(_id(call, several_nodes)),
            Text(shown(record.arrived_ms)),
            Text(_caller(call)),
            Text(printable(record.profile)),
            Text(record.mode.value),
            result_text(record.result),
            Text(str(record.rung)),
            Text(outcome(call)),
            Text(lasted(record)),
        )
    return table


def _narrow(calls: list[StoredCall]) -> Group:
    """Two lines and more for a call: who and when, then what."""
    several_nodes = len({call.node for call in calls}) > 1
    lines: list[Text] = []
    for call in calls:
        record = call.record
        head = Text.assemble((shown(record.arrived_ms), "bold"), "  ", _caller(call), "  ", result_text(record.result))
        what = f"{outcome(call)} (rung {record.rung}, {record.profile}, {record.mode.value}) {lasted(record)}".rstrip()
        lines += [head, Text(f"  {printable(what)}"), Text(f"  {_id(call, several_nodes)}", "dim")]
    return Group(*lines)


def _id(call: StoredCall, with_node: bool) -> str:
    return printable(call.record.call_id + (f" ({call.node})" if with_node else ""))


def _caller(call: StoredCall) -> str:
    return printable(f"{call.record.caller_number or '(no number)'} {call.record.caller_name}".strip())


def result_text(result: Result | None) -> Text:
    """The result in its colour."""
    return Text("live", "bold") if result is None else Text(result.value, STYLES[result])
