"""What still has to be written, kept small: pure data, guarded by its owner's lock.

Of each record only the newest telling counts, so tellings replace each other; happenings queue up. When the database
cannot be written to and the room is used up, the least valuable goes first: the oldest happening, then the oldest
statement that belongs to no record, then the oldest record of what still lasts, and only then the oldest record of
what has ended.
"""

from collections import OrderedDict, deque
from dataclasses import dataclass

from callflow.adapters.store.pending import Also, Key, Pending
from callflow.core.call_record import TimelineEntry

EARLY_ROOM = 1000

Told = tuple[str, TimelineEntry]


@dataclass(frozen=True, slots=True)
class Batch:
    """What is written at once; `upto`: this many things ever added are in it or came before it, 0 if more wait."""

    live: tuple[Pending, ...]
    ended: tuple[Pending, ...]
    told: tuple[Told, ...]
    also: tuple[Also, ...]
    upto: int


class Backlog:
    """Bounded by `room` things in all."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._live: OrderedDict[Key, Pending] = OrderedDict()
        self._ended: OrderedDict[Key, Pending] = OrderedDict()
        self._told: deque[Told] = deque()
        self._also: deque[Also] = deque()
        self._beside = 0
        """Statements that go with records."""
        self.added = 0
        self.dropped = 0
        """Happenings, statements and records of what lasts that were given up."""
        self.lost = 0
        """Records of what has ended that were given up: calls missing from the database."""

    def __len__(self) -> int:
        return len(self._live) + len(self._ended) + len(self._told) + len(self._also) + self._beside

    def add_record(self, pending: Pending) -> None:
        """Keep the newest telling of a record; one that is not final never replaces a final one of its revision."""
        self.added += 1
        self._beside += len(pending.also)
        older = self._live.pop(pending.key, None) or self._ended.pop(pending.key, None)
        self._put(pending if older is None else older.followed_by(pending))
        self._make_room()

    def add_told(self, call_id: str, entry: TimelineEntry) -> None:
        """Keep one happening of a call."""
        self.added += 1
        self._told.append((call_id, entry))
        self._make_room()

    def add_also(self, also: Also) -> None:
        """Keep a statement that belongs to no record."""
        self.added += 1
        self._also.append(also)
        self._make_room()

    def take(self, most: int) -> Batch:
        """Up to `most` things, to be written or put back; records first, so that no happening comes before its call."""
        live = self._take_from(self._live, most)
        ended = self._take_from(self._ended, most - len(live))
        told = [self._told.popleft() for _ in range(min(most - len(live) - len(ended), len(self._told)))]
        left = most - len(live) - len(ended) - len(told)
        also = [self._also.popleft() for _ in range(min(left, len(self._also)))]
        return Batch(tuple(live), tuple(ended), tuple(told), tuple(also), 0 if len(self) else self.added)

    def put_back(self, batch: Batch) -> None:
        """Keep a batch that was not written, as older than everything added since."""
        for pending in reversed((*batch.live, *batch.ended)):
            self._beside += len(pending.also)
            newer = self._live.pop(pending.key, None) or self._ended.pop(pending.key, None)
            self._put(pending if newer is None else pending.followed_by(newer), first=True)
        self._told.extendleft(reversed(batch.told))
        self._also.extendleft(reversed(batch.also))
        self._make_room()

    def put_back_early(self, told: tuple[Told, ...]) -> None:
        """Keep happenings whose call has not been saved yet; of too many, the oldest go."""
        kept = told[-EARLY_ROOM:]
        self.dropped += len(told) - len(kept)
        self._told.extendleft(reversed(kept))
        self._make_room()

    def _put(self, pending: Pending, *, first: bool = False) -> None:
        among = self._ended if pending.final else self._live
        among[pending.key] = pending
        if first:
            among.move_to_end(pending.key, last=False)

    def _take_from(self, records: OrderedDict[Key, Pending], most: int) -> list[Pending]:
        taken = [records.popitem(last=False)[1] for _ in range(min(most, len(records)))]
        self._beside -= sum(len(pending.also) for pending in taken)
        return taken

    def _make_room(self) -> None:
        while len(self) > self._room:
            if self._told:
                self._told.popleft()
                self.dropped += 1
            elif self._also:
                self._also.popleft()
                self.dropped += 1
            elif self._live:
                (pending,) = self._take_from(self._live, 1)
                self.dropped += 1 + len(pending.also)
            else:
                (pending,) = self._take_from(self._ended, 1)
                self.lost += 1
                self.dropped += len(pending.also)
