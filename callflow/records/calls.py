"""Screened calls and their timeline."""

from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from callflow.core.call_record import CallRecord, TimelineEntry
from callflow.core.heard import Heard
from callflow.core.profile import Mode
from callflow.core.publishing.envelope import utc
from callflow.core.publishing.events import EventFacts, EventKind
from callflow.core.publishing.privacy import Pseudonymizer
from callflow.core.rings.names import trunk_of
from callflow.core.screening.states import Result
from callflow.records.event_fields import caller_of
from callflow.records.kind import INTERRUPTED, UNKNOWN, Age, Count, Figures, Named, RecordKind, metadata
from callflow.records.rows import Rows, storable

LASTING = sa.text("ended_ms IS NULL")

UNHEARD = ("silent", "quiet")
"""Results of callers who were hung up because nobody could be heard, or understood."""

calls = sa.Table(
    "calls",
    metadata,
    sa.Column("call_id", sa.Text, primary_key=True),
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("uniqueid", sa.Text, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("profile", sa.Text, nullable=False),
    sa.Column("mode", sa.Text, nullable=False),
    sa.Column("ladder", sa.Text, nullable=False),
    sa.Column("ear", sa.Text, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("caller_number", sa.Text, nullable=False),
    sa.Column("caller_name", sa.Text, nullable=False),
    sa.Column("dialled", sa.Text, nullable=False),
    sa.Column("arrived_ms", sa.BigInteger, nullable=False),
    sa.Column("ended_ms", sa.BigInteger),
    sa.Column("result", sa.Text),
    sa.Column("would", sa.Text),
    sa.Column("rung", sa.Integer, nullable=False),
    sa.Column("heard_at_ms", sa.BigInteger),
    sa.Column("heard_after_would", sa.Boolean, nullable=False),
    sa.Column("partial", sa.Boolean, nullable=False),
    sa.Column("interrupted", sa.Boolean, nullable=False),
    sa.Column("heard", sa.Text),
    sa.Column("level_dbov", sa.Float),
    sa.Column("gain_db", sa.Float, nullable=False, server_default="0"),
    sa.Index("ix_calls_result", "result", "arrived_ms"),
    sa.Index("ix_calls_caller", "caller_number", "arrived_ms"),
    # Holds all that a summary counts, so that counting reads no rows.
    sa.Index("ix_calls_arrived", "arrived_ms", "result", "mode", "would", "heard_after_would", "interrupted"),
    sa.Index("ix_calls_open", "node", sqlite_where=LASTING),
)
"""One row per screened call. Times are epoch ms; `ended_ms` and `result` are null while the call lasts."""

happenings = sa.Table(
    "happenings",
    metadata,
    sa.Column("call_id", sa.Text, primary_key=True),
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("at_ms", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.ForeignKeyConstraint(["call_id", "node"], ["calls.call_id", "calls.node"], ondelete="CASCADE"),
    sqlite_with_rowid=False,
)
"""One row per thing that happened in a call, stored together by call."""


@dataclass(frozen=True, slots=True)
class StoredCall:
    """A call as the database has it; `interrupted`: the daemon died during it and closed it at its next start."""

    record: CallRecord
    node: str
    interrupted: bool


def stored_call(row: sa.RowMapping) -> StoredCall:
    """A call from its row."""
    return StoredCall(CALLS.rows.record(row), row["node"], row[INTERRUPTED])


_ENTRIES = Rows(TimelineEntry)


def timeline_row(call_id: str, entry: TimelineEntry, node: str) -> dict[str, Any]:
    """The row of one timeline entry."""
    return _ENTRIES.row(entry) | {"call_id": storable(call_id), "node": node}


def stored_entry(row: sa.RowMapping) -> TimelineEntry:
    """A timeline entry from its row."""
    return _ENTRIES.record(row)


def _ended_at_restart(call: CallRecord, known_ms: int) -> CallRecord:
    """The caller went on unscreened when the daemon died."""
    result = Result.OBSERVED if call.mode is Mode.OBSERVE else Result.UNAVAILABLE
    return replace(call, result=result, partial=True, ended_ms=max(call.arrived_ms, known_ms))


def _event(call: CallRecord, names: Pseudonymizer) -> EventFacts:
    data = {
        "screening_id": call.call_id,
        "profile": call.profile,
        "mode": call.mode.value,
        "ladder": call.ladder,
        "ear": call.ear,
        "language": call.language,
        **caller_of(call, names),
        "dialled": names.name(call.dialled),
        "trunk": names.name(trunk_of(call.channel)),
        "arrived_at": utc(call.arrived_ms),
        "ended_at": utc(call.ended_ms),
        "result": call.result and call.result.value,
        "would": call.would and call.would.value,
        "rung": call.rung,
        "heard_at": utc(call.heard_at_ms),
        "heard_after_would": call.heard_after_would,
        "heard": call.heard and call.heard.value,
        "level_dbov": call.level_dbov,
        "gain_db": call.gain_db,
        "partial": call.partial,
    }
    return EventFacts(call.call_id, call.uniqueid, call.arrived_ms if call.ended_ms is None else call.ended_ms, data)


def _metrics(figures: Figures) -> Count[CallRecord]:
    screened = figures.counter("callflow_screened_calls", "Screened calls that have ended.", ["trunk", "result"])
    silent = figures.counter(
        "callflow_silent_calls", "Calls hung up as silent, by what was heard instead of a voice.", ["trunk", "cause"]
    )
    quiet = figures.counter(
        "callflow_quiet_calls",
        "Calls with a voice too low to understand at some time, by result.",
        ["trunk", "result"],
    )
    heard_last = figures.counter("callflow_heard_calls", "Calls by what was heard, as recorded.", ["trunk", "heard"])

    def start_at_zero(trunk: str) -> None:
        for result in Result:
            screened.labels(trunk, result.value)
            quiet.labels(trunk, result.value)
        for heard in (*Heard, UNKNOWN):
            silent.labels(trunk, str(heard))
            heard_last.labels(trunk, str(heard))

    def count(call: CallRecord) -> None:
        trunk = figures.label(Named.TRUNK, trunk_of(call.channel))
        heard = UNKNOWN if call.heard is None else call.heard.value
        screened.labels(trunk, UNKNOWN if call.result is None else call.result.value).inc()
        heard_last.labels(trunk, heard).inc()
        if call.result is Result.SILENT:
            silent.labels(trunk, heard).inc()
        if was_quiet(call) and call.result is not None:
            quiet.labels(trunk, call.result.value).inc()
        if call.partial:
            figures.unresolved("partial")

    figures.each_new(Named.TRUNK, start_at_zero)
    return count


def was_quiet(call: CallRecord) -> bool:
    """The voice had to be raised, or stayed too low."""
    return call.result is Result.QUIET or call.heard is Heard.QUIET or call.gain_db > 0


CALLS = RecordKind(
    record=CallRecord,
    table=calls,
    began=calls.c.arrived_ms,
    age=Age.RECORDS,
    ended_at_restart=_ended_at_restart,
    event=EventKind("screened", _event),
    metrics=_metrics,
    timeline=happenings,
)
