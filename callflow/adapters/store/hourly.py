"""Hourly counts: what reports count, added up by the database for each closed hour.

Each `Source` names the rows of one kind of record as reports count them, and the table with the same columns in which
the rows of an hour are added up. Triggers delete the mark of an hour in `counted_hours` whenever a record of the hour
comes, changes or goes. An hour without a mark is counted from its records, so a report never depends on the marks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from callflow.core.callbacks.states import State
from callflow.core.rating.states import Scale
from callflow.core.rings.records import LegEnd, TargetType, Timing
from callflow.core.service.grouping import HOUR_MS, Span
from callflow.records.callbacks import callbacks
from callflow.records.calls import UNHEARD, calls
from callflow.records.kind import metadata
from callflow.records.legs import legs
from callflow.records.offers import offers
from callflow.records.ratings import ratings
from callflow.records.stays import stays
from callflow.records.wrap_ups import wrap_ups

BOUNDS_S = (
    *(0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 18, 20, 25, 30, 35, 40, 45, 50, 60, 75, 90, 100, 120, 150, 180, 240, 300),
    *(420, 600, 900, 1200, 1800, 3600),
)
"""Waits are counted by these. A service standard with another time is counted from the stays themselves."""
BEYOND_MS = 1000 * BOUNDS_S[-1] + 1
MISSED = (LegEnd.NO_ANSWER, LegEnd.REJECTED, LegEnd.BUSY)
"""Ends of a leg that are the agent's own; all others were ended by the caller or another agent."""

counted_hours = sa.Table(
    "counted_hours",
    metadata,
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("at_ms", sa.BigInteger, primary_key=True, autoincrement=False),
)
"""The hours whose counts are those of the records, by the name of the records' table."""


@dataclass(frozen=True)
class Source:
    """Records as reports count them, row by row; and their counts by the hour."""

    records: sa.Table
    at: sa.Column[int]
    rows: sa.Subquery
    """at_ms, node, what they are grouped by, and the numbers that are added up; a record counts as 1 in `n`."""
    hourly: sa.Table | None = None
    """The same columns, without those that would make almost a row for each record; `at_ms` is the hour's start."""

    def pieces(self, counted: list[int], span: Span) -> Iterator[tuple[sa.FromClause, Span]]:
        """Where each part of a span is counted; `counted`: the starts of the hours with counts in it, in order."""
        at_ms = span.start_ms
        for start_ms, end_ms in _runs(counted):
            if at_ms < start_ms:
                yield self.rows, Span(at_ms, start_ms, span.offset_ms)
            assert self.hourly is not None
            yield self.hourly, Span(start_ms, end_ms, span.offset_ms)
            at_ms = end_ms
        if at_ms < span.end_ms:
            yield self.rows, Span(at_ms, span.end_ms, span.offset_ms)


def _runs(hours: list[int]) -> Iterator[tuple[int, int]]:
    """Start and end of hours that follow on each other."""
    start_ms = end_ms = None
    for at_ms in hours:
        if start_ms is not None and end_ms is not None and at_ms != end_ms:
            yield start_ms, end_ms
            start_ms = None
        start_ms, end_ms = (at_ms if start_ms is None else start_ms), at_ms + HOUR_MS
    if start_ms is not None and end_ms is not None:
        yield start_ms, end_ms


def _of(at: sa.Column[int], *columns: sa.Label[Any], known: sa.ColumnElement[bool] | None = None) -> sa.Subquery:
    table = at.table
    chosen = sa.select(at.label("at_ms"), table.c.node.label("node"), sa.literal_column("1").label("n"), *columns)
    return (chosen if known is None else chosen.where(known)).subquery(f"{table.name}_rows")


def _sure(table: sa.Table) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.timing == Timing.STAMPED.value, sa.not_(table.c.partial))


def _one_if(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.case((condition, sa.literal_column("1")), else_=sa.literal_column("0"))


def _name(column: sa.Column[str]) -> sa.ColumnElement[str]:
    return sa.func.nullif(column, "")


def _table(name: str, texts: str, numbers: str, flags: str = "") -> sa.Table:
    columns: list[sa.Column[Any]] = [sa.Column(text, sa.Text) for text in texts.split()]
    columns += [sa.Column(flag, sa.Boolean) for flag in flags.split()]
    columns += [sa.Column(number, sa.BigInteger) for number in numbers.split()]
    return sa.Table(
        name,
        metadata,
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("node", sa.Text, nullable=False),
        *columns,
        sa.Index(f"ix_{name}_at", "at_ms"),
    )


_talked = sa.and_(_sure(stays), stays.c.talk_ms.is_not(None))
STAYS = Source(
    stays,
    stays.c.joined_ms,
    _of(
        stays.c.joined_ms,
        stays.c.queue.label("queue"),
        _name(stays.c.agent).label("agent"),
        stays.c.outcome.label("outcome"),
        _sure(stays).label("sure"),
        sa.not_(stays.c.open).label("ended"),
        stays.c.wait_ms.label("within_ms"),
        _one_if(stays.c.wait_ms.is_not(None)).label("waits"),
        stays.c.wait_ms.label("wait_ms"),
        stays.c.wait_ms.label("longest_ms"),
        _one_if(_talked).label("talks"),
        sa.case((_talked, stays.c.talk_ms)).label("talk_ms"),
    ),
    _table("hourly_stays", "queue outcome", "within_ms n waits wait_ms longest_ms talks talk_ms", "sure ended"),
)
OFFERS = Source(
    offers,
    offers.c.began_ms,
    _of(
        offers.c.began_ms,
        sa.case((offers.c.target_type == TargetType.QUEUE.value, offers.c.target)).label("queue"),
        sa.case((offers.c.target_type == TargetType.LINE.value, offers.c.target)).label("line"),
        offers.c.answer_class.label("judged"),
        _sure(offers).label("sure"),
        sa.true().label("own"),
        offers.c.cadence.label("cadence"),
        offers.c.ring_ms.label("ring_ms"),
        offers.c.rings.label("rings"),
        known=sa.or_(offers.c.answer_class.is_not(None), sa.not_(offers.c.open)),
    ),
    _table("hourly_offers", "queue line judged cadence", "n ring_ms rings", "sure own"),
)
LEGS = Source(
    legs,
    legs.c.began_ms,
    _of(
        legs.c.began_ms,
        _name(legs.c.queue).label("queue"),
        _name(legs.c.agent).label("agent"),
        legs.c.answer_class.label("judged"),
        _sure(legs).label("sure"),
        sa.func.coalesce(legs.c.end, "").in_([end.value for end in MISSED]).label("own"),
        legs.c.ring_ms.label("ring_ms"),
        legs.c.rings.label("rings"),
        known=sa.or_(legs.c.answer_class.is_not(None), sa.not_(legs.c.open)),
    ),
)
CALLS = Source(
    calls,
    calls.c.arrived_ms,
    _of(
        calls.c.arrived_ms,
        calls.c.dialled.label("line"),
        calls.c.result.label("result"),
        sa.case((calls.c.result.in_(UNHEARD), sa.func.coalesce(calls.c.heard, ""))).label("cause"),
        known=calls.c.result.is_not(None),
    ),
    _table("hourly_calls", "line result cause", "n"),
)
RATINGS = Source(
    ratings,
    ratings.c.came_ms,
    _of(
        ratings.c.came_ms,
        _name(ratings.c.queue).label("queue"),
        _name(ratings.c.agent).label("agent"),
        _name(ratings.c.line).label("line"),
        ratings.c.not_asked.label("not_asked"),
        _one_if(sa.or_(*(ratings.c[scale.value].is_not(None) for scale in Scale))).label("answered"),
        *(_one_if(ratings.c[scale.value].is_not(None)).label(f"{scale.value}_n") for scale in Scale),
        *(ratings.c[scale.value].label(f"{scale.value}_sum") for scale in Scale),
    ),
    _table(
        "hourly_ratings",
        "queue line not_asked",
        " ".join(("n answered", *(f"{scale.value}_n {scale.value}_sum" for scale in Scale))),
    ),
)
_reached = callbacks.c.state == State.DONE.value
CALLBACKS = Source(
    callbacks,
    callbacks.c.raised_ms,
    _of(
        callbacks.c.raised_ms,
        _name(callbacks.c.queue).label("queue"),
        sa.literal_column("1").label("settled"),
        _one_if(_reached).label("reached"),
        sa.case((_reached, callbacks.c.closed_ms - callbacks.c.raised_ms)).label("reach_ms"),
        known=callbacks.c.closed_ms.is_not(None),
    ),
)
WRAP_UPS = Source(
    wrap_ups,
    wrap_ups.c.asked_ms,
    _of(
        wrap_ups.c.asked_ms,
        _name(wrap_ups.c.queue).label("queue"),
        _name(wrap_ups.c.agent).label("agent"),
        sa.literal_column("1").label("wrap_ups"),
        wrap_ups.c.wrap_up_ms.label("wrap_up_ms"),
        known=wrap_ups.c.wrap_up_ms.is_not(None),
    ),
)
BY_HOUR = (STAYS, OFFERS, CALLS, RATINGS)
"""The sources with counts by the hour."""


def count_hour(connection: sa.Connection, source: Source, at_ms: int) -> int:
    """Count an hour anew in the open transaction, and mark it; returns the rows made.

    No other transaction may write records of the hour meanwhile.
    """
    table, rows = source.hourly, source.rows.c
    assert table is not None
    numbers = [column.name for column in table.c if isinstance(column.type, sa.BigInteger)]
    sums = [name for name in numbers if name not in ("at_ms", "within_ms", "longest_ms")]
    made: dict[str, sa.ColumnElement[Any]] = {name: sa.func.sum(rows[name]) for name in sums}
    if "longest_ms" in numbers:
        made["longest_ms"] = sa.func.max(rows.longest_ms)
    groups: dict[str, sa.ColumnElement[Any]] = {c.name: rows[c.name] for c in table.c if c.name not in numbers}
    if "within_ms" in numbers:
        groups["within_ms"] = _bound_of(rows.within_ms)
    hour = sa.literal(at_ms, sa.BigInteger).label("at_ms")
    chosen = sa.select(hour, *(group.label(f"of_{name}") for name, group in groups.items()), *made.values())
    chosen = chosen.where(rows.at_ms >= at_ms, rows.at_ms < at_ms + HOUR_MS)
    chosen = chosen.group_by(*(sa.literal_column(f"of_{name}") for name in groups))
    connection.execute(sa.delete(table).where(table.c.at_ms == at_ms))
    inserted = connection.execute(sa.insert(table).from_select(["at_ms", *groups, *made], chosen))
    mark = {"kind": source.records.name, "at_ms": at_ms}
    connection.execute(sa.delete(counted_hours).where(*(counted_hours.c[name] == mark[name] for name in mark)))
    connection.execute(sa.insert(counted_hours).values(mark))
    return int(inserted.rowcount)


def _bound_of(wait_ms: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    """The least bound that a wait keeps, ms; NULL without a wait."""
    bounds: list[Any] = [(wait_ms <= 1000 * bound_s, sa.literal_column(str(1000 * bound_s))) for bound_s in BOUNDS_S]
    return sa.case((wait_ms.is_(None), sa.null()), *bounds, else_=sa.literal_column(str(BEYOND_MS)))
