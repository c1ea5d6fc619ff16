"""What still has to be written, kept small: pure data, guarded by its owner's lock.

A record that is saved again replaces its older version; timeline entries queue up. When the database cannot be
written to and the room is used up, the least valuable goes first: the oldest timeline entry, then the oldest record of
what still lasts, and only then the oldest record of what has ended.
"""

from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from callflow.core.call_record import TimelineEntry

EARLY_ROOM = 125
"""Entries kept that come before their call's record: fewer than go into one transaction, or nothing else would."""

T = TypeVar("T")

Key = tuple[str, ...]
CallEntry = tuple[str, TimelineEntry]
"""A call's id, and something that happened in it."""


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event for one destination; `body` is its JSON without `seq`, which the database gives."""

    event_id: str
    revision: int
    topic: str
    body: str
    saved_ms: int
    destination: str


@dataclass(frozen=True, slots=True, order=True)
class EventNumber:
    """Which event: its number, and the database file that gave it (`Store.file_number`). Another file counts anew."""

    file: int
    seq: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """A destination will never take this event."""

    event: EventNumber
    refused_ms: int
    reason: str


@dataclass(frozen=True, slots=True)
class Pending:
    """A record on its way to the database. `key` is the same for every version of it."""

    key: Key
    record: Any
    final: bool
    events: tuple[EventRow, ...] = ()
    interrupted: bool = False
    """A dead daemon left it open."""

    def followed_by(self, later: "Pending") -> "Pending":
        """Of two versions of one record the one that counts, with the events of both."""
        counts = later if self._yields_to(later) else self
        return replace(counts, events=self.events + later.events)

    def _yields_to(self, later: "Pending") -> bool:
        """The higher revision counts. Of equal revisions, or without any, a final version counts, else the later."""
        mine, theirs = (getattr(pending.record, "revision", 0) for pending in (self, later))
        return bool(theirs > mine or (theirs == mine and (later.final or not self.final)))


@dataclass(frozen=True, slots=True)
class Confirmed:
    """Events to delete: each of `events`, and of each destination in `upto` everything up to that; and dead letters."""

    events: tuple[EventNumber, ...] = ()
    upto: Mapping[str, EventNumber] = field(default_factory=dict)
    refused: tuple[Refusal, ...] = ()

    def of_file(self, file: int) -> "Confirmed":
        """Those whose events are in this file: in another one the same numbers belong to other events."""
        return Confirmed(
            tuple(event for event in self.events if event.file == file),
            {destination: event for destination, event in self.upto.items() if event.file == file},
            tuple(refusal for refusal in self.refused if refusal.event.file == file),
        )


@dataclass(frozen=True, slots=True)
class Batch:
    """What is written at once; `upto`: this many things ever added are in it or came before it, 0 if more wait."""

    live: tuple[Pending, ...] = ()
    ended: tuple[Pending, ...] = ()
    timeline: tuple[CallEntry, ...] = ()
    confirmed: Confirmed = Confirmed()
    upto: int = 0

    def __bool__(self) -> bool:
        return bool(self.live or self.ended or self.timeline or self.confirmed != Confirmed())


class Backlog:
    """Bounded by `room` things in all."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._live: OrderedDict[Key, Pending] = OrderedDict()
        self._ended: OrderedDict[Key, Pending] = OrderedDict()
        self._timeline: deque[CallEntry] = deque()
        self._events = 0
        """Events that go with records."""
        self._confirmed: deque[EventNumber] = deque()
        self._confirmed_upto: dict[str, EventNumber] = {}
        self._refused: deque[Refusal] = deque()
        self.added = 0
        self.dropped = 0
        """Timeline entries, events, and records of what lasts that were given up."""
        self.lost = 0
        """Records of what has ended that were given up: calls missing from the database."""

    def __len__(self) -> int:
        deletions = len(self._confirmed) + len(self._refused)
        return len(self._live) + len(self._ended) + len(self._timeline) + deletions + self._events

    def add_record(self, pending: Pending) -> None:
        """Keep the newest version of a record; one that is not final never replaces a final one of its revision."""
        self.added += 1
        self._events += len(pending.events)
        older = self._live.pop(pending.key, None) or self._ended.pop(pending.key, None)
        self._put(pending if older is None else older.followed_by(pending))
        self._make_room()

    def add_entry(self, call_id: str, entry: TimelineEntry) -> None:
        """Keep one thing that happened in a call."""
        self.added += 1
        self._timeline.append((call_id, entry))
        self._make_room()

    def add_confirmed(self, event: EventNumber) -> None:
        """Have an event deleted that the broker has confirmed; the outbox asks again if this is dropped."""
        self.added += 1
        self._confirmed.append(event)
        self._make_room()

    def add_confirmed_upto(self, destination: str, event: EventNumber) -> None:
        """Have every event for this destination up to this one deleted; those of an earlier file are gone with it."""
        self.added += 1
        self._confirmed_upto[destination] = max(self._confirmed_upto.get(destination, event), event)

    def add_refused(self, refusal: Refusal) -> None:
        """Have an event put aside as a dead letter; it is sent once more if this is dropped."""
        self.added += 1
        self._refused.append(refusal)
        self._make_room()

    def take(self, most: int) -> Batch:
        """Up to `most` things, to be written or put back; records first, so that no entry comes before its call.

        The events of the last record may go beyond `most`: they share its transaction.
        """
        live = self._take_from(self._live, most)
        ended = self._take_from(self._ended, most - _size(live))
        timeline = _first(self._timeline, most - _size(live) - _size(ended))
        events = _first(self._confirmed, most - _size(live) - _size(ended) - len(timeline))
        upto, self._confirmed_upto = self._confirmed_upto, {}
        refused = _first(self._refused, most)
        return Batch(live, ended, timeline, Confirmed(events, upto, refused), 0 if len(self) else self.added)

    def put_back(self, batch: Batch) -> None:
        """Keep a batch that was not written, as older than everything added since."""
        for pending in reversed((*batch.live, *batch.ended)):
            self._events += len(pending.events)
            newer = self._live.pop(pending.key, None) or self._ended.pop(pending.key, None)
            self._put(pending if newer is None else pending.followed_by(newer), first=True)
        self._timeline.extendleft(reversed(batch.timeline))
        self._confirmed.extendleft(reversed(batch.confirmed.events))
        for destination, event in batch.confirmed.upto.items():
            self._confirmed_upto[destination] = max(self._confirmed_upto.get(destination, event), event)
        self._refused.extendleft(reversed(batch.confirmed.refused))
        self._make_room()

    def put_back_early(self, early: tuple[CallEntry, ...]) -> None:
        """Keep entries whose call has not been saved yet; of too many, the oldest are dropped."""
        kept = early[-EARLY_ROOM:]
        self.dropped += len(early) - len(kept)
        self._timeline.extendleft(reversed(kept))
        self._make_room()

    def _put(self, pending: Pending, *, first: bool = False) -> None:
        among = self._ended if pending.final else self._live
        among[pending.key] = pending
        if first:
            among.move_to_end(pending.key, last=False)

    def _take_from(self, records: OrderedDict[Key, Pending], most: int) -> tuple[Pending, ...]:
        taken: list[Pending] = []
        while records and most > 0:
            taken.append(records.popitem(last=False)[1])
            most -= 1 + len(taken[-1].events)
            self._events -= len(taken[-1].events)
        return tuple(taken)

    def _make_room(self) -> None:
        while len(self) > self._room:
            if self._timeline:
                self._timeline.popleft()
                self.dropped += 1
            elif self._confirmed:
                self._confirmed.popleft()
            elif self._refused:
                self._refused.popleft()
            elif self._live:
                (pending,) = self._take_from(self._live, 1)
                self.dropped += 1 + len(pending.events)
            else:
                (pending,) = self._take_from(self._ended, 1)
                self.lost += 1
                self.dropped += len(pending.events)


def _first(waiting: deque[T], most: int) -> tuple[T, ...]:
    return tuple(waiting.popleft() for _ in range(min(most, len(waiting))))


def _size(records: tuple[Pending, ...]) -> int:
    return len(records) + sum(len(pending.events) for pending in records)
