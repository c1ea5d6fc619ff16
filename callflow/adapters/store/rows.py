"""Between the core's records and the rows of the database."""

from dataclasses import dataclass, fields
from enum import Enum
from typing import Any

import sqlalchemy as sa

from callflow.core.heard import Heard
from callflow.core.profile import Mode
from callflow.core.record import CallRecord, Happening, Kind
from callflow.core.states import Result

RECORD_FIELDS = tuple(field.name for field in fields(CallRecord))


@dataclass(frozen=True, slots=True)
class StoredCall:
    """A call as the database has it; `interrupted`: the daemon died during it and closed it at its next start."""

    record: CallRecord
    node: str
    interrupted: bool


def call_row(record: CallRecord, node: str) -> dict[str, Any]:
    """The row of a call that is being told by the daemon, hence not interrupted."""
    row = {name: _plain(getattr(record, name)) for name in RECORD_FIELDS}
    return row | {"node": node, "interrupted": False}


def happening_row(call_id: str, happening: Happening, node: str) -> dict[str, Any]:
    """The row of one happening."""
    return {
        "call_id": _plain(call_id),
        "node": node,
        "seq": happening.seq,
        "at_ms": happening.at_ms,
        "kind": happening.kind.value,
        "what": _plain(happening.what),
        "why": _plain(happening.why),
    }


def stored_call(row: sa.RowMapping) -> StoredCall:
    """A call from its row."""
    values = {name: row[name] for name in RECORD_FIELDS}
    values["mode"] = Mode(values["mode"])
    for name in ("result", "would"):
        values[name] = None if values[name] is None else Result(values[name])
    values["heard"] = None if values["heard"] is None else Heard(values["heard"])
    return StoredCall(CallRecord(**values), row["node"], row["interrupted"])


def stored_happening(row: sa.RowMapping) -> Happening:
    """A happening from its row."""
    return Happening(row["seq"], row["at_ms"], Kind(row["kind"]), row["what"], row["why"])


def _plain(value: Any) -> Any:
    """A value that SQLite takes: an enum's value, text without the lone surrogates of undecodable bytes."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str) and not value.isascii():
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    return value
