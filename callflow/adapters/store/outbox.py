"""The outbox: events saved in the transaction of their record, deleted when their destination has confirmed them."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Protocol

import sqlalchemy as sa

from callflow.adapters.store.backlog import EventNumber, EventRow, Refusal
from callflow.adapters.store.database import explained, reading_engine
from callflow.adapters.store.schema import outbox
from callflow.adapters.store.store import Store
from callflow.core.publishing.envelope import Envelope

FLUSH_S = 5.0


class Numbered(Protocol):
    """An event by its number, and by whose number it is."""

    @property
    def seq(self) -> int: ...
    @property
    def stream(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Waiting:
    """One event as it waits; `body` is its JSON without `seq`."""

    seq: int
    topic: str
    body: str
    after: int
    """The event before it of this destination, 0 for the first; everything between is stored or given up."""
    stream: str
    """Whose numbers these are: they begin anew with another database file."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much may wait: the oldest events beyond either are given up, and counted."""

    max_events: int
    max_age_ms: int


MQTT = "mqtt"
"""The destination that is the message broker."""
MOST_REFUSED = 10_000
"""Dead letters kept for each destination: beyond that the oldest go."""


class Outbox:
    """The events of one daemon for one destination: the broker or a webhook.

    They are read in a thread, and deleted through the store like every other write. `wants`: whether an event is for
    this destination.
    """

    def __init__(
        self,
        store: Store,
        path: Path,
        node: str,
        bounds: Bounds,
        now_ms: Callable[[], int],
        destination: str = MQTT,
        wants: Callable[[Envelope], bool] = lambda envelope: True,
        *,
        awaits_collector: bool = False,
    ) -> None:
        self._awaits_collector = awaits_collector
        self._life = f"{now_ms()}-{token_hex(4)}"
        self._stored_upto = 0
        self._store = store
        self._node = node
        self.destination = destination
        self.wants = wants
        self._mine = sa.and_(outbox.c.node == node, outbox.c.destination == destination, outbox.c.refused_ms.is_(None))
        """What waits for this destination."""
        self._path = path
        self._bounds = bounds
        self._now_ms = now_ms
        self._reading = reading_engine(path)
        self._news = asyncio.Event()
        self._tidying = asyncio.Lock()
        self._file = store.file_number
        self._read_upto = 0
        """Everything up to here has been read."""
        self._given_up_to = 0
        self._confirmed: set[int] = set()
        """Confirmed, but perhaps not deleted yet: a failing disk may lose a deletion."""
        self.depth = 0
        self.oldest_ms: int | None = None
        self.dropped = 0
        self.sent = 0
        self.refused = 0
        """Dead letters that wait for a person."""

    def row(self, envelope: Envelope) -> EventRow:
        """The row of an event, to be saved with its record."""
        return EventRow(
            envelope.event_id, envelope.revision, envelope.topic, envelope.body(), self._now_ms(), self.destination
        )

    def has_news(self) -> None:
        """Events have been given to the store."""
        self._news.set()

    async def news(self, at_most_s: float | None = None) -> None:
        """Wait until there are new events, and they are on the disk; or until `at_most_s` are over."""
        with suppress(TimeoutError):
            async with asyncio.timeout(at_most_s):
                await self._news.wait()
        self._news.clear()
        if not await self._store.flush(FLUSH_S):
            self._news.set()  # the disk fails for now: try again later
            await asyncio.sleep(1.0)

    async def read(self, most: int) -> list[Waiting]:
        """The oldest events that were not read yet; raises StoreError."""
        self._follow_file()
        before, stream = self._read_upto, self.stream
        rows = await asyncio.to_thread(self._read, max(before, self._given_up_to), most)
        if rows and self._file == self._store.file_number and self._read_upto == before:
            self._read_upto = rows[-1][0]  # unless it was set back meanwhile
        befores = (before, *(seq for seq, *_ in rows))
        return [Waiting(*row, after, stream) for row, after in zip(rows, befores, strict=False)]

    def read_again_from(self, seq: int) -> None:
        """These were read and not confirmed."""
        self._read_upto = min(self._read_upto, seq - 1)

    def confirmed(self, event: Numbered) -> None:
        """The destination has this event: delete it."""
        self.sent += 1
        if self._awaits_collector or event.stream != self.stream:
            return
        self._confirmed.add(event.seq)
        self._store.delete_event(self._number(event.seq))

    def stored(self, stream: str, upto: int) -> None:
        """The collector has every event of this stream up to here: delete them."""
        if stream == self.stream and upto > self._stored_upto:
            self._stored_upto = upto
            self._store.delete_events_upto(self.destination, self._number(upto))

    @property
    def stream(self) -> str:
        """The name of this life of the daemon with this database file."""
        return f"{self._life}-{self._file}"

    async def first_after(self, seq: int) -> Waiting | None:
        """The oldest event that waits after this one; raises StoreError."""
        stream = self.stream
        rows = await asyncio.to_thread(self._read, seq, 1)
        return Waiting(*rows[0], seq, stream) if rows else None

    def is_given_up(self, event: Numbered) -> bool:
        """The event was dropped for age or room."""
        return event.stream == self.stream and event.seq <= self._given_up_to

    def refuse(self, event: Numbered, reason: str) -> None:
        """The destination will never take this event: put it aside as a dead letter."""
        if event.stream == self.stream:
            self._store.refuse_event(Refusal(self._number(event.seq), self._now_ms(), reason))

    async def tidy(self) -> None:
        """Measure what waits, repeat lost deletions, give up what is too much or too old; raises StoreError."""
        async with self._tidying:
            self._follow_file()
            await self._delete_again()
            if self._stored_upto:
                self._store.delete_events_upto(self.destination, self._number(self._stored_upto))
            file = self._file
            upto, number, self.depth, self.oldest_ms = await asyncio.to_thread(self._measure)
            if number and file == self._file:
                self._given_up_to = upto
                self.dropped += number
                self._store.delete_events_upto(self.destination, EventNumber(file, upto))
            file = self._file
            self.refused, surplus = await asyncio.to_thread(self._measure_refused)
            for seq in surplus:
                self._store.delete_event(EventNumber(file, seq))

    def _number(self, seq: int) -> EventNumber:
        return EventNumber(self._file, seq)

    def _follow_file(self) -> None:
        """Another database file (a restored backup) has events of its own, whose numbers begin anew."""
        if self._file != self._store.file_number:
            self._file = self._store.file_number
            self._read_upto = self._given_up_to = self._stored_upto = 0
            self._confirmed.clear()
            self._news.set()

    async def _delete_again(self) -> None:
        """Delete what was confirmed and is still there after everything has been written."""
        asked, file = frozenset(self._confirmed), self._file
        if not asked or not await self._store.flush(FLUSH_S):
            return
        left = asked & await asyncio.to_thread(self._saved_between, min(asked), max(asked))
        if file != self._file:
            return
        self._confirmed -= asked - left
        for seq in sorted(left):
            self._store.delete_event(self._number(seq))

    def _saved_between(self, first: int, last: int) -> frozenset[int]:
        wanted = sa.select(outbox.c.seq).where(self._mine, outbox.c.seq.between(first, last))
        try:
            with self._reading.connect() as connection:
                return frozenset(connection.execute(wanted).scalars())
        except sa.exc.DBAPIError as error:
            raise explained(error, self._path) from error

    def _read(self, after_seq: int, most: int) -> list[tuple[int, str, str]]:
        """The number, topic and body of each."""
        wanted = (
            sa.select(outbox.c.seq, outbox.c.topic, outbox.c.body)
            .where(self._mine, outbox.c.seq > after_seq)
            .order_by(outbox.c.seq)
            .limit(most)
        )
        try:
            with self._reading.connect() as connection:
                return [(row.seq, row.topic, row.body) for row in connection.execute(wanted)]
        except sa.exc.DBAPIError as error:
            raise explained(error, self._path) from error

    def _measure(self) -> tuple[int, int, int, int | None]:
        """(greatest seq to give up, how many those are, how many wait, when the oldest of these was saved)."""
        mine = sa.and_(self._mine, outbox.c.seq > self._given_up_to)
        count = sa.select(sa.func.count()).select_from(outbox).where(mine)
        try:
            with self._reading.connect() as connection:
                depth = connection.execute(count).scalar_one()
                upto = max(self._too_many(connection, mine, depth), self._too_old(connection, mine))
                number = connection.execute(count.where(outbox.c.seq <= upto)).scalar_one() if upto else 0
                left = sa.select(sa.func.min(outbox.c.saved_ms)).where(mine, outbox.c.seq > upto)
                return upto, number, depth - number, connection.execute(left).scalar()
        except sa.exc.DBAPIError as error:
            raise explained(error, self._path) from error

    def _measure_refused(self) -> tuple[int, list[int]]:
        """How many dead letters there are, and those that are too many."""
        refused = sa.select(outbox.c.seq).where(
            outbox.c.node == self._node,
            outbox.c.destination == self.destination,
            outbox.c.refused_ms.is_not(None),
        )
        try:
            with self._reading.connect() as connection:
                seqs = list(connection.execute(refused.order_by(outbox.c.seq)).scalars())
        except sa.exc.DBAPIError as error:
            raise explained(error, self._path) from error
        return min(len(seqs), MOST_REFUSED), seqs[: max(0, len(seqs) - MOST_REFUSED)]

    def _too_many(self, connection: sa.Connection, mine: sa.ColumnElement[bool], depth: int) -> int:
        surplus = depth - self._bounds.max_events
        if surplus <= 0:
            return 0
        last = sa.select(outbox.c.seq).where(mine).order_by(outbox.c.seq).offset(surplus - 1).limit(1)
        return connection.execute(last).scalar() or 0

    def _too_old(self, connection: sa.Connection, mine: sa.ColumnElement[bool]) -> int:
        oldest_ms = self._now_ms() - self._bounds.max_age_ms
        old = sa.select(sa.func.max(outbox.c.seq)).where(mine, outbox.c.saved_ms < oldest_ms)
        return connection.execute(old).scalar() or 0
