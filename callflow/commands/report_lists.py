"""The calls behind a report: who gave up, and who could not be heard."""

from enum import StrEnum
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from callflow.adapters.store.lists import abandoned, unheard
from callflow.adapters.store.queries import Reader
from callflow.commands.report_period import Period
from callflow.commands.report_table import print_deleted
from callflow.commands.sheets import Sheet, Value
from callflow.commands.terminal import printable
from callflow.commands.times import iso, shown_seconds
from callflow.core.rings.records import Stay, Timing
from callflow.core.service.grouping import Scope, Whom
from callflow.errors import CallflowError
from callflow.records.calls import StoredCall


class Listed(StrEnum):
    """Which calls can be listed."""

    ABANDONED = "abandoned"
    SILENT = "silent"


NAMES = {
    Listed.ABANDONED: (
        "joined", "queue", "caller_number", "caller_name", "dialled", "trunk", "outcome", "waited_s", "offers",
        "uncertain", "call_id",
    ),
    Listed.SILENT: (
        "arrived", "caller_number", "caller_name", "dialled", "channel", "profile", "result", "heard", "lasted_s",
        "partial", "call_id",
    ),
}  # fmt: skip
KNOWS = {Listed.ABANDONED: {Whom.QUEUE}, Listed.SILENT: {Whom.LINE}}
"""By what each list can be narrowed."""


def list_sheet(reader: Reader, listed: Listed, period: Period, scope: Scope) -> Sheet:
    """The calls, oldest first; raises CallflowError when asked for what they do not know."""
    unknown = scope.asked() - KNOWS[listed]
    if unknown:
        raise CallflowError(
            f"{listed} calls cannot be narrowed by {unknown.pop()}",
            remedy=f"leave that out; --{KNOWS[listed].copy().pop()}s can be given",
        )
    if listed is Listed.ABANDONED:
        rows = [_abandoned(stay, period) for stay in abandoned(reader, period.start_ms, period.end_ms, scope)]
    else:
        rows = [_unheard(call, period) for call in unheard(reader, period.start_ms, period.end_ms, scope)]
    start, end = period.iso()
    about: dict[str, Any] = {
        "list": listed.value,
        "period": period.shown(),
        "from": start,
        "to": end,
        "calls": len(rows),
    }
    if deleted_before_ms := reader.deleted_before("records"):
        about["records_deleted_before_ms"] = deleted_before_ms
    return Sheet(f"{listed} calls", NAMES[listed], rows, about)


def print_list(sheet: Sheet, period: Period, out: Console) -> None:
    """The table, and how many they are."""
    out.print(Text(f"{sheet.title}, {period.shown()}", "bold"))
    print_deleted(sheet.about.get("records_deleted_before_ms", 0), period, out)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in sheet.names:
        right = name.endswith("_s") or name == "offers"
        table.add_column(
            name.removesuffix("_s").replace("_", " "), justify="right" if right else "left", overflow="fold"
        )
    for row in sheet.rows:
        table.add_row(*(Text(_shown(name, value)) for name, value in zip(sheet.names, row, strict=True)))
    if sheet.rows:
        out.print(table)
    out.print(Text(f"{len(sheet.rows):,} call{'' if len(sheet.rows) == 1 else 's'}"))


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


def _shown(name: str, value: Value) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else ""
    if name.endswith("_s") and isinstance(value, int | float):
        return shown_seconds(value)
    if name in ("joined", "arrived"):
        return str(value).replace("T", " ")[:19]
    return printable(str(value))
