"""From an event back to the row of its record: what the collector of a fleet stores.

An event has the caller as a hash, no names of persons and no interfaces of phones; their columns stay empty.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from callflow.core.callbacks.attempt import Outcome
from callflow.core.callbacks.states import LIVE, State
from callflow.records.agent_intervals import AGENT_INTERVALS
from callflow.records.assist_steps import ASSIST_STEPS
from callflow.records.callbacks import CALLBACK_ATTEMPTS
from callflow.records.calls import CALLS
from callflow.records.holds import HOLDS
from callflow.records.kind import RecordKind
from callflow.records.legs import LEGS
from callflow.records.offers import OFFERS
from callflow.records.ratings import RATINGS
from callflow.records.stays import STAYS
from callflow.records.talks import TALKS
from callflow.records.transfers import TRANSFERS
from callflow.records.wrap_ups import WRAP_UPS

BY_DAY: tuple[RecordKind[Any], ...] = (
    CALLS,
    STAYS,
    OFFERS,
    LEGS,
    TALKS,
    HOLDS,
    RATINGS,
    ASSIST_STEPS,
    TRANSFERS,
    WRAP_UPS,
)
"""Records of calls: a fleet keeps them by the day on which they began."""
COLLECTED: Mapping[str, RecordKind[Any]] = {
    kind.event.name: kind for kind in (*BY_DAY, AGENT_INTERVALS) if kind.event is not None
}
"""What a fleet stores, by the last level of the topic."""

_FIELDS = {
    "accepted_ms": "accepted_at",
    "arrived_ms": "arrived_at",
    "asked_ms": "asked_at",
    "at_ms": "at",
    "began_ms": "began_at",
    "came_ms": "came_at",
    "caller_number": "caller",
    "channel": "trunk",
    "connect_ms": "connected_at",
    "ended_ms": "ended_at",
    "heard_at_ms": "heard_at",
    "joined_ms": "joined_at",
    "left_ms": "left_at",
    "pickup_ms": "picked_up_at",
    "placed_ms": "placed_at",
    "reached_ms": "reached_at",
    "ring_start_ms": "ring_started_at",
    "seq": "step",
    "talk_end_ms": "talk_ended_at",
}
"""Columns whose field in an event has another name."""
_UNSENT = {"interface", "phone", "caller_name", "interrupted", "talk_began_ms", "open", "paused_in"}
"""Columns that an event need not have."""

RECORDED = "recorded"
"""For the file of a spoken name: an event tells only that there is one."""
NOT_TOLD: dict[str, Any] = {"zone": "", "reference": "", "note": "", "wish": "", "place": 0}
"""What no event tells of an entry of the call-back list, and how a fleet stores it."""


class Unreadable(ValueError):
    """An event that this release cannot store; the message says why."""


def collected_row(kind: RecordKind[Any], event: Mapping[str, Any]) -> dict[str, Any]:
    """The row of an event, with `event_id` and `event_revision`; raises Unreadable."""
    try:
        data = event["data"]
        row = {column.name: _value(kind, column, event, data) for column in kind.table.columns}
        row["event_id"], row["event_revision"] = str(event["event_id"]), int(event["revision"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Unreadable(f"its fields are not those that this release knows: {error!r}") from None
    return row


def callback_rows(event: Mapping[str, Any], site: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The entry of the call-back list that an event tells of, and its change; raises Unreadable.

    Only the node knows the caller's number, zone and note, and the place that the caller keeps.
    """
    try:
        data, revision = event["data"], int(event["revision"])
        names = ("callback_id", "node", "profile", "actor", "why", "state")
        texts = {name: storable_text(data[name]) for name in names}
        live = State(texts["state"]) in LIVE
        at_ms, raised_ms, due_ms = (
            round(datetime.fromisoformat(at).timestamp() * 1000)
            for at in (event["occurred_at"], data["raised_at"], data["due_at"])
        )
        both = texts | {
            "revision": revision,
            "number": storable_text(data["caller"] or ""),
            "reasons": storable_text(" ".join(data["reasons"])),
            "queue": storable_text(data["queue"] or ""),
            "raised_ms": raised_ms,
            "due_ms": due_ms,
            "attempts": int(data["attempts"]),
            "attempt_id": storable_text(event["call_id"]),
            "spoken_name": RECORDED if data.get("spoken_name") else "",
        }
        before = storable_text(data["before"] or "")
        day = utc_day(raised_ms)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise Unreadable(f"its fields are not those that this release knows: {error!r}") from None
    times = {"day": day, "changed_ms": at_ms, "closed_ms": None if live else at_ms}
    entry = both | NOT_TOLD | times | {"open": live, "site": storable_text(site)}
    return entry, both | {"at_ms": at_ms, "before": before, "open": False}


def utc_day(at_ms: int) -> str:
    """The day of an entry in a fleet, which does not know its zone."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).date().isoformat()


def attempt_row(event: Mapping[str, Any]) -> dict[str, Any]:
    """The attempt of a call-back that an event tells of; raises Unreadable. It is over: there is one event of it."""
    row = collected_row(CALLBACK_ATTEMPTS, event)
    if row["outcome"] not in (None, *Outcome):
        raise Unreadable(f"this release does not know the outcome {row['outcome']!r}")
    return {column.name: row[column.name] for column in CALLBACK_ATTEMPTS.table.columns}


def _value(kind: RecordKind[Any], column: sa.Column[Any], event: Mapping[str, Any], data: Mapping[str, Any]) -> Any:
    name = column.name
    if name == "open":
        return kind.event is not None and kind.event.at_beginning and data["ended_at"] is None
    if name == "revision":
        return int(event["revision"])
    if name == "call_id" or (name == "uniqueid" and kind is CALLS):
        return storable_text(data["screening_id"] if name == "call_id" and kind is CALLS else event["call_id"])
    field = _FIELDS.get(name, name)
    if kind is RATINGS and name == "caller":
        return ""
    if field not in data and name in _UNSENT:
        return _nothing(column)
    return _CONVERT[type(column.type)](data[field], column)


def _nothing(column: sa.Column[Any]) -> Any:
    if column.nullable:
        return None
    return False if isinstance(column.type, sa.Boolean) else ""


def _text(value: Any, column: sa.Column[Any]) -> str | None:
    if isinstance(value, list):
        return storable_text(" ".join(value))
    if value is None and not column.nullable:
        return ""
    return None if value is None else storable_text(value)


def _number(value: Any, column: sa.Column[Any]) -> int | None:
    """A number, or a time of the calendar in ms."""
    if isinstance(value, str):
        return round(datetime.fromisoformat(value).timestamp() * 1000)
    if value is None and column.nullable:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{column.name} is {value!r}")
    return value


def _float(value: Any, column: sa.Column[Any]) -> float | None:
    return None if value is None and column.nullable else float(value)


def _truth(value: Any, column: sa.Column[Any]) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{column.name} is {value!r}")
    return value


_CONVERT: Mapping[type[Any], Callable[[Any, sa.Column[Any]], Any]] = {
    sa.Text: _text,
    sa.BigInteger: _number,
    sa.Integer: _number,
    sa.Float: _float,
    sa.Boolean: _truth,
}


def storable_text(value: Any) -> str:
    """Text that PostgreSQL takes: it refuses NUL; raises TypeError for anything but text."""
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not text")
    return value.replace("\x00", "?").encode("utf-8", "backslashreplace").decode("utf-8")
