"""Open cases in the database: every step is one transaction, and leaves its change behind."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from callflow.adapters.store.callback_queries import Ask
from callflow.adapters.store.database import explained, writing_engine
from callflow.core.cases import Case, CaseChange, case_change
from callflow.errors import CallflowError
from callflow.records.cases import CASE_CHANGES, CASES, case_changes, cases


class NoSuchCase(CallflowError):
    """No case has this reference, or one has it already."""


class CaseList:
    """The cases of one daemon, `node`. Every method may raise StoreError; none keeps the database open."""

    def __init__(self, path: Path, node: str, busy_s: float = 5.0) -> None:
        self._path = path
        self._node = node
        self._engine = writing_engine(path, busy_s)

    def add(self, *some: Case) -> None:
        """Open these cases, all or none; raises NoSuchCase for a reference that is taken."""
        with self._step() as connection:
            for case in some:
                if self._case(connection, case.reference) is not None:
                    raise NoSuchCase(f"there is a case {case.reference} already", "choose another reference")
                self._save(connection, case, None)

    def change(self, reference: str, make: Callable[[Case], Case]) -> Case:
        """Take one step; `make` gets the case as it is now, and returns the next version. What it raises comes out."""
        with self._step() as connection:
            before = self._case(connection, reference)
            if before is None:
                raise _not_there(reference)
            case = make(before)
            if case is not before:
                self._save(connection, case, before)
            return case

    def open(self) -> list[Case]:
        """Every open case; the one whose news is due first comes first."""
        mine = sa.select(cases).where(cases.c.node == self._node, sa.text("open"))
        return [CASES.rows.record(row) for row in self._rows(mine.order_by(cases.c.news_due_ms))]

    def find(self, reference: str) -> Case:
        """The case with this reference, open or closed; raises NoSuchCase."""
        mine = (cases.c.reference == reference, cases.c.node == self._node)
        for row in self._rows(sa.select(cases).where(*mine)):
            return CASES.rows.record(row)
        raise _not_there(reference)

    def all(self, limit: int) -> list[Case]:
        """Open cases first, then those closed last."""
        return listed_cases(self._rows, self._node, limit)

    def changes(self, reference: str) -> list[CaseChange]:
        """What happened to a case, in order."""
        table = case_changes
        query = sa.select(table).where(table.c.reference == reference, table.c.node == self._node)
        return [CASE_CHANGES.rows.record(row) for row in self._rows(query.order_by(table.c.revision))]

    @contextmanager
    def _step(self) -> Iterator[sa.Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except sa.exc.DBAPIError as error:
            raise explained(error, self._path) from error

    def _rows(self, query: sa.Select[Any]) -> list[sa.RowMapping]:
        try:
            with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                return list(connection.execute(query).mappings())
        except sa.exc.DBAPIError as error:
            raise explained(error, self._path) from error

    def _case(self, connection: sa.Connection, reference: str) -> Case | None:
        mine = (cases.c.reference == reference, cases.c.node == self._node)
        row = connection.execute(sa.select(cases).where(*mine)).mappings().first()
        return None if row is None else CASES.rows.record(row)

    def _save(self, connection: sa.Connection, case: Case, before: Case | None) -> None:
        row = CASES.row(case, self._node, final=not case.open)
        if before is None:
            connection.execute(sa.insert(cases).values(row))
        else:
            mine = (cases.c.reference == case.reference, cases.c.node == self._node)
            connection.execute(sa.update(cases).where(*mine).values(row))
        change = CASE_CHANGES.row(case_change(case), self._node, final=False)
        connection.execute(sa.insert(case_changes).values(change))


def listed_cases(ask: Ask, node: str, limit: int) -> list[Case]:
    """Open cases of a node first, then those closed last; `ask` may raise StoreError."""
    query = sa.select(cases).where(cases.c.node == node).limit(limit)
    by_due = sa.case((cases.c.open, cases.c.news_due_ms))
    rows = ask(query.order_by(cases.c.open.desc(), by_due, cases.c.closed_ms.desc()))
    return [CASES.rows.record(row) for row in rows]


def _not_there(reference: str) -> NoSuchCase:
    return NoSuchCase(f"there is no case {reference}", "callflow cases list shows the references")
