"""What the daemon has not published yet: steps of call-backs and cases by anybody, and ended attempts."""

from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from callflow.adapters.store.callback_queries import stored_attempt
from callflow.adapters.store.database import explained, reading_engine
from callflow.core.callbacks.attempt import Attempt
from callflow.core.callbacks.entry import CallbackChange, Entry
from callflow.core.cases import CaseChange
from callflow.records.callbacks import CALLBACK_CHANGES, CALLBACKS, callback_attempts, callback_changes, callbacks
from callflow.records.cases import CASE_CHANGES, case_changes

MOST = 200
"""Of each kind at once; the rest is there at the next look."""


@dataclass(frozen=True, slots=True)
class News:
    """The oldest steps come first."""

    steps: tuple[CallbackChange, ...] = ()
    case_steps: tuple[CaseChange, ...] = ()
    entries: tuple[Entry, ...] = ()
    """The entries of `steps` as they are now, one each."""
    attempts: tuple[Attempt, ...] = ()


class Unpublished:
    """Those of one daemon, `node`. It keeps no connection, for the file may be replaced by a backup."""

    def __init__(self, path: Path, node: str) -> None:
        self._path = path
        self._engine = reading_engine(path)
        table = callback_changes
        mine = sa.select(table).where(table.c.node == node, sa.text("open")).limit(MOST)
        self._steps = mine.order_by(table.c.at_ms, table.c.callback_id, table.c.revision)
        cases = sa.select(case_changes).where(case_changes.c.node == node, sa.text("open")).limit(MOST)
        self._case_steps = cases.order_by(case_changes.c.at_ms, case_changes.c.reference, case_changes.c.revision)
        attempts = callback_attempts
        over = (attempts.c.node == node, sa.text("open"), attempts.c.ended_ms.is_not(None), attempts.c.paused_in == "")
        self._attempts = sa.select(attempts).where(*over).order_by(attempts.c.ended_ms).limit(MOST)
        named = callbacks.c.callback_id.in_(sa.bindparam("ids", expanding=True))
        self._entries = sa.select(callbacks).where(callbacks.c.node == node, named)

    def read(self) -> News:
        """Blocks; raises StoreError."""
        try:
            with self._engine.connect() as connection:
                steps = [CALLBACK_CHANGES.rows.record(row) for row in connection.execute(self._steps).mappings()]
                case_steps = [CASE_CHANGES.rows.record(row) for row in connection.execute(self._case_steps).mappings()]
                ids = {"ids": list({step.callback_id for step in steps})}
                rows = connection.execute(self._entries, ids).mappings().all() if steps else ()
                entries = tuple(CALLBACKS.rows.record(row) for row in rows)
                attempts = tuple(stored_attempt(row) for row in connection.execute(self._attempts).mappings())
                return News(tuple(steps), tuple(case_steps), entries, attempts)
        except sa.exc.DBAPIError as error:
            raise explained(error, self._path) from error
