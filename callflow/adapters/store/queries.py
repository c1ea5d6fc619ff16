"""The reading side, for the command line: its own connection, which can change nothing and never blocks the daemon."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import sqlalchemy as sa

from callflow.adapters.store.places import Where, place_of
from callflow.adapters.store.schema import deleted
from callflow.core.call_record import TimelineEntry
from callflow.core.profile import Mode
from callflow.core.screening.states import Result
from callflow.errors import StoreError
from callflow.records.calls import StoredCall, calls, happenings, stored_call, stored_entry
from callflow.records.stays import stays

PAGE = 1000
LONGEST_MS = 24 * 3_600_000
"""What belongs to a call is looked for within a day of its arrival: by time, so that no other index is needed."""
CLOCKS_APART_MS = 3_600_000
"""Arrivals are timed by our clock, rings by Asterisk's stamps: a call may join its queue before it arrives."""
SHOWN_CANDIDATES = 5


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Which calls: those that arrived in [since_ms, until_ms) and match everything else that is given."""

    since_ms: int | None = None
    until_ms: int | None = None
    result: Result | None = None
    profile: str | None = None
    number: str | None = None
    mode: Mode | None = None
    node: str | None = None
    queues: tuple[str, ...] = ()
    """Only calls that joined one of these queues."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts; `by_result` has the most frequent first and no zeros, `live` are calls without an end yet.

    `would_hang_up` and `false_hang_ups` are of observe mode: the latter are those who were heard afterwards.
    """

    total: int
    by_result: dict[Result, int]
    live: int
    interrupted: int
    observed: int
    would_hang_up: int
    false_hang_ups: int


EVERYTHING = CallFilter()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of calls ended: the next one begins with the call before it."""

    arrived_ms: int
    call_id: str
    node: str


class Reader:
    """An open database. Every method may raise StoreError, which says what to do."""

    def __init__(self, named: Where) -> None:
        """Open the database at a path or a URL."""
        self._place = place_of(named)
        self._engine = self._place.engine()
        try:
            self._connection = self._engine.connect()
            self._place.check(self._connection)
        except sa.exc.DBAPIError as error:
            raise self._place.explained(error) from error

    def page(self, wanted: CallFilter = EVERYTHING, after: Place | None = None, limit: int = PAGE) -> list[StoredCall]:
        """The newest calls first, at most `limit`; with `after` those that follow it."""
        key = (calls.c.arrived_ms, calls.c.call_id, calls.c.node)
        query = sa.select(calls).where(*_conditions(wanted)).order_by(*(column.desc() for column in key)).limit(limit)
        if after is not None:
            place = sa.tuple_(*key) < (after.arrived_ms, after.call_id, after.node)
            query = query.where(calls.c.arrived_ms <= after.arrived_ms, place)
        return [stored_call(row) for row in self.rows(query)]

    def exact(self, call_id: str, node: str) -> StoredCall | None:
        """The call with this id of this node."""
        found = self.rows(sa.select(calls).where(calls.c.call_id == call_id, calls.c.node == node))
        return stored_call(found[0]) if found else None

    def stream(self, wanted: CallFilter = EVERYTHING, page: int = PAGE) -> Iterator[StoredCall]:
        """Every call, oldest first, in constant memory: page by page, so that a slow reader keeps no old snapshot."""
        key = sa.tuple_(calls.c.arrived_ms, calls.c.call_id, calls.c.node)
        query = sa.select(calls).where(*_conditions(wanted)).order_by(*key.clauses).limit(page)
        rows = self.rows(query)
        while rows:
            yield from map(stored_call, rows)
            if len(rows) < page:
                return
            last = rows[-1]
            seen = sa.tuple_(last["arrived_ms"], last["call_id"], last["node"])
            rows = self.rows(query.where(calls.c.arrived_ms >= last["arrived_ms"], key > seen))

    def count(self, wanted: CallFilter = EVERYTHING) -> int:
        """How many calls `stream` would return."""
        (row,) = self.rows(sa.select(sa.func.count().label("n")).select_from(calls).where(*_conditions(wanted)))
        return int(row["n"])

    def find(self, call_id: str, node: str | None = None) -> StoredCall:
        """The call with this id, or the only one whose id begins so; StoreError when there is none or several."""
        at_node = () if node is None else (calls.c.node == node,)
        found = self.rows(sa.select(calls).where(calls.c.call_id == call_id, *at_node))
        if not found:
            begins = (calls.c.call_id >= call_id, calls.c.call_id < call_id + "\U0010ffff")
            query = sa.select(calls).where(*begins, *at_node).order_by(calls.c.call_id, calls.c.node)
            found = self.rows(query.limit(SHOWN_CANDIDATES + 1))
        if not found:
            raise StoreError(f"no call has the id {call_id!r}", remedy="callflow calls lists the ids")
        if len(found) > 1:
            raise _ambiguous(call_id, found)
        return stored_call(found[0])

    def happenings(self, call: StoredCall) -> list[TimelineEntry]:
        """What happened in a call, in order."""
        mine = (happenings.c.call_id == call.record.call_id, happenings.c.node == call.node)
        return [stored_entry(row) for row in self.rows(sa.select(happenings).where(*mine).order_by(happenings.c.seq))]

    def summary(self, wanted: CallFilter = EVERYTHING) -> Summary:
        """Counts over all calls that match."""
        (row,) = self.rows(sa.select(*_counts()).where(*_conditions(wanted)))
        counts = {name: int(n) for name, n in row.items()}
        by_result = {result: counts.pop(f"result_{result.value}") for result in Result}
        most_first = sorted(by_result.items(), key=lambda item: -item[1])
        return Summary(by_result={result: n for result, n in most_first if n}, **counts)

    def deleted_before(self, what: str) -> int:
        """How far back `details` or `records` have been deleted, epoch ms; 0 for not at all."""
        found = self.rows(sa.select(deleted.c.before_ms).where(deleted.c.what == what))
        return int(found[0]["before_ms"]) if found else 0

    def is_written_by(self, node: str) -> bool:
        """Whether the daemon of this name runs and writes to the database; never true of a copy."""
        return self._place.is_written_by(node)

    def interrupt(self) -> None:
        """End the query under way, from another thread: it raises StoreError there. A closed reader has none."""
        with contextlib.suppress(sa.exc.ResourceClosedError):
            if (raw := self._connection.connection.driver_connection) is not None:
                self._place.interrupt(raw)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def rows(self, query: sa.Executable, values: Mapping[str, Any] | None = None) -> list[sa.RowMapping]:
        """All rows of a query, with `values` for its parameters."""
        try:
            return list(self._connection.execute(query, values).mappings())
        except UnicodeEncodeError:
            raise StoreError("what is looked for is not UTF-8 text", remedy="write it in UTF-8") from None
        except sa.exc.DBAPIError as error:
            raise self._place.explained(error) from error


def _conditions(wanted: CallFilter) -> list[sa.ColumnElement[bool]]:
    equal = {
        calls.c.result: wanted.result and wanted.result.value,
        calls.c.profile: wanted.profile,
        calls.c.caller_number: wanted.number,
        calls.c.mode: wanted.mode and wanted.mode.value,
        calls.c.node: wanted.node,
    }
    conditions = [column == value for column, value in equal.items() if value is not None]
    if wanted.since_ms is not None:
        conditions.append(calls.c.arrived_ms >= wanted.since_ms)
    if wanted.until_ms is not None:
        conditions.append(calls.c.arrived_ms < wanted.until_ms)
    if wanted.queues:
        conditions.append(_joined_one_of(wanted))
    return conditions


def _joined_one_of(wanted: CallFilter) -> sa.ColumnElement[bool]:
    """The call has a stay in one of the queues; stays are looked for by time, which has an index."""
    joined: list[sa.ColumnElement[bool]] = [stays.c.queue.in_(wanted.queues)]
    if wanted.since_ms is not None:
        joined.append(stays.c.joined_ms >= wanted.since_ms - CLOCKS_APART_MS)
    if wanted.until_ms is not None:
        joined.append(stays.c.joined_ms < wanted.until_ms + LONGEST_MS)
    return sa.tuple_(calls.c.uniqueid, calls.c.node).in_(sa.select(stays.c.call_id, stays.c.node).where(*joined))


def _counts() -> list[sa.ColumnElement[int]]:
    """All counts in one pass over one index: grouping would sort every call first."""
    observed = calls.c.mode == Mode.OBSERVE.value
    would = sa.and_(observed, calls.c.would == Result.SILENT.value)
    which: dict[str, sa.ColumnElement[bool]] = {
        "total": sa.true(),
        "live": calls.c.result.is_(None),
        "interrupted": calls.c.interrupted,
        "observed": observed,
        "would_hang_up": would,
        "false_hang_ups": sa.and_(would, calls.c.heard_after_would),
        **{f"result_{result.value}": calls.c.result == result.value for result in Result},
    }
    return [sa.func.count().filter(condition).label(name) for name, condition in which.items()]


def _ambiguous(call_id: str, found: list[sa.RowMapping]) -> StoreError:
    shown = ", ".join(f"{row['call_id']} (node {row['node']})" for row in found[:SHOWN_CANDIDATES])
    more = " and more" if len(found) > SHOWN_CANDIDATES else ""
    return StoreError(
        f"the id {call_id!r} fits several calls: {shown}{more}", remedy="give more of the id, or the node with --node"
    )
