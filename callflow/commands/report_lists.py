"""The lists behind a report: abandoned calls, silent calls, agents' pauses and wrap-ups."""

from enum import StrEnum
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from callflow.adapters.store.lists import abandoned, pauses, unheard, wrapped_up
from callflow.adapters.store.queries import Reader
from callflow.commands.report_period import Period
from callflow.commands.report_table import print_deleted
from callflow.commands.sheets import Sheet, Value
from callflow.commands.terminal import WIDE
from callflow.commands.times import iso, shown_seconds
from callflow.core.assist.wrap_up import WrapUp
from callflow.core.printable import printable
from callflow.core.rings.records import Stay, Timing
from callflow.core.service.grouping import Scope, Whom
from callflow.errors import CallflowError
from callflow.records.calls import StoredCall


class Listed(StrEnum):
    """What can be listed."""

    ABANDONED = "abandoned"
    SILENT = "silent"
    PAUSES = "pauses"
    """By agent and reason."""
    WRAP_UPS = "wrap-ups"


NAMES = {
    Listed.ABANDONED: (
        "joined", "queue", "caller_number", "caller_name", "dialled", "trunk", "outcome", "waited_s", "offers",
        "uncertain", "call_id",
    ),
    Listed.SILENT: (
        "arrived", "caller_number", "caller_name", "dialled", "channel", "profile", "result", "heard", "lasted_s",
        "partial", "call_id",
    ),
    Listed.PAUSES: ("agent", "reason", "pauses", "paused_s", "longest_s"),
    Listed.WRAP_UPS: ("asked", "agent", "wrap_up_s", "queue", "outcome", "ended_by", "call_id"),
}  # fmt: skip
IN_HEAD = 3
"""Values on the first line of a call's block."""
CALLS = (Listed.ABANDONED, Listed.SILENT)
KNOWS = {
    Listed.ABANDONED: {Whom.QUEUE},
    Listed.SILENT: {Whom.LINE},
    Listed.PAUSES: {Whom.AGENT},
    Listed.WRAP_UPS: {Whom.AGENT, Whom.QUEUE},
}
"""By what each list can be filtered."""


def list_sheet(reader: Reader, listed: Listed, period: Period, scope: Scope) -> Sheet:
    """The rows, oldest first or by name; raises CallflowError for a filter that the list has not."""
    title = f"{listed} calls" if listed in CALLS else listed.value
    unknown = scope.asked() - KNOWS[listed]
    if unknown:
        raise CallflowError(
            f"{title} cannot be filtered by {unknown.pop()}",
            remedy=f"leave it out, or use --{min(KNOWS[listed])}s",
        )
    rows = _rows(reader, listed, period, scope)
    start, end = period.iso()
    about: dict[str, Any] = {
        "list": listed.value,
        "period": period.shown(),
        "from": start,
        "to": end,
        "calls" if listed in CALLS else "number": len(rows),
    }
    if deleted_before_ms := reader.deleted_before("records"):
        about["records_deleted_before_ms"] = deleted_before_ms
    return Sheet(title, NAMES[listed], rows, about)


def _rows(reader: Reader, listed: Listed, period: Period, scope: Scope) -> list[list[Value]]:
    wanted = reader, period.start_ms, period.end_ms, scope
    match listed:
        case Listed.ABANDONED:
            return [_abandoned(stay, period) for stay in abandoned(*wanted)]
        case Listed.SILENT:
            return [_unheard(call, period) for call in unheard(*wanted)]
        case Listed.PAUSES:
            return [
                [one.agent, one.reason, one.number, one.total_ms / 1000, one.longest_ms / 1000]
                for one in pauses(*wanted)
            ]
        case Listed.WRAP_UPS:
            return [_wrapped_up(one, period) for one in wrapped_up(*wanted)]


def print_list(sheet: Sheet, period: Period, out: Console) -> None:
    """The table, and the number of calls where it has one for each row."""
    out.print(Text(f"{sheet.title}, {period.shown()}", "bold"))
    print_deleted(sheet.about.get("records_deleted_before_ms", 0), period, out)
    if sheet.rows:
        out.print(_wide(sheet) if out.width >= WIDE else _narrow(sheet))
    if "calls" in sheet.about:
        out.print(Text(f"{len(sheet.rows):,} call{'' if len(sheet.rows) == 1 else 's'}"))
    elif not sheet.rows:
        out.print(Text("none"))


def _wide(sheet: Sheet) -> Table:
    """A line for each call."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in sheet.names:
        right = name.endswith("_s") or name in ("offers", "pauses")
        table.add_column(_heading(name), justify="right" if right else "left", overflow="fold")
    for row in sheet.rows:
        table.add_row(*(Text(_shown(name, value)) for name, value in zip(sheet.names, row, strict=True)))
    return table


def _narrow(sheet: Sheet) -> Group:
    """A block for each call: when, whose and from whom, then the rest by name."""
    blocks: list[RenderableType] = []
    for row in sheet.rows:
        told = [(name, _shown(name, value)) for name, value in zip(sheet.names, row, strict=True) if value is not None]
        blocks.append(Text("  ".join(text for _, text in told[:IN_HEAD]), "bold"))
        rest = ", ".join(f"{_heading(name)} {text}" for name, text in told[IN_HEAD:] if text)
        blocks.append(Padding(Text(rest), (0, 0, 0, 2)))
    return Group(*blocks)


def _heading(name: str) -> str:
    return name.removesuffix("_s").replace("_", " ")


def _abandoned(stay: Stay, period: Period) -> list[Value]:
    uncertain = stay.partial or stay.timing is not Timing.STAMPED
    return [
        iso(stay.joined_ms, period.zone),
        stay.queue,
        stay.caller_number,
        stay.caller_name,
        stay.dialled,
        stay.trunk,
        stay.outcome and stay.outcome.value,
        None if stay.wait_ms is None else stay.wait_ms / 1000,
        stay.offers,
        uncertain,
        stay.call_id,
    ]


def _unheard(call: StoredCall, period: Period) -> list[Value]:
    record = call.record
    return [
        iso(record.arrived_ms, period.zone),
        record.caller_number,
        record.caller_name,
        record.dialled,
        record.channel,
        record.profile,
        record.result and record.result.value,
        record.heard and record.heard.value,
        None if record.ended_ms is None else (record.ended_ms - record.arrived_ms) / 1000,
        record.partial,
        record.call_id,
    ]


def _wrapped_up(wrap_up: WrapUp, period: Period) -> list[Value]:
    return [
        iso(wrap_up.asked_ms, period.zone),
        wrap_up.agent,
        None if wrap_up.wrap_up_ms is None else wrap_up.wrap_up_ms / 1000,
        wrap_up.queue,
        wrap_up.outcome,
        wrap_up.ended_by and wrap_up.ended_by.value,
        wrap_up.call_id,
    ]


def _shown(name: str, value: Value) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else ""
    if name.endswith("_s") and isinstance(value, int | float):
        return shown_seconds(value)
    if name in ("joined", "arrived", "asked"):
        return str(value).replace("T", " ")[:19]
    return printable(str(value))
