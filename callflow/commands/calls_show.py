"""One call explained: the facts, a picture of who was heard when, and the whole timeline."""

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from callflow.commands.calls_list import heard, lasted, result_text, sentence
from callflow.commands.times import seconds, shown_exactly
from callflow.core.call_record import Kind, TimelineEntry
from callflow.core.printable import printable
from callflow.records.calls import StoredCall

GAP_MS = 500
"""A gap at least this long gets a line of its own."""

ACTS = {
    Kind.ARRIVED: ("asterisk", "starts screening, profile {what}"),
    Kind.EAR: ("asterisk", "sound detection {what}"),
    Kind.SAID: ("callflow", "says {what}"),
    Kind.PROMPT_ENDED: ("asterisk", "{what} has ended"),
    Kind.PROMPT_STOPPED: ("callflow", "stops {what}"),
    Kind.PROMPT_FAILED: ("asterisk", "cannot play {what}"),
    Kind.CLICK: ("caller", "clicks for {what}"),
    Kind.SPEECH: ("caller", "speaks {what}"),
    Kind.HEARD: ("callflow", "heard {what}"),
    Kind.GAIN: ("callflow", "raises the gain: {what}"),
    Kind.KEY: ("caller", "presses {what}"),
    Kind.SILENCE: ("caller", "is silent for {what}"),
    Kind.PAUSE: ("callflow", "pauses for {what}"),
    Kind.DECIDED: ("callflow", "decides: {what}"),
    Kind.WOULD: ("callflow", "would decide: {what}"),
    Kind.LINK_LOST: ("asterisk", "link {what} is lost"),
    Kind.HUNG_UP: ("caller", "hangs up"),
    Kind.TAKEN: ("asterisk", "moves the call elsewhere"),
}
WHO_STYLES = {"caller": "green", "callflow": "cyan", "asterisk": "dim"}


CELLS = 60
MARKS = {Kind.SPEECH: "S", Kind.KEY: "K", Kind.CLICK: "c", Kind.HUNG_UP: "H"}
PROMPT_ENDS = (Kind.PROMPT_ENDED, Kind.PROMPT_STOPPED, Kind.PROMPT_FAILED)


def print_call(call: StoredCall, happened: list[TimelineEntry], out: Console) -> None:
    """Facts, picture, timeline, and the outcome in a sentence."""
    out.print(_facts(call))
    in_order = sorted(happened, key=lambda entry: (entry.at_ms, entry.seq))
    drawn = picture(call.record.arrived_ms, in_order, ascii_only=out.options.ascii_only)
    for line in drawn:
        out.print(Text(line), soft_wrap=True)
    if drawn:
        out.print()
    out.print(_timeline(call.record.arrived_ms, in_order, ascii_only=out.options.ascii_only))
    if not in_order:
        out.print(Text("no timeline is stored for this call", "dim"))
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
            table.add_row(Text(":" if ascii_only else "┆", "dim"), "", Text(f"{seconds(gap_ms)} later", "dim"))
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


def picture(arrived_ms: int, happened: list[TimelineEntry], *, ascii_only: bool) -> list[str]:
    """Lines of text, none for a call too short to draw; `happened` in order of time."""
    end_ms = max((entry.at_ms for entry in happened), default=arrived_ms)
    length_ms = end_ms - arrived_ms
    if length_ms <= 0:
        return []

    def cell(at_ms: int) -> int:
        return max(0, min(CELLS - 1, (at_ms - arrived_ms) * CELLS // length_ms))

    prompt, pause, nothing = ("=", "-", ".") if ascii_only else ("█", "░", "·")
    callflow, caller = [nothing] * CELLS, [nothing] * CELLS
    for start_ms, stop_ms, is_prompt in _spans(happened, end_ms):
        for at in range(cell(start_ms), cell(stop_ms) + 1):
            callflow[at] = prompt if is_prompt else pause
    for entry in happened:
        if entry.kind in MARKS:
            caller[cell(entry.at_ms)] = MARKS[entry.kind]
    right = f"{length_ms / 1000:.1f} s"
    return [
        f"{'':10}0 s{right:>{CELLS - 3}}",
        f"{'callflow':10}{''.join(callflow)}",
        f"{'caller':10}{''.join(caller)}",
        f"{'':10}{prompt} prompt  {pause} pause  S speech  K key  c click  H hangs up",
    ]


def _spans(happened: list[TimelineEntry], end_ms: int) -> Iterator[tuple[int, int, bool]]:
    """Start, end and True for each prompt, False for each pause."""
    start_ms: int | None = None
    for entry in happened:
        if entry.kind is Kind.SAID:
            start_ms = entry.at_ms
        elif entry.kind in PROMPT_ENDS and start_ms is not None:
            yield start_ms, entry.at_ms, True
            start_ms = None
        elif entry.kind is Kind.PAUSE:
            start_ms = None
            yield entry.at_ms, end_ms, False
    if start_ms is not None:
        yield start_ms, end_ms, True
