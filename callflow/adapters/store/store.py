"""The writing side: the daemon tells the store things and goes on; a thread writes them, many in one commit."""

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import structlog

from callflow.adapters.store.intake import Intake
from callflow.adapters.store.locks import FileLock, beside
from callflow.adapters.store.pending import Also, AlsoOf, Pending, Record, nothing_else
from callflow.adapters.store.session import Session
from callflow.adapters.store.writer import Writer
from callflow.core.call_record import CallRecord, TimelineEntry
from callflow.core.rings.records import Measured, Stay
from callflow.errors import StoreError

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
    waiting: int
    failing: bool


class Store:
    """The records of one daemon, `node`. After `open`, no method raises; only `close` waits for the disk.

    `also_of` tells what to write in the same transaction as a record.
    """

    def __init__(
        self,
        path: Path,
        node: str,
        *,
        busy_s: float = BUSY_S,
        room: int = ROOM,
        retry_min_s: float = RETRY_MIN_S,
        retry_max_s: float = RETRY_MAX_S,
        also_of: AlsoOf = nothing_else,
    ) -> None:
        self._also_of = also_of
        self._also_failed = False
        self._path = path
        self._node = node
        self._lock = FileLock(beside(path, node))
        self._intake = Intake(room)
        self._session = Session(path, node, busy_s, self._also)
        self._writer = Writer(self._intake, self._session, retry_min_s, retry_max_s)
        self.stays_left_open: tuple[Stay, ...] = ()
        """By a daemon of this node that has died or stopped, as `open` found them; they are for the next to end."""

    def open(self) -> int:
        """Create or upgrade the database and start writing; returns how many calls a dead daemon had left open.

        Raises StoreError, also when another daemon of the same node writes to it.
        """
        self._claim_node()
        try:
            left = self._session.open()
        except StoreError:
            self._lock.release()
            raise
        self._writer.start()
        self.stays_left_open = left.stays
        return sum(isinstance(record, CallRecord) for record in left.closed)

    def save(self, record: CallRecord, final: bool) -> None:
        """Insert or update a call; `final` when nothing more will follow. Returns at once."""
        self._intake.save(Pending(record, final, self._also(record, final)))

    def keep(self, record: Measured, final: bool) -> None:
        """Insert or update what was measured of rings and queues, unless a newer revision is there. Returns at once."""
        self._intake.save(Pending(record, final, self._also(record, final)))

    def also(self, also: Also) -> None:
        """Execute a statement in the next transaction; see `Also`. Returns at once."""
        self._intake.also(also)

    def tell(self, call_id: str, entry: TimelineEntry) -> None:
        """Add one happening, once its call has been saved. Returns at once."""
        self._intake.tell(call_id, entry)

    async def flush(self, timeout_s: float) -> bool:
        """True once all told before is on the disk; False after `timeout_s`, or at once while the disk refuses."""
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
    def failing(self) -> bool:
        """The last attempt to write has failed; it is being tried again."""
        return self._intake.failing

    def counters(self) -> Counters:
        """The figures for health and metrics."""
        tally = self._writer.tally
        return Counters(
            commits=tally.commits,
            calls=tally.calls,
            happenings=tally.happenings,
            measured=tally.measured,
            errors=tally.errors,
            dropped=self._intake.dropped,
            lost=self._intake.lost,
            rejected=tally.rejected,
            waiting=self._intake.waiting,
            failing=self._intake.failing,
        )

    def _also(self, record: Record, final: bool) -> tuple[Also, ...]:
        """What goes with a record; a failure there must not cost the record."""
        try:
            return tuple(self._also_of(record, final))
        except Exception as error:  # noqa: BLE001 - whoever writes beside the records must not harm them
            say = log.debug if self._also_failed else log.error
            say("nothing is written beside a record; the record itself is kept", reason=repr(error))
            self._also_failed = True
            return ()

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
