"""One call explained: the facts, a picture of who was heard when, and everything that happened in order."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from callflow.adapters.store.rows import StoredCall
from callflow.commands.calls_list import result_text
from callflow.commands.calls_picture import picture
from callflow.commands.calls_when import seconds, shown_exactly
from callflow.commands.calls_words import heard, lasted, printable, sentence
from callflow.core.call_record import Kind, TimelineEntry

GAP_MS = 500
"""Nothing happening for this long is shown as a line of its own."""

ACTS = {
    Kind.ARRIVED: ("asterisk", "hands the caller over, profile {what}"),
    Kind.EAR: ("asterisk", "ear {what}"),
    Kind.SAID: ("callflow", "says {what}"),
    Kind.PROMPT_ENDED: ("asterisk", "{what} has ended"),
    Kind.PROMPT_STOPPED: ("callflow", "stops {what}"),
    Kind.PROMPT_FAILED: ("asterisk", "cannot play {what}"),
    Kind.CLICK: ("caller", "a click of {what}"),
    Kind.SPEECH: ("caller", "speaks {what}"),
    Kind.HEARD: ("callflow", "has heard {what}"),
    Kind.GAIN: ("callflow", "raises the caller's voice {what}"),
    Kind.KEY: ("caller", "presses {what}"),
    Kind.SILENCE: ("caller", "silent for {what}"),
    Kind.PAUSE: ("callflow", "pauses for {what}"),
    Kind.DECIDED: ("callflow", "decides: {what}"),
    Kind.WOULD: ("callflow", "would decide: {what}"),
    Kind.LINK_LOST: ("asterisk", "link {what} is lost"),
    Kind.HUNG_UP: ("caller", "hangs up"),
    Kind.TAKEN: ("asterisk", "takes the call elsewhere"),
}
WHO_STYLES = {"caller": "green", "callflow": "cyan", "asterisk": "dim"}


def print_call(call: StoredCall, happened: list[TimelineEntry], out: Console) -> None:
    """Facts, picture, timeline and a sentence on the outcome."""
    out.print(_facts(call))
    in_order = sorted(happened, key=lambda entry: (entry.at_ms, entry.seq))
    drawn = picture(call.record.arrived_ms, in_order, ascii_only=out.options.ascii_only)
    for line in drawn:
        out.print(Text(line), soft_wrap=True)
    if drawn:
        out.print()
    out.print(_timeline(call.record.arrived_ms, in_order, ascii_only=out.options.ascii_only))
    if not in_order:
        out.print(Text("nothing is recorded of what happened in this call", "dim"))
    out.print()
    out.print(Text(sentence(call), "bold"))


def _facts(call: StoredCall) -> Table:
    record = call.record
    name = f' "{record.caller_name}"' if record.caller_name else ""
    facts = {
        "call": f"{record.call_id} on node {call.node}",
        "arrived": shown_exactly(record.arrived_ms) + (f", screened for {lasted(record)}" if record.ended_ms else ""),
        "caller": f"{record.caller_number or '(no number)'}{name}, dialled {record.dialled or '(unknown)'}",
        "channel": f"{record.channel}, uniqueid {record.uniqueid}",
        "screened by": f"profile {record.profile}, mode {record.mode.value}, ladder {record.ladder}, "
        f"language {record.language or '(none)'}, ear {record.ear}",
    }
    table = Table.grid(padding=(0, 2))
    for label, fact in facts.items():
        table.add_row(Text(label, "dim"), Text(printable(fact), overflow="fold"))
    if record.heard is not None:
        table.add_row(Text("last heard", "dim"), Text(heard(record)))
    table.add_row(Text("result", "dim"), result_text(record.result) + Text(f" at rung {record.rung}"))
    table.add_row("")
    return table


def _timeline(arrived_ms: int, happened: list[TimelineEntry], *, ascii_only: bool) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", no_wrap=True)
    before_ms = arrived_ms
    for entry in happened:
        gap_ms = entry.at_ms - before_ms
        if gap_ms >= GAP_MS:
            table.add_row(Text(":" if ascii_only else "┆", "dim"), "", Text(f"{seconds(gap_ms)} pass", "dim"))
        before_ms = entry.at_ms
        table.add_row(*_cells(entry, entry.at_ms - arrived_ms))
    return table


def _cells(entry: TimelineEntry, offset_ms: int) -> list[Text]:
    who, does = ACTS.get(entry.kind, ("asterisk", f"{entry.kind.value} {{what}}"))
    what = does.format(what=printable(entry.what)).strip()
    cell = Text(what)
    if entry.why:
        cell.append(f"  ({printable(entry.why)})", "dim")
    return [Text(seconds(offset_ms)), Text(who, WHO_STYLES[who]), cell]
