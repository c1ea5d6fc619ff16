"""The writer's thread: takes whatever has come, writes it in one transaction, rests a moment, and again."""

import threading
from dataclasses import dataclass

import structlog

from callflow.adapters.store.backlog import Batch
from callflow.adapters.store.database import reason_of
from callflow.adapters.store.intake import Intake
from callflow.adapters.store.session import Session

GATHER_S = 0.05
"""Rest after a transaction, in which the next one gathers; what comes after a longer silence is written at once."""

log = structlog.get_logger()


@dataclass(slots=True)
class Tally:
    """What the writer has done: what has ended and happenings written (again, where told again), failures, bad rows."""

    commits: int = 0
    calls: int = 0
    happenings: int = 0
    measured: int = 0
    errors: int = 0
    rejected: int = 0


class Writer:
    """Writes for one Store until it is closed; a failure is logged once, counted, and tried again."""

    def __init__(self, intake: Intake, session: Session, retry_min_s: float, retry_max_s: float) -> None:
        self.tally = Tally()
        self._intake = intake
        self._session = session
        self._retry_min_s = retry_min_s
        self._retry_max_s = retry_max_s
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
        while (batch := self._intake.take()) is not None:
            last_try = self._closing.is_set()
            if self._attempt(batch):
                retry_s = self._retry_min_s
                self._closing.wait(GATHER_S)
            elif last_try:
                break
            else:
                self._closing.wait(retry_s)
                retry_s = min(2 * retry_s, self._retry_max_s)
        self._session.close()

    def _attempt(self, batch: Batch) -> bool:
        try:
            written = self._session.write(batch)
        except Exception as error:  # noqa: BLE001 - whatever it is, the calls go on and the writer must outlive it
            self._failed(batch, error)
            return False
        self._tell_recovered()
        self.tally.commits += 1
        self.tally.calls += written.calls
        self.tally.happenings += written.happenings
        self.tally.measured += written.measured
        self._tell_rejected(written.rejected)
        self._intake.written(batch, written.early)
        return True

    def _failed(self, batch: Batch, error: Exception) -> None:
        self.tally.errors += 1
        first = not self._intake.failing
        self._intake.refused(batch)
        say = log.error if first else log.debug
        say(
            "calls cannot be written to the database; they are kept in memory and tried again, callers notice nothing",
            reason=reason_of(error),
            waiting=self._intake.waiting,
        )

    def _tell_recovered(self) -> None:
        if self._intake.failing:
            dropped, lost = self._intake.dropped, self._intake.lost
            log.warning("the database is written to again", happenings_dropped=dropped, calls_lost=lost)

    def _tell_rejected(self, rejected: int) -> None:
        if rejected and not self.tally.rejected:
            log.error("a row does not fit the database and was left out; more of them are only counted")
        self.tally.rejected += rejected
