"""The outcome of calls: in a phrase, in a sentence, as a table and as JSON."""

import json
from dataclasses import asdict
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from callflow.adapters.store.queries import Summary
from callflow.commands.terminal import WIDE, console
from callflow.commands.times import iso, seconds, shown
from callflow.core.call_record import CallRecord, TimelineEntry
from callflow.core.printable import printable
from callflow.core.screening.states import Result
from callflow.records.calls import StoredCall

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
    Result.PASSED: "no sound from the caller; callflow passed the call on to a person",
    Result.SILENT: "no sound from the caller; callflow said goodbye and hung up",
    Result.QUIET: "the voice stayed too low to understand; callflow said goodbye and hung up",
    Result.OFF: "not screened",
    Result.UNAVAILABLE: "screening could not be completed; the call went on to a person",
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
        out.print(
            Text(f"showing the newest {len(calls):,}; use --limit for more, --since and other filters for fewer", "dim")
        )


def print_json(calls: list[StoredCall], summary: Summary) -> None:
    """`{"calls": [...], "summary": {...}}`, newest first."""
    counts = asdict(summary) | {"by_result": {result.value: n for result, n in summary.by_result.items()}}
    print(json.dumps({"calls": [call_json(call) for call in calls], "summary": counts}, indent=2))


def call_json(call: StoredCall, happened: list[TimelineEntry] | None = None) -> dict[str, Any]:
    """A call with all its fields, times as epoch ms and as ISO, and its timeline if given."""
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
    """Three lines for a call: when and who, the outcome, the id."""
    several_nodes = len({call.node for call in calls}) > 1
    lines: list[RenderableType] = []
    for call in calls:
        record = call.record
        head = Text.assemble((shown(record.arrived_ms), "bold"), "  ", _caller(call), "  ", result_text(record.result))
        what = f"{outcome(call)} (rung {record.rung}, {record.profile}, {record.mode.value}) {lasted(record)}".rstrip()
        below = Group(Text(printable(what)), Text(_id(call, several_nodes), "dim"))
        lines += [head, Padding(below, (0, 0, 0, 2), expand=False)]
    return Group(*lines)


def _id(call: StoredCall, with_node: bool) -> str:
    return printable(call.record.call_id + (f" ({call.node})" if with_node else ""))


def _caller(call: StoredCall) -> str:
    return printable(f"{call.record.caller_number or '(no number)'} {call.record.caller_name}".strip())


def result_text(result: Result | None) -> Text:
    """The result in its colour."""
    return Text("live", "bold") if result is None else Text(result.value, STYLES[result])


def outcome(call: StoredCall) -> str:
    """The outcome in one phrase."""
    record = call.record
    if call.interrupted:
        return "callflow stopped during this call; the outcome is not known"
    match record.result:
        case None:
            return f"in progress, at rung {record.rung}"
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
    """The outcome as a sentence, and where the caller went."""
    result = call.record.result
    went_on = result in (Result.SPOKE, Result.KEY, Result.RESCUED) and not call.interrupted
    end = ", and went on to a person" if went_on else ""
    missed = " Some events were lost, so the record is partial." if call.record.partial else ""
    text = outcome(call)
    return f"{text[0].upper()}{text[1:]}{end}.{missed}"


def summary_line(summary: Summary) -> str:
    """`12 calls: 9 spoke, 3 silent; 1 in progress`."""
    parts = ", ".join(f"{count:,} {result.value}" for result, count in summary.by_result.items())
    line = f"{summary.total:,} call{'' if summary.total == 1 else 's'}" + (f": {parts}" if parts else "")
    if summary.live:
        line += f"; {summary.live:,} in progress"
    if summary.interrupted:
        line += f"; {summary.interrupted:,} interrupted because callflow stopped"
    return line


def observe_line(summary: Summary) -> str:
    """Observe mode: how many callers would have been hung up on, and how many of them spoke afterwards."""
    line = f"observe mode: {summary.observed:,} observed, {summary.would_hang_up:,} would have been hung up on"
    if not summary.would_hang_up:
        return line
    share = 100 * summary.false_hang_ups / summary.would_hang_up
    return f"{line}, {summary.false_hang_ups:,} of them spoke afterwards (false hang-ups: {share:.1f} %)"


def lasted(record: CallRecord) -> str:
    """How long the screening took; "" while it lasts."""
    return "" if record.ended_ms is None else f"{(record.ended_ms - record.arrived_ms) / 1000:.1f} s"


def heard(record: CallRecord) -> str:
    """The last finding, its level and the gain; "" if nothing was judged."""
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
            return "observed; no decision was reached"
        case Result.SILENT if record.heard_after_would:
            return f"would have been hung up on, but spoke{_when_heard(record)}: a false hang-up"
        case Result.SILENT:
            return "would have been hung up on; no sound afterwards"
        case _:
            return f"observed; the result would have been {record.would.value}{_when_heard(record)}"
