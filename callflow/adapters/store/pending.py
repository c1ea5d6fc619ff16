"""One record to be written, with the events that go into the database in the same transaction."""

from dataclasses import dataclass, replace
from typing import Any

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event for the outbox; `body` is its JSON without `seq`, which the database gives."""

    event_id: str
    revision: int
    topic: str
    body: str
    saved_ms: int


@dataclass(frozen=True, slots=True)
class Pending:
    """A record on its way to the database. `key` is the same for every telling of the same thing."""

    key: Key
    record: Any
    final: bool
    events: tuple[EventRow, ...] = ()
    interrupted: bool = False
    """A dead daemon left it open."""

    def followed_by(self, later: "Pending") -> "Pending":
        """Of two tellings of one thing the one that counts, with the events of both."""
        counts = later if self._yields_to(later) else self
        return replace(counts, events=self.events + later.events)

    def _yields_to(self, later: "Pending") -> bool:
        """A higher revision counts; between equals, and where there are none, all that is not final yields."""
        mine, theirs = (getattr(pending.record, "revision", 0) for pending in (self, later))
        return bool(theirs > mine or (theirs == mine and (later.final or not self.final)))
