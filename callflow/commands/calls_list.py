"""What became of calls: in a phrase, in a sentence, as a table and as JSON."""

import json
from dataclasses import asdict
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from callflow.adapters.store.queries import Summary
from callflow.commands.terminal import console, printable
from callflow.commands.times import iso, seconds, shown
from callflow.core.call_record import CallRecord, TimelineEntry
from callflow.core.screening.states import Result
from callflow.records.calls import StoredCall

WIDE = 120
"""From this many columns on, a call fits on one line."""


STYLES = {
    Result.SPOKE: "green",
    Result.KEY: "green",
    Result.RESCUED: "bold green",
    Result.PASSED: "yellow",
    Result.SILENT: "red",
    Result.QUIET: "red",
    Result.OBSERVED: "cyan",
    Result.OFF: "dim",
    Result.UNAVAILABLE: "magenta",
    Result.TAKEN: "blue",
    Result.HANGUP: "yellow",
}
OUTCOMES = {
    Result.PASSED: "nobody was heard; the ladder handed the call to a person",
    Result.SILENT: "nobody was heard; callflow said goodbye and hung up",
    Result.QUIET: "the voice stayed too low to understand; callflow said goodbye and hung up",
    Result.OFF: "not screened",
    Result.UNAVAILABLE: "could not be screened to the end; went on to a person",
    Result.TAKEN: "a fax tone, a redirect or a transfer took the call",
    Result.HANGUP: "the caller hung up",
}


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


def outcome(call: StoredCall) -> str:
    """What happened, in one phrase."""
    record = call.record
    if call.interrupted:
        return "callflow stopped during this call; what followed is not known"
    match record.result:
        case None:
            return f"still going on, at rung {record.rung}"
        case Result.SPOKE:
            return f"the caller spoke{_when_heard(record)}"
        case Result.KEY:
            return f"the caller pressed a key{_when_heard(record)}"
        case Result.RESCUED:
            return f"the caller was heard{_when_heard(record)}, after the last rung had begun"
        case Result.OBSERVED:
            return _observed(record)
        case _:
            return OUTCOMES[record.result]


def sentence(call: StoredCall) -> str:
    """The outcome as a sentence, with what it meant for the caller."""
    result = call.record.result
    went_on = result in (Result.SPOKE, Result.KEY, Result.RESCUED) and not call.interrupted
    end = ", and went on to a person" if went_on else ""
    missed = " Not everything was heard, so the record is partial." if call.record.partial else ""
    text = outcome(call)
    return f"{text[0].upper()}{text[1:]}{end}.{missed}"


def summary_line(summary: Summary) -> str:
    """`12 calls: 9 spoke, 3 silent; 1 still going on`."""
    parts = ", ".join(f"{count:,} {result.value}" for result, count in summary.by_result.items())
    line = f"{summary.total:,} call{'' if summary.total == 1 else 's'}" + (f": {parts}" if parts else "")
    if summary.live:
        line += f"; {summary.live:,} still going on"
    if summary.interrupted:
        line += f"; {summary.interrupted:,} interrupted by a stop of callflow"
    return line


def observe_line(summary: Summary) -> str:
    """How observe mode fared: would-be hang-ups, and how many of those callers spoke afterwards."""
    line = f"observe mode: {summary.observed:,} observed, {summary.would_hang_up:,} would have been hung up"
    if not summary.would_hang_up:
        return line
    share = 100 * summary.false_hang_ups / summary.would_hang_up
    return f"{line}, {summary.false_hang_ups:,} of them spoke afterwards (false hang-ups: {share:.1f} %)"


def lasted(record: CallRecord) -> str:
    """How long the screening took, "" while it lasts."""
    return "" if record.ended_ms is None else f"{(record.ended_ms - record.arrived_ms) / 1000:.1f} s"


def heard(record: CallRecord) -> str:
    """What was heard last, how loud it was, and what it was raised by; "" where nothing was judged."""
    if record.heard is None:
        return ""
    level = "" if record.level_dbov is None else f", {record.level_dbov:g} dBov"
    gain = f", raised by {record.gain_db:g} dB" if record.gain_db else ""
    return f"{record.heard.value}{level}{gain}"


def _when_heard(record: CallRecord) -> str:
    return "" if record.heard_at_ms is None else f" {seconds(record.heard_at_ms - record.arrived_ms)} after arriving"


def _observed(record: CallRecord) -> str:
    match record.would:
        case None:
            return "observed; nothing was concluded"
        case Result.SILENT if record.heard_after_would:
            return f"would have been hung up, but spoke{_when_heard(record)}: a false hang-up"
        case Result.SILENT:
            return "would have been hung up; nobody was heard afterwards"
        case _:
            return f"observed; would have been: {record.would.value}{_when_heard(record)}"
