"""The writer's thread: takes what is waiting, writes it in one transaction, rests a moment, and begins again."""

import threading
import time
from dataclasses import dataclass

import structlog

from callflow.adapters.store.backlog import Batch
from callflow.adapters.store.database import reason_of
from callflow.adapters.store.intake import Intake
from callflow.adapters.store.session import Session
from callflow.adapters.store.writing import Written
from callflow.errors import DatabaseMissing

GATHER_S = 0.05
"""Rest after a transaction that left nothing, so that the next one is larger.

Every rest is at least as long as its transaction took: however much waits, half of the time belongs to the loop.
"""
CHECK_S = 5.0
"""While there is nothing to write, this often it is checked that the database file is still there."""

log = structlog.get_logger()


@dataclass(slots=True)
class Tally:
    """What the writer has done. A record or entry that is saved twice counts twice."""

    commits: int = 0
    calls: int = 0
    entries: int = 0
    measured: int = 0
    errors: int = 0
    rejected: int = 0
    missing: int = 0
    """Times that the database file was found to be gone."""


class Writer:
    """Writes for one Store until it is closed; a failure is logged once, counted, and tried again."""

    def __init__(self, intake: Intake, session: Session, retry_min_s: float, retry_max_s: float) -> None:
        self.tally = Tally()
        self._intake = intake
        self._session = session
        self._retry_min_s = retry_min_s
        self._retry_max_s = retry_max_s
        self._is_missing = False
        """The last attempt found no database file."""
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="store", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def close(self, timeout_s: float) -> bool:
        """Write what is left, trying once; True when the thread has ended within `timeout_s`."""
        self._closing.set()
        self._intake.close()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        retry_s = self._retry_min_s
        while (batch := self._intake.take(CHECK_S)) is not None:
            last_try, began = self._closing.is_set(), time.monotonic()
            if self._attempt(batch, last_try):
                retry_s = self._retry_min_s
                self._closing.wait(max(time.monotonic() - began, GATHER_S if batch.upto else 0.0))
            elif last_try:
                break
            else:
                self._closing.wait(retry_s)
                retry_s = min(2 * retry_s, self._retry_max_s)
        self._session.close()

    def _attempt(self, batch: Batch, last_try: bool) -> bool:
        try:
            written = self._session.write(batch, last_chance=last_try)
        except Exception as error:  # noqa: BLE001 - whatever it is, the calls go on and the writer must outlive it
            self._failed(batch, error)
            return False
        if self._intake.failing:
            dropped, lost = self._intake.dropped, self._intake.lost
            log.warning("the database is written to again", entries_dropped=dropped, records_lost=lost)
        self._add_up(written, bool(batch))
        self._intake.written(batch, written.early)
        return True

    def _failed(self, batch: Batch, error: Exception) -> None:
        self.tally.errors += 1
        reason, remedy = reason_of(error), getattr(error, "remedy", "")
        first = not self._intake.failing
        if isinstance(error, DatabaseMissing):
            self.tally.missing += not self._is_missing
            first = first or not self._is_missing
        self._is_missing = isinstance(error, DatabaseMissing)
        self._intake.failed(batch)
        say = log.error if first else log.debug
        say(
            "records cannot be saved; they are kept in memory and tried again, callers notice nothing",
            reason=reason,
            **({"remedy": remedy} if remedy else {}),
            waiting=self._intake.waiting,
        )

    def _add_up(self, written: Written, commit: bool) -> None:
        self._is_missing = False
        self.tally.commits += commit
        self.tally.calls += written.calls
        self.tally.entries += written.entries
        self.tally.measured += written.measured
        if written.rejected and not self.tally.rejected:
            log.error("a row does not fit the database and was left out; more of them are only counted")
        self.tally.rejected += written.rejected
