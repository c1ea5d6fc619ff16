"""The collector's connection: it holds the lock of its shard, and writes events and watermarks in one transaction.

Lock and writing share the connection, so a collector that loses the lock cannot write any more.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import blake2b
from threading import RLock
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert

from callflow.adapters.store.fleet.entries import keep_closing_times
from callflow.adapters.store.fleet.migrate import bring_to_head
from callflow.adapters.store.fleet.repeats import RepeatCallers
from callflow.adapters.store.fleet.rows import FleetTable
from callflow.adapters.store.fleet.schema import publishers, unread_events
from callflow.adapters.store.fleet.settling import settle_elsewhere
from callflow.adapters.store.places import Postgres
from callflow.core.callbacks.rules import CallbackRules
from callflow.core.fleet.arrival import Announced, Arrival
from callflow.core.fleet.census import Taken
from callflow.core.fleet.orders import Answer, Order
from callflow.core.fleet.progress import Progress
from callflow.records.callbacks import CALLBACK_ATTEMPTS, CALLBACK_CHANGES, CALLBACKS
from callflow.records.collected import (
    COLLECTED,
    Unreadable,
    attempt_row,
    callback_rows,
    collected_row,
    storable_text,
)
from callflow.records.kind import RecordKind

LEFT_AT_THE_NODE = {"case"}
"""Events of a list that its node keeps, because only it knows the numbers."""
TABLES: Mapping[str, RecordKind[Any]] = {
    **COLLECTED,
    "callback": CALLBACKS,
    "callback change": CALLBACK_CHANGES,
    "callback_attempt": CALLBACK_ATTEMPTS,
}
"""Where the rows of events go, by their kind."""
REREAD = 500
"""Events in one transaction."""
TIDY_MS = 3_600_000
IS_THE_ROW = (sa.exc.DataError, sa.exc.IntegrityError)
"""Errors for which the row itself is at fault, and would be for ever."""

Stream = tuple[str, str]
"""Site and stream."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Stored:
    """Up to where the events of a stream are stored; `gap`: something before a later event is missing."""

    site: str
    stream: str
    upto: int
    gap: bool
    taken: Taken = field(default=Taken(), compare=False)


@dataclass(slots=True)
class _Part:
    """The part of one transaction that belongs to one stream."""

    progress: Progress
    came_ms: int = 0
    lag_ms: int | None = None
    """From the last event to its arrival."""
    seen: int = 0
    """The highest number of an event."""
    events: int = 0
    repeated: int = 0
    gaps: int = 0

    def stored(self, stream: Stream) -> Stored:
        """What it is once the transaction is over."""
        upto = self.progress.upto
        taken = Taken(upto, self.seen, self.came_ms, self.lag_ms, self.events, self.repeated, self.gaps)
        return Stored(*stream, upto, gap=self.seen > upto, taken=taken)


@dataclass(slots=True)
class _Sorted:
    """Events of one transaction: rows by kind, those that cannot be read, and how far each stream has come."""

    rows: dict[str, list[tuple[Arrival, dict[str, Any]]]] = field(default_factory=lambda: defaultdict(list))
    unread: list[tuple[Arrival, str]] = field(default_factory=list)
    parts: dict[Stream, _Part] = field(default_factory=dict)

    def of(self, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """The rows of one kind, each with its site."""
        return ((arrival.site, row) for arrival, row in self.rows.get(name, ()))


class CollectorDatabase:
    """Used by one thread at a time. Every method may raise StoreError; then open it again."""

    def __init__(self, place: Postgres, shard: str, rules: CallbackRules | None = None) -> None:
        """`rules`: when a caller at several nodes is repeated."""
        self._place = place
        self._lock = int.from_bytes(blake2b(f"callflow collect {shard}".encode(), digest_size=8).digest(), signed=True)
        self._engine = place.writing_engine()
        self._connection: sa.Connection | None = None
        self.busy = RLock()
        """Held during a transaction: a collector that is stopped closes the connection from another thread."""
        self._tables = {name: FleetTable(kind) for name, kind in TABLES.items()}
        self._progress: dict[Stream, Progress] = {}
        self._repeats = RepeatCallers(rules or CallbackRules())
        self._tidied_ms = 0
        self.unread = 0
        """Events that could not be stored, since the start."""
        self.has_orders = True
        """There may be some that were not sent yet."""
        self.has_short_calls = True
        """There may be calls for `look`: an earlier collector may have left some."""

    def open(self) -> bool:
        """Make or upgrade the tables and take the lock of the shard; False while another collector holds it."""
        bring_to_head(self._place)
        try:
            self._connection = self._engine.connect()
            with self._connection.begin():
                taken = self._connection.execute(sa.select(sa.func.pg_try_advisory_lock(self._lock))).scalar()
        except sa.exc.DBAPIError as error:
            self.close()
            raise self._place.explained(error) from error
        if not taken:
            self.close()
        self.has_short_calls = True
        return bool(taken)

    def close(self) -> None:
        """Let go of the lock."""
        with self.busy:
            connection, self._connection = self._connection, None
            self._progress.clear()
            if connection is not None:
                connection.close()

    def publishers(self) -> list[Stored]:
        """The newest stream of each site, and what is stored of it."""
        known = sa.select(publishers).order_by(publishers.c.last_ms)
        with self._transaction() as connection:
            newest = {row.site: row for row in connection.execute(known)}
        return [
            Stored(row.site, row.stream, upto := row.committed_seq, True, Taken(upto, upto, row.last_ms, row.lag_ms))
            for row in newest.values()
        ]

    def write(self, arrivals: Sequence[Arrival]) -> list[Stored]:
        """Store events, and note how far each stream has come; all of it is in the database when this returns."""
        with self._transaction() as connection:
            found = self._sort(connection, arrivals)
            for name, rows in found.rows.items():
                found.unread += self._save(connection, name, rows)
            if found.unread:
                _keep_unread(connection, found.unread)
            keep_closing_times(connection, (row for _, row in found.of("callback change")))
            self.has_orders |= settle_elsewhere(
                connection, found.of("stay"), found.of("callback change"), max(one.came_ms for one in arrivals)
            )
            self.has_short_calls |= self._repeats.note(connection, found.of("screened"), found.of("stay"))
            _note(connection, found.parts)
        self._progress.update((stream, part.progress) for stream, part in found.parts.items())
        self.unread += len(found.unread)
        return [part.stored(stream) for stream, part in found.parts.items()]

    def note(self, announced: Announced) -> None:
        """Note who publishes for a site; a retained message is old, and no sign of life."""
        values: dict[str, Any] = {
            "node": announced.node,
            "host": announced.host,
            "version": announced.version,
            "settings": announced.settings,
        }
        if announced.skew_ms is not None:
            values |= {"skew_ms": announced.skew_ms, "last_ms": announced.came_ms}
        values = {name: storable_text(value) if isinstance(value, str) else value for name, value in values.items()}
        first = {"first_ms": announced.came_ms, "last_ms": announced.came_ms}
        new = insert(publishers).values(site=announced.site, stream=announced.stream, **first | values)
        with self._transaction() as connection:
            connection.execute(new.on_conflict_do_update(index_elements=list(publishers.primary_key), set_=values))

    def look(self, now_ms: int) -> bool:
        """Count the callers of new short calls over all nodes; whether some of them are repeated."""
        with self._transaction() as connection:
            ordered = self._repeats.look(connection, now_ms)
            if now_ms - self._tidied_ms >= TIDY_MS:
                self._repeats.tidy(connection, now_ms)
        if now_ms - self._tidied_ms >= TIDY_MS:
            self._tidied_ms = now_ms
        self.has_short_calls = False
        self.has_orders |= ordered
        return ordered

    def orders(self, sites: Sequence[str], now_ms: int) -> list[tuple[str, Order]]:
        """What the nodes of these sites (empty: all) have not answered yet."""
        with self._transaction() as connection:
            found = self._repeats.open_orders(connection, sites, now_ms)
        self.has_orders = False
        return found

    def answered(self, answer: Answer, now_ms: int) -> None:
        """A node has answered an order."""
        with self._transaction() as connection:
            self._repeats.answered(connection, answer, now_ms)

    def read_again(self) -> int:
        """Store the events that an earlier release could not read, as far as this one can; returns how many."""
        key = list(unread_events.primary_key)
        in_order = sa.select(unread_events).order_by(*key).limit(REREAD)
        query, done = in_order, 0
        while True:
            with self._transaction() as connection:
                rows = connection.execute(query).all()
                done += sum(self._reread(connection, kept) for kept in rows)
            if len(rows) < REREAD:
                return done
            query = in_order.where(sa.tuple_(*key) > tuple(getattr(rows[-1], column.name) for column in key))

    # -- within a transaction -----------------------------------------------------------------------------------------

    def _reread(self, connection: sa.Connection, kept: sa.Row[Any]) -> bool:
        """Store an event that was kept unread; False if it stays so."""
        arrival = Arrival(kept.topic, kept.body, kept.came_ms)
        try:
            rows_by_kind = _rows(arrival, _event(arrival))
        except Unreadable:
            return False
        if any(self._save(connection, name, [(arrival, row)]) for name, row in rows_by_kind):
            return False
        keep_closing_times(connection, (row for name, row in rows_by_kind if name == "callback change"))
        key = [column == getattr(kept, column.name) for column in unread_events.primary_key]
        connection.execute(sa.delete(unread_events).where(*key))
        return True

    def _sort(self, connection: sa.Connection, arrivals: Iterable[Arrival]) -> _Sorted:
        found = _Sorted()
        for arrival in arrivals:
            event: Mapping[str, Any] = {}
            try:
                event = _event(arrival)
                for name, row in _rows(arrival, event):
                    found.rows[name].append((arrival, row))
            except Unreadable as error:
                found.unread.append((arrival, str(error)))
            if arrival.stream:
                _advance(self._part(connection, found, arrival), arrival, event)
        return found

    def _part(self, connection: sa.Connection, found: _Sorted, arrival: Arrival) -> _Part:
        stream = (arrival.site, arrival.stream)
        if stream not in found.parts:
            known = self._progress.get(stream)
            if known is None:
                mine = publishers.c.site == stream[0], publishers.c.stream == stream[1]
                upto = connection.execute(sa.select(publishers.c.committed_seq).where(*mine)).scalar()
                known = Progress(upto or 0)
            found.parts[stream] = _Part(replace(known))
        return found.parts[stream]

    def _save(
        self, connection: sa.Connection, name: str, rows: Sequence[tuple[Arrival, dict[str, Any]]]
    ) -> list[tuple[Arrival, str]]:
        """Save rows of one kind; returns those that the database will never take, with the reason."""
        table = self._tables[name]
        try:
            with connection.begin_nested():
                table.save(connection, [row for _, row in rows])
        except IS_THE_ROW as error:
            table.forget_days()
            if len(rows) == 1:
                return [(rows[0][0], f"the database refuses it: {getattr(error, 'orig', error)}")]
            return [bad for row in rows for bad in self._save(connection, name, [row])]
        return []

    def _transaction(self) -> "_Transaction":
        return _Transaction(self)

    def failed(self, error: Exception) -> Exception:
        """Close after a failure; the error to raise."""
        for table in self._tables.values():
            table.forget_days()
        self.close()
        return self._place.explained(error) if isinstance(error, sa.exc.SQLAlchemyError) else error

    def connection(self) -> sa.Connection:
        """The open connection; raises StoreError when it is lost."""
        if self._connection is None:
            raise self._place.explained(RuntimeError("the connection was lost"))
        return self._connection


class _Transaction:
    """One transaction; whatever fails in it closes the connection, and with it the lock."""

    def __init__(self, database: CollectorDatabase) -> None:
        self._database = database

    def __enter__(self) -> sa.Connection:
        self._database.busy.acquire()
        try:
            connection = self._database.connection()
            self._begun = connection.begin()
        except BaseException:
            self._database.busy.release()
            raise
        return connection

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        try:
            if error is None:
                self._begun.commit()
        except sa.exc.SQLAlchemyError as failed:
            raise self._database.failed(failed) from failed
        else:
            if isinstance(error, Exception):
                raise self._database.failed(error) from error
        finally:
            self._database.busy.release()


def _advance(part: _Part, arrival: Arrival, event: Mapping[str, Any]) -> None:
    part.events += 1
    part.came_ms = max(part.came_ms, arrival.came_ms)
    if isinstance(seq := event.get("seq"), int):
        part.seen = max(part.seen, seq)
        part.repeated += seq <= part.progress.upto
        part.gaps += not part.progress.take(seq, arrival.after)
    with suppress(TypeError, ValueError):
        part.lag_ms = arrival.came_ms - round(datetime.fromisoformat(event.get("occurred_at", "")).timestamp() * 1000)


def _event(arrival: Arrival) -> dict[str, Any]:
    try:
        return dict(arrival.event())
    except ValueError as error:
        raise Unreadable(f"it is no JSON: {error}") from None


def _rows(arrival: Arrival, event: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The rows of an event by kind; none for an event that no table of a fleet keeps. Raises Unreadable."""
    if arrival.group == "alert" or arrival.name in LEFT_AT_THE_NODE:
        return []
    if arrival.name not in TABLES or event.get("schema") != f"callflow.call.{arrival.name}/1":
        raise Unreadable(f"its schema {event.get('schema')!r} is of another release of callflow")
    if arrival.name == "callback":
        entry, change = callback_rows(event, arrival.site)
        return [("callback", entry), ("callback change", change)]
    if arrival.name == "callback_attempt":
        return [("callback_attempt", attempt_row(event))]
    return [(arrival.name, collected_row(TABLES[arrival.name], event))]


def _keep_unread(connection: sa.Connection, unread: Iterable[tuple[Arrival, str]]) -> None:
    rows = []
    for arrival, reason in unread:
        log.warning("an event cannot be stored; it is kept as it came", topic=arrival.topic, reason=reason)
        try:
            event = arrival.event()
            key, revision = str(event["event_id"]), int(event["revision"])
        except (ValueError, KeyError, TypeError, OverflowError):
            key, revision = blake2b(arrival.body.encode(), digest_size=16).hexdigest(), 0
        texts = {"topic": arrival.topic, "event_id": key, "body": arrival.body, "reason": reason[:1000]}
        rows.append(
            {name: storable_text(text) for name, text in texts.items()}
            | {"revision": revision, "came_ms": arrival.came_ms}
        )
    if rows:
        connection.execute(insert(unread_events).on_conflict_do_nothing(), rows)


def _note(connection: sa.Connection, parts: Mapping[Stream, _Part]) -> None:
    """How far each stream has come, all in one statement: a batch may have events of every site."""
    rows = [
        {
            "site": site, "stream": stream, "first_ms": part.came_ms, "last_ms": part.came_ms, "lag_ms": part.lag_ms,
            "committed_seq": part.progress.upto, "events": part.events, "gaps": part.gaps,
        }
        for (site, stream), part in parts.items()
    ]  # fmt: skip
    if rows:
        connection.execute(_NOTE, rows)


_NEW, _KNOWN = insert(publishers), publishers.c
_NOTE = _NEW.on_conflict_do_update(
    index_elements=list(publishers.primary_key),
    set_={
        "last_ms": sa.func.greatest(_KNOWN.last_ms, _NEW.excluded.last_ms),
        "committed_seq": sa.func.greatest(_KNOWN.committed_seq, _NEW.excluded.committed_seq),
        "lag_ms": sa.func.coalesce(_NEW.excluded.lag_ms, _KNOWN.lag_ms),
        "events": _KNOWN.events + _NEW.excluded.events,
        "gaps": _KNOWN.gaps + _NEW.excluded.gaps,
    },
)
