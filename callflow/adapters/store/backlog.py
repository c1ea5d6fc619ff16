"""What still has to be written, kept small: pure data, guarded by its owner's lock.

Of each call only the newest record counts, so records replace each other; happenings queue up. When the database cannot
be written to and the room is used up, the least valuable goes first: the oldest happening, then the oldest record of a
call that still lasts, and only then the oldest record of a call that has ended.
"""

from collections import OrderedDict, deque
from dataclasses import dataclass

from callflow.core.record import CallRecord, Happening

EARLY_ROOM = 1000

Told = tuple[str, Happening]


@dataclass(frozen=True, slots=True)
class Batch:
    """What is written at once; `upto`: this many things ever added are in it or came before it, 0 if more wait."""

    live: tuple[CallRecord, ...]
    ended: tuple[CallRecord, ...]
    told: tuple[Told, ...]
    upto: int


class Backlog:
    """Bounded by `room` things in all."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._live: OrderedDict[str, CallRecord] = OrderedDict()
        self._ended: OrderedDict[str, CallRecord] = OrderedDict()
        self._told: deque[Told] = deque()
        self.added = 0
        self.dropped = 0
        """Happenings and records of lasting calls that were given up."""
        self.lost = 0
        """Records of ended calls that were given up: calls missing from the database."""

    def __len__(self) -> int:
        return len(self._live) + len(self._ended) + len(self._told)

    def add_record(self, record: CallRecord, final: bool) -> None:
        """Keep a call's newest record; one that is not final never replaces a final one."""
        self.added += 1
        if final:
            self._live.pop(record.call_id, None)
            self._ended[record.call_id] = record
        elif record.call_id not in self._ended:
            self._live[record.call_id] = record
        self._make_room()

    def add_told(self, call_id: str, happening: Happening) -> None:
        """Keep one happening of a call."""
        self.added += 1
        self._told.append((call_id, happening))
        self._make_room()

    def take(self, most: int) -> Batch:
        """Up to `most` things, to be written or put back; records first, so that no happening comes before its call."""
        live = _take_from(self._live, most)
        ended = _take_from(self._ended, most - len(live))
        told = [self._told.popleft() for _ in range(min(most - len(live) - len(ended), len(self._told)))]
        return Batch(tuple(live), tuple(ended), tuple(told), 0 if len(self) else self.added)

    def put_back(self, batch: Batch) -> None:
        """Keep a batch that was not written, as older than everything added since."""
        for record in reversed(batch.ended):
            self._live.pop(record.call_id, None)
            _put_first(self._ended, record)
        for record in reversed(batch.live):
            if record.call_id not in self._ended:
                _put_first(self._live, record)
        self._told.extendleft(reversed(batch.told))
        self._make_room()

    def put_back_early(self, told: tuple[Told, ...]) -> None:
        """Keep happenings whose call has not been saved yet; of too many, the oldest go."""
        kept = told[-EARLY_ROOM:]
        self.dropped += len(told) - len(kept)
        self._told.extendleft(reversed(kept))
        self._make_room()

    def _make_room(self) -> None:
        while len(self) > self._room:
            if self._told:
                self._told.popleft()
                self.dropped += 1
            elif self._live:
                self._live.popitem(last=False)
                self.dropped += 1
            else:
                self._ended.popitem(last=False)
                self.lost += 1


def _take_from(records: OrderedDict[str, CallRecord], most: int) -> list[CallRecord]:
    return [records.popitem(last=False)[1] for _ in range(min(most, len(records)))]


def _put_first(records: OrderedDict[str, CallRecord], record: CallRecord) -> None:
    """As the oldest, unless there is a newer record of the same call."""
    if record.call_id not in records:
        records[record.call_id] = record
        records.move_to_end(record.call_id, last=False)
