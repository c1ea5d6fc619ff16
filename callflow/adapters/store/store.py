"""The writing side: the daemon gives records to the store and goes on; a thread writes them, many in one commit."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import structlog

from callflow.adapters.store.backlog import EventNumber, EventRow, Pending, Refusal
from callflow.adapters.store.intake import Intake
from callflow.adapters.store.left_open import LeftOpen
from callflow.adapters.store.locks import FileLock, beside
from callflow.adapters.store.session import Session
from callflow.adapters.store.writer import Writer
from callflow.core.call_record import TimelineEntry
from callflow.errors import StoreError
from callflow.records import KINDS
from callflow.records.kind import Kinds

BUSY_S = 5.0
GLANCE_S = 0.1
"""A report that looks whether the daemon runs holds its lock for an instant."""
ROOM = 50_000
RETRY_MIN_S = 0.1
RETRY_MAX_S = 5.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Counters:
    """How a store fares: since it was opened, except `waiting` and `failing`, which are how it is now."""

    commits: int
    calls: int
    happenings: int
    measured: int
    errors: int
    dropped: int
    lost: int
    rejected: int
    missing: int
    """Times that the database file had been deleted or moved away."""
    waiting: int
    failing: bool


class Store:
    """The records of one daemon, `node`. Only `close` waits for the disk."""

    def __init__(
        self,
        path: Path,
        node: str,
        *,
        kinds: Kinds = KINDS,
        busy_s: float = BUSY_S,
        room: int = ROOM,
        retry_min_s: float = RETRY_MIN_S,
        retry_max_s: float = RETRY_MAX_S,
        migrating: Callable[[], None] = lambda: None,
    ) -> None:
        """`migrating` is called again and again while `open` brings the database to the present schema."""
        self._path = path
        self._node = node
        self._kinds = kinds
        self._lock = FileLock(beside(path, node))
        self._intake = Intake(room)
        self._session = Session(path, node, kinds, busy_s, migrating)
        self._writer = Writer(self._intake, self._session, retry_min_s, retry_max_s)
        self.left_open = LeftOpen()
        """What a daemon of this node that has died or stopped left open, as `open` found it."""

    def open(self) -> LeftOpen:
        """Create or upgrade the database and start writing; returns what a dead daemon has left open, to be saved.

        Raises StoreError, also when another daemon of the same node writes to it.
        """
        self._claim_node()
        try:
            self.left_open = self._session.open()
        except StoreError:
            self._session.close()
            self._lock.release()
            raise
        self._writer.start()
        return self.left_open

    def save(self, record: Any, final: bool, events: Iterable[EventRow] = (), *, interrupted: bool = False) -> None:
        """Insert or update a record, unless a newer revision is there, and its events in the same transaction.

        `final` when nothing more will follow; `interrupted` when a dead daemon had left it open. Returns at once.
        Raises KeyError for a record of a kind that is not described.
        """
        key = self._kinds.of(record).key(record)
        self._intake.add_record(Pending(key, record, final, tuple(events), interrupted))

    def add_to_timeline(self, call_id: str, entry: TimelineEntry) -> None:
        """Add one thing that happened in a call, once the call has been saved. Returns at once."""
        self._intake.add_entry(call_id, entry)

    def delete_event(self, event: EventNumber) -> None:
        """Delete an event that its destination has confirmed, unless its file is gone. Returns at once."""
        self._intake.add_confirmed(event)

    def delete_events_upto(self, destination: str, event: EventNumber) -> None:
        """Delete every event for this destination up to this one, unless their file is gone. Returns at once."""
        self._intake.add_confirmed_upto(destination, event)

    def refuse_event(self, refusal: Refusal) -> None:
        """Put an event aside as a dead letter, unless its file is gone. Returns at once."""
        self._intake.add_refused(refusal)

    async def flush(self, timeout_s: float) -> bool:
        """True once everything so far is on the disk; False after `timeout_s`, or at once while writing fails."""
        return await self._intake.flush(timeout_s)

    def close(self, timeout_s: float = BUSY_S) -> bool:
        """Write what is left and stop; blocks for at most `timeout_s`. True when all of it is on the disk."""
        ended = self._writer.close(timeout_s)
        complete = ended and not self._intake.waiting
        if not complete:
            log.error("the database did not take everything before the end", waiting=self._intake.waiting)
        if ended:
            self._lock.release()
        return complete

    @property
    def dropped(self) -> int:
        """How many things were given up because the database could not be written to."""
        return self._intake.dropped + self._intake.lost

    @property
    def file_number(self) -> int:
        """Grows whenever another database file takes the place of the one written to."""
        return self._session.file_number

    @property
    def failing(self) -> bool:
        """The last attempt to write has failed; it is being tried again."""
        return self._intake.failing

    def counters(self) -> Counters:
        """The figures for health and metrics."""
        tally = self._writer.tally
        return Counters(
            commits=tally.commits,
            calls=tally.calls,
            happenings=tally.entries,
            measured=tally.measured,
            errors=tally.errors,
            dropped=self._intake.dropped,
            lost=self._intake.lost,
            rejected=tally.rejected,
            missing=tally.missing,
            waiting=self._intake.waiting,
            failing=self._intake.failing,
        )

    def _claim_node(self) -> None:
        """Two daemons of one name would end each other's calls as interrupted."""
        try:
            taken = self._lock.take(GLANCE_S)
        except FileNotFoundError:
            return  # there is no folder: to make the file says so
        except OSError as error:
            raise StoreError(
                f"the folder {self._path.parent} of the database cannot be written: {error.strerror}",
                remedy="give it to the user that callflow runs as, or set another store.path",
            ) from None
        if not taken:
            raise StoreError(
                f"another callflow called {self._node!r} writes to {self._path} already",
                remedy="end that one, or give this one a node.name or a store.path of its own",
            )

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
