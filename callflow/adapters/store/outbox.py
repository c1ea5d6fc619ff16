"""The outbox: events saved in the transaction of their record, deleted when their destination has confirmed them."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from secrets import token_hex

import sqlalchemy as sa

from callflow.adapters.store.backlog import EventRow, Refusal
from callflow.adapters.store.database import explained, reading_engine
from callflow.adapters.store.schema import outbox
from callflow.adapters.store.store import Store
from callflow.core.publishing.envelope import Envelope

FLUSH_S = 5.0


@dataclass(frozen=True, slots=True)
class Waiting:
    """One event as it waits; `body` is its JSON without `seq`."""

    seq: int
    topic: str
    body: str
    after: int = 0
    """The event before it of this destination, 0 for the first; everything between is stored or given up."""
    stream: str = ""
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
        events = await asyncio.to_thread(self._read, max(before, self._given_up_to), most)
        if events and self._file == self._store.file_number and self._read_upto == before:
            self._read_upto = events[-1].seq  # unless it was set back meanwhile
        if not self._awaits_collector:
            return events
        befores = (before, *(event.seq for event in events))
        return [replace(event, after=seq, stream=stream) for event, seq in zip(events, befores, strict=False)]

    def read_again_from(self, seq: int) -> None:
        """These were read and not confirmed."""
        self._read_upto = min(self._read_upto, seq - 1)

    def confirmed(self, seq: int) -> None:
        """The destination has this event: delete it."""
        self.sent += 1
        if self._awaits_collector:
            return
        self._confirmed.add(seq)
        self._store.delete_event(seq)

    def stored(self, stream: str, upto: int) -> None:
        """The collector has every event of this stream up to here: delete them."""
        if stream == self.stream and upto > self._stored_upto:
            self._stored_upto = upto
            self._store.delete_events_upto(self.destination, upto)

    @property
    def stream(self) -> str:
        """The name of this life of the daemon with this database file."""
        return f"{self._life}-{self._file}"

    async def first_after(self, seq: int) -> Waiting | None:
        """The oldest event that waits after this one; raises StoreError."""
        found = await asyncio.to_thread(self._read, seq, 1)
        return replace(found[0], after=seq, stream=self.stream) if found else None

    def is_given_up(self, seq: int) -> bool:
        """The event was dropped for age or room."""
        return seq <= self._given_up_to

    def refuse(self, seq: int, reason: str) -> None:
        """The destination will never take this event: put it aside as a dead letter."""
        self._store.refuse_event(Refusal(seq, self._now_ms(), reason))

    async def tidy(self) -> None:
        """Measure what waits, repeat lost deletions, give up what is too much or too old; raises StoreError."""
        async with self._tidying:
            self._follow_file()
            await self._delete_again()
            if self._stored_upto:
                self._store.delete_events_upto(self.destination, self._stored_upto)
            upto, number, self.depth, self.oldest_ms = await asyncio.to_thread(self._measure)
            if number:
                self._given_up_to = upto
                self.dropped += number
                self._store.delete_events_upto(self.destination, upto)
            self.refused, surplus = await asyncio.to_thread(self._measure_refused)
            for seq in surplus:
                self._store.delete_event(seq)

    def _follow_file(self) -> None:
        """Another database file (a restored backup) has events of its own, whose numbers begin anew."""
        if self._file != self._store.file_number:
            self._file = self._store.file_number
            self._read_upto = self._given_up_to = self._stored_upto = 0
            self._confirmed.clear()
            self._news.set()

    async def _delete_again(self) -> None:
        """Delete what was confirmed and is still there after everything has been written."""
        asked = frozenset(self._confirmed)
        if not asked or not await self._store.flush(FLUSH_S):
            return
        left = asked & await asyncio.to_thread(self._saved_between, min(asked), max(asked))
        self._confirmed -= asked - left
        for seq in sorted(left):
            self._store.delete_event(seq)

    def _saved_between(self, first: int, last: int) -> frozenset[int]:
        wanted = sa.select(outbox.c.seq).where(self._mine, outbox.c.seq.between(first, last))
        try:
            with self._reading.connect() as connection:
                return frozenset(connection.execute(wanted).scalars())
        except sa.exc.DBAPIError as error:
            raise explained(error, self._path) from error

    def _read(self, after_seq: int, most: int) -> list[Waiting]:
        wanted = (
            sa.select(outbox.c.seq, outbox.c.topic, outbox.c.body)
            .where(self._mine, outbox.c.seq > after_seq)
            .order_by(outbox.c.seq)
            .limit(most)
        )
        try:
            with self._reading.connect() as connection:
                return [Waiting(*row) for row in connection.execute(wanted)]
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
