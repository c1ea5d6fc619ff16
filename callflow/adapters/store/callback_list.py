"""The call-back list in the database: every step is one transaction, and records its change.

The command line, the page and the daemon all work through this. SQLite lets one writer in at a time, so a step sees the
entry as it is, and the table of states refuses a step that comes too late.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from callflow.adapters.store.callback_queries import CallbackQueries, NoSuchCallback, stored_attempt
from callflow.adapters.store.database import explained, writing_engine
from callflow.adapters.store.migrate import bring_to_head
from callflow.adapters.store.queries import Reader
from callflow.adapters.store.schema import counted_short_calls
from callflow.core.callbacks.attempt import Attempt
from callflow.core.callbacks.entry import Entry, Reason, change_of
from callflow.core.callbacks.hours import UnknownHours, day_of
from callflow.core.callbacks.numbers import caller_of
from callflow.core.callbacks.raising import Wanted
from callflow.core.callbacks.rules import CallbackRules
from callflow.core.callbacks.states import WAITING, State
from callflow.records.callbacks import (
    CALLBACK_ATTEMPTS,
    CALLBACK_CHANGES,
    CALLBACKS,
    callback_attempts,
    callback_changes,
    callbacks,
)

_ADD, _ADD_CHANGE = sa.insert(callbacks), sa.insert(callback_changes)
_REPLACE = sa.update(callbacks).where(
    callbacks.c.callback_id == sa.bindparam("of_id"), callbacks.c.node == sa.bindparam("of_node")
)
_OF_NUMBER = (
    sa.select(callbacks)
    .where(
        callbacks.c.number.in_((sa.bindparam("of_number"), sa.bindparam("of_number_with_plus"))),
        callbacks.c.node == sa.bindparam("of_node"),
    )
    .order_by(callbacks.c.raised_ms.desc())
    .limit(50)
)


class CallbackList:
    """The list of one daemon, `node`. Every method may raise StoreError; none keeps the database open."""

    def __init__(self, path: Path, node: str, busy_s: float = 5.0) -> None:
        self._path = path
        self._node = node
        self._busy_s = busy_s
        self._engine = writing_engine(path, busy_s)
        self.queries = queries = CallbackQueries(self._rows, node)
        """The same on either database."""
        self.entries, self.find, self.changes = queries.entries, queries.find, queries.changes
        self.attempts, self.ended_attempts = queries.attempts, queries.ended_attempts

    def prepare(self) -> None:
        """Create the database where there is no file. Raises StoreError for a file that is not callflow's, or of
        another release: the daemon alone upgrades.
        """
        if not self._path.exists():
            bring_to_head(self._path, busy_s=self._busy_s)
        self.check()

    def check(self) -> None:
        """Raises StoreError unless there is a database of this release."""
        with Reader(self._path):
            pass

    # -- steps ----------------------------------------------------------------------------------------------------

    def add(self, wanted: Wanted, rules: CallbackRules, now_ms: int) -> tuple[Entry, bool]:
        """Put a caller on the list; returns the entry, and whether it is new.

        A caller who waits on the list already gets a further reason. What is known from before the caller's last entry
        was closed adds nothing: that entry has settled it.
        """
        return self.add_all([wanted], rules, now_ms)[0]

    def add_all(self, some: Sequence[Wanted], rules: CallbackRules, now_ms: int) -> list[tuple[Entry, bool]]:
        """Put callers on the list, as `add` does: all or none."""
        with self._step() as connection:
            return [self._add(connection, wanted, rules, now_ms) for wanted in some]

    def change(self, callback_id: str, make: Callable[[Entry], Entry]) -> Entry:
        """Take one step; `make` gets the entry as it is now, and returns the next version. What it raises comes out."""
        with self._step() as connection:
            return self._change(connection, callback_id, make)

    def begin_attempt(self, attempt: Attempt, make: Callable[[Entry], Entry]) -> Entry:
        """Save a step and the attempt that it begins, together."""
        with self._step() as connection:
            entry = self._change(connection, attempt.callback_id, make)
            self._save_attempt(connection, attempt)
            return entry

    def save_attempt(self, attempt: Attempt, make: Callable[[Entry], Entry] | None = None) -> None:
        """Save how far an attempt has come, and the step that this means for its entry if that still is its attempt."""
        with self._step() as connection:
            self._save_attempt(connection, attempt)
            if make is None:
                return
            entry = self._entry(connection, attempt.callback_id)
            if entry is not None and entry.attempt_id == attempt.attempt_id and entry.state is State.DIALLING:
                self._change(connection, attempt.callback_id, make)

    def note_counted(self, number: str, upto_ms: int) -> None:
        """The short calls of this caller that ended up to then are counted."""
        with self._step() as connection:
            connection.execute(sa.insert(counted_short_calls), self._counted(number, upto_ms))

    def counted(self, since_ms: int, until_ms: int) -> list[tuple[str, int]]:
        """Callers, and up to when their short calls are counted; forgets what is older.

        What is later than `until_ms` is left out: the clock was wrong.
        """
        table = counted_short_calls
        mine = table.c.node == self._node
        with self._step() as connection:
            connection.execute(sa.delete(table).where(mine, table.c.upto_ms < since_ms))
            known = sa.select(table.c.number, table.c.upto_ms).where(mine, table.c.upto_ms <= until_ms)
            return [(row.number, row.upto_ms) for row in connection.execute(known.order_by(table.c.upto_ms))]

    def released(self, attempt_id: str) -> None:
        """The agent is no longer paused for this attempt."""
        with self._step() as connection:
            table = callback_attempts
            mine = (table.c.attempt_id == attempt_id, table.c.node == self._node)
            connection.execute(sa.update(table).where(*mine).values(paused_in=""))

    # -- queries --------------------------------------------------------------------------------------------------

    def live(self) -> list[Entry]:
        """Every live entry; the one that is due first comes first."""
        mine = sa.select(callbacks).where(callbacks.c.node == self._node, sa.text("open"))
        return [CALLBACKS.rows.record(row) for row in self._rows(mine.order_by(callbacks.c.due_ms))]

    def open_attempts(self) -> list[Attempt]:
        """Attempts that have not ended, or whose agent is still paused for them."""
        table = callback_attempts
        to_do = sa.or_(table.c.ended_ms.is_(None), table.c.paused_in != "")
        mine = sa.select(table).where(table.c.node == self._node, sa.text("open"), to_do)
        return [stored_attempt(row) for row in self._rows(mine)]

    # -- inside a transaction -------------------------------------------------------------------------------------

    @contextmanager
    def _step(self) -> Iterator[sa.Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except sa.exc.DBAPIError as error:
            raise explained(error, self._path) from error

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        """Without a transaction of its own: a query waits for no writer."""
        try:
            with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                yield connection
        except sa.exc.DBAPIError as error:
            raise explained(error, self._path) from error

    def _rows(self, query: sa.Select[Any]) -> Sequence[sa.RowMapping]:
        with self._reading() as connection:
            return connection.execute(query).mappings().all()

    def _add(self, connection: sa.Connection, wanted: Wanted, rules: CallbackRules, now_ms: int) -> tuple[Entry, bool]:
        if wanted.reason is Reason.REPEATED:
            connection.execute(sa.insert(counted_short_calls), self._counted(wanted.number, wanted.at_ms))
        found = self._latest(connection, wanted, rules)
        if found is not None and not found.live and (found.closed_ms or 0) >= wanted.at_ms:
            return found, False
        if found is None or not found.live:
            entry = _new_entry(wanted, rules, now_ms)
            self._save(connection, entry, None)
            return entry, True
        more: dict[str, Any] = {}
        if wanted.reference and not found.reference:
            more["reference"] = wanted.reference
        if wanted.place and not found.place:
            more |= {"queue": wanted.queue, "place": wanted.place}
        if found.state in WAITING and wanted.due_ms is not None and wanted.due_ms < found.due_ms:
            more["due_ms"] = wanted.due_ms
        if wanted.spoken_name and wanted.spoken_name != found.spoken_name:
            more["spoken_name"] = wanted.spoken_name
        entry = found.with_reason(wanted.reason.value, now_ms, wanted.actor, wanted.why, **more)
        if entry is not found:
            self._save(connection, entry, found)
        return entry, False

    def _counted(self, number: str, upto_ms: int) -> dict[str, Any]:
        return {"node": self._node, "number": number, "upto_ms": upto_ms}

    def _change(self, connection: sa.Connection, callback_id: str, make: Callable[[Entry], Entry]) -> Entry:
        before = self._entry(connection, callback_id)
        if before is None:
            raise NoSuchCallback(f"no call-back has the id {callback_id!r}", "callflow callbacks list shows the ids")
        entry = make(before)
        if entry is not before:
            self._save(connection, entry, before)
        return entry

    def _entry(self, connection: sa.Connection, callback_id: str) -> Entry | None:
        mine = (callbacks.c.callback_id == callback_id, callbacks.c.node == self._node)
        row = connection.execute(sa.select(callbacks).where(*mine)).mappings().first()
        return None if row is None else CALLBACKS.rows.record(row)

    def _latest(self, connection: sa.Connection, wanted: Wanted, rules: CallbackRules) -> Entry | None:
        """The live entry that a reason is added to, else the caller's newest entry.

        That is one that waits, whatever its day, or one of today in another state.
        """
        caller = caller_of(wanted.number)
        asked = {"of_number": caller, "of_number_with_plus": f"+{caller}", "of_node": self._node}
        found = [CALLBACKS.rows.record(row) for row in connection.execute(_OF_NUMBER, asked).mappings()]
        waiting = [entry for entry in found if entry.state in (*WAITING, State.CLAIMED, State.DIALLING)]
        day = day_of(wanted.at_ms, wanted.zone or rules.profile(wanted.profile).zone)
        today = [entry for entry in found if entry.live and entry.day in (day, day_of(wanted.at_ms, entry.zone))]
        closed = [entry for entry in found if not entry.live]
        return next(iter((*waiting, *today, *closed)), None)

    def _save(self, connection: sa.Connection, entry: Entry, before: Entry | None) -> None:
        row = CALLBACKS.row(entry, self._node, final=not entry.live)
        if before is None:
            connection.execute(_ADD, row)
        else:
            connection.execute(_REPLACE, {**row, "of_id": entry.callback_id, "of_node": self._node})
        connection.execute(_ADD_CHANGE, CALLBACK_CHANGES.row(change_of(entry, before), self._node, final=False))

    def _save_attempt(self, connection: sa.Connection, attempt: Attempt) -> None:
        quoted = replace(attempt, paused_in=tuple(quote(queue, safe="") for queue in attempt.paused_in))
        row = CALLBACK_ATTEMPTS.row(quoted, self._node, final=False)
        keys = list(callback_attempts.primary_key)
        connection.execute(insert(callback_attempts).values(row).on_conflict_do_update(index_elements=keys, set_=row))


def _new_entry(wanted: Wanted, rules: CallbackRules, now_ms: int) -> Entry:
    profile = rules.profile(wanted.profile)
    zone = wanted.zone or profile.zone
    due_ms = wanted.at_ms + 1000 * profile.after_s if wanted.due_ms is None else wanted.due_ms
    with suppress(UnknownHours):  # found again, and refused, when it is dialled
        due_ms = profile.calling_hours().next_allowed(due_ms, zone)
    return Entry(
        callback_id=f"cb-{uuid4().hex[:12]}",
        revision=1,
        number=wanted.number,
        day=day_of(wanted.at_ms, zone),
        zone=zone,
        profile=wanted.profile or "default",
        reasons=(wanted.reason.value,),
        queue=wanted.queue,
        place=wanted.place,
        reference=wanted.reference,
        note=wanted.note,
        state=State.OPEN,
        raised_ms=wanted.at_ms,
        due_ms=due_ms,
        attempts=0,
        actor=wanted.actor,
        why=wanted.why,
        changed_ms=now_ms,
        wish="",
        attempt_id="",
        closed_ms=None,
        spoken_name=wanted.spoken_name,
    )
