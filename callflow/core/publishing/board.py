"""What is true now, by key, for any number of readers. Pure.

Every change gets the next version. A reader keeps only how far it has read, so it costs the board nothing, and a slow
reader delays nobody: it receives the newest value of each key and skips the values in between. A removal is a change
too, kept as a tombstone. Only `TOMBSTONES` of them are kept; a reader that is further behind gets a snapshot again.
"""

from collections import OrderedDict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Generic, TypeVar

TOMBSTONES = 1000

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Change(Generic[K, V]):
    """The newest value of one key; None once the key has been removed."""

    key: K
    version: int
    value: V | None


@dataclass(frozen=True, slots=True)
class Changes(Generic[K, V]):
    """Changes by rising version. `fresh`: a snapshot begins here; the reader forgets every key it knew before."""

    fresh: bool
    changes: tuple[Change[K, V], ...]

    def __iter__(self) -> Iterator[Change[K, V]]:
        return iter(self.changes)

    def __len__(self) -> int:
        return len(self.changes)


class Board(Generic[K, V]):
    """Holds at most `room` keys; changes of further keys are counted in `refused` and left out.

    Start each life of the daemon at a higher `first_version` (the time in ms will do): a reader that brings a version
    from an earlier life then gets a snapshot.
    """

    def __init__(self, first_version: int = 0, room: int = 10_000, tombstones: int = TOMBSTONES) -> None:
        self._room = room
        self._tombstones = tombstones
        self._changes: OrderedDict[K, Change[K, V]] = OrderedDict()
        """By version: the last change is the last entry."""
        self._removed: OrderedDict[K, int] = OrderedDict()
        """The keys among them that are tombstones, the oldest first."""
        self._forgotten = first_version
        """The version of the newest tombstone that is no longer kept."""
        self.version = first_version
        """Of the last change."""
        self.refused = 0

    def __len__(self) -> int:
        return len(self._changes) - len(self._removed)

    def __contains__(self, key: K) -> bool:
        return self.get(key) is not None

    def get(self, key: K) -> V | None:
        """The newest value, None for a key that is not there."""
        change = self._changes.get(key)
        return None if change is None else change.value

    def keys(self) -> list[K]:
        """Every key that is there."""
        return [key for key in self._changes if key not in self._removed]

    def put(self, key: K, value: V) -> None:
        """Set a key; an equal value is no change."""
        old = self.get(key)
        if old == value:
            return
        if old is None and len(self) >= self._room:
            self.refused += 1
            return
        self._removed.pop(key, None)
        self._change(key, value)

    def remove(self, key: K) -> None:
        """Remove a key; nothing changes if it is not there."""
        if key in self:
            self._change(key, None)
            self._removed[key] = self.version
            while len(self._removed) > self._tombstones:
                oldest, self._forgotten = self._removed.popitem(last=False)
                del self._changes[oldest]

    def replace(self, values: Mapping[K, V]) -> None:
        """Make the board hold exactly these."""
        for key in self.keys():
            if key not in values:
                self.remove(key)
        for key, value in values.items():
            self.put(key, value)

    def reader(self, after: int = 0) -> "Reader[K, V]":
        """A reader that has read up to version `after`; 0 for one that has read nothing."""
        return Reader(self, after)

    def changed_since(self, version: int) -> list[Change[K, V]]:
        """Changes after `version`, by rising version."""
        newer = takewhile(lambda change: change.version > version, reversed(self._changes.values()))
        return list(newer)[::-1]

    def knows_since(self, version: int) -> bool:
        """Whether every removal after `version` is still on the board."""
        return version >= self._forgotten

    def _change(self, key: K, value: V | None) -> None:
        self.version += 1
        self._changes[key] = Change(key, self.version, value)
        self._changes.move_to_end(key)


class Reader(Generic[K, V]):
    """One reader's place on a board. The board knows no readers, so one that goes away needs no goodbye."""

    def __init__(self, board: Board[K, V], after: int = 0) -> None:
        self._board = board
        self.version = after
        """Everything up to here has been read."""
        self._snapshot_at = after
        """The version of the board when the snapshot began: this reader knows no key that was removed before it."""
        self._has_begun = 0 < after <= board.version

    @property
    def has_news(self) -> bool:
        """`take` would return something."""
        return not self._has_begun or self.version < self._board.version

    def take(self, most: int | None = None) -> Changes[K, V]:
        """Up to `most` changes since the last `take`; all of them for None."""
        fresh = not (self._has_begun and self._board.knows_since(max(self.version, self._snapshot_at)))
        if fresh:
            self.version, self._snapshot_at, self._has_begun = 0, self._board.version, True
        newer = self._board.changed_since(self.version)
        taken = newer if most is None else newer[:most]
        self.version = taken[-1].version if taken else self._board.version
        return Changes(fresh, tuple(self._wanted(taken)))

    def _wanted(self, taken: Iterable[Change[K, V]]) -> Iterator[Change[K, V]]:
        """Without tombstones of keys that this reader was never given."""
        return (one for one in taken if one.value is not None or one.version > self._snapshot_at)
