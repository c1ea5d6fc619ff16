"""One thing to be written: a record, with what goes into the database in the same transaction as it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from callflow.core.call_record import CallRecord
from callflow.core.rings.records import AgentInterval, Leg, Measured, Offer, Stay

Record = CallRecord | Measured
Key = tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Also:
    """A statement and its parameters; executing it twice must do no harm, for a failed transaction is tried again."""

    statement: sa.Executable
    row: Mapping[str, Any]


AlsoOf = Callable[[Record, bool], Iterable[Also]]
"""Given a record and whether it is final: what to write in the same transaction. Called at once, must not raise."""


def nothing_else(record: Record, final: bool) -> Iterable[Also]:
    """Only the record itself."""
    return ()


@dataclass(frozen=True, slots=True)
class Pending:
    """A record on its way to the database."""

    record: Record
    final: bool
    also: tuple[Also, ...] = ()

    @property
    def key(self) -> Key:
        """The same for every telling of the same thing."""
        match self.record:
            case CallRecord(call_id=call_id):
                return "call", call_id
            case Leg(leg_id=leg_id):
                return "leg", leg_id
            case Offer(offer_id=offer_id):
                return "offer", offer_id
            case Stay(entry_id=entry_id):
                return "stay", entry_id
            case AgentInterval(agent, began_ms):
                return "spell", agent, str(began_ms)

    def followed_by(self, later: "Pending") -> "Pending":
        """Of two tellings of one thing, the one that counts, with what goes with both."""
        counts = later if self._yields_to(later) else self
        return Pending(counts.record, counts.final, self.also + later.also)

    def _yields_to(self, later: "Pending") -> bool:
        """A higher revision counts; between equals, and where there are none, all that is not final yields."""
        mine, theirs = (getattr(pending.record, "revision", 0) for pending in (self, later))
        return theirs > mine or (theirs == mine and (later.final or not self.final))
