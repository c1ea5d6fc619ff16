"""Between the core's records and the rows of the database."""

from dataclasses import dataclass, fields
from enum import Enum
from typing import Any, TypeVar

import sqlalchemy as sa

from callflow.adapters.store.pending import Pending, Record
from callflow.adapters.store.schema import calls, legs, offers, spells, stays
from callflow.core.call_record import CallRecord, Kind, TimelineEntry
from callflow.core.heard import Heard
from callflow.core.profile import Mode
from callflow.core.rings.records import (
    AgentInterval,
    AgentWork,
    AnswerClass,
    Leg,
    LegEnd,
    Offer,
    Outcome,
    RingSource,
    Stay,
    TargetType,
    Timing,
)
from callflow.core.screening.states import Result

TABLES: dict[type[Record], sa.Table] = {CallRecord: calls, Stay: stays, Offer: offers, Leg: legs, AgentInterval: spells}
"""Where the records of each type are; a column has the name of its field."""
M = TypeVar("M", bound=Leg | Offer | Stay | AgentInterval)
ENUMS: dict[str, type[Enum]] = {
    "answer_class": AnswerClass,
    "end": LegEnd,
    "outcome": Outcome,
    "ring_source": RingSource,
    "target_type": TargetType,
    "timing": Timing,
    "work": AgentWork,
}
"""The fields of rings and queues that have a closed set of values."""
RECORD_FIELDS = tuple(field.name for field in fields(CallRecord))


@dataclass(frozen=True, slots=True)
class StoredCall:
    """A call as the database has it; `interrupted`: the daemon died during it and closed it at its next start."""

    record: CallRecord
    node: str
    interrupted: bool


def record_row(pending: Pending, node: str) -> dict[str, Any]:
    """The row of a record that is being told by the daemon, hence not interrupted."""
    record = pending.record
    row = {field.name: _plain(getattr(record, field.name)) for field in fields(record)}
    own = {"interrupted": False} if isinstance(record, CallRecord) else {"open": not pending.final}
    return row | own | {"node": node}


def timeline_row(call_id: str, entry: TimelineEntry, node: str) -> dict[str, Any]:
    """The row of one happening."""
    return {
        "call_id": _plain(call_id),
        "node": node,
        "seq": entry.seq,
        "at_ms": entry.at_ms,
        "kind": entry.kind.value,
        "what": _plain(entry.what),
        "why": _plain(entry.why),
    }


def stored_call(row: sa.RowMapping) -> StoredCall:
    """A call from its row."""
    values = {name: row[name] for name in RECORD_FIELDS}
    values["mode"] = Mode(values["mode"])
    for name in ("result", "would"):
        values[name] = None if values[name] is None else Result(values[name])
    values["heard"] = None if values["heard"] is None else Heard(values["heard"])
    return StoredCall(CallRecord(**values), row["node"], row["interrupted"])


def stored_entry(row: sa.RowMapping) -> TimelineEntry:
    """A happening from its row."""
    return TimelineEntry(row["seq"], row["at_ms"], Kind(row["kind"]), row["what"], row["why"])


def stored_measured(kind: type[M], row: sa.RowMapping) -> M:
    """A record of rings and queues from its row."""
    return kind(**{field.name: _meant(field.name, row[field.name]) for field in fields(kind)})


def _meant(name: str, value: Any) -> Any:
    """The value of a field: an enum's member, words as a tuple."""
    if name == "marks":
        return tuple(value.split())
    return ENUMS[name](value) if name in ENUMS and value is not None else value


def _plain(value: Any) -> Any:
    """A value that SQLite takes: an enum's value, words in a row, text without lone surrogates of undecodable bytes."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        value = " ".join(value)
    if isinstance(value, str) and not value.isascii():
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    return value
