"""What is on the call-back list: the same queries in a node's database and in that of a fleet."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

import sqlalchemy as sa

from callflow.core.callbacks.attempt import Attempt
from callflow.core.callbacks.entry import CallbackChange, Entry
from callflow.core.callbacks.states import LIVE, State
from callflow.errors import CallflowError
from callflow.records.callbacks import (
    CALLBACK_ATTEMPTS,
    CALLBACK_CHANGES,
    CALLBACKS,
    callback_attempts,
    callback_changes,
    callbacks,
)
from callflow.records.kind import OPEN

SHOWN_CANDIDATES = 5

Ask = Callable[[sa.Select[Any]], Sequence[sa.RowMapping]]
"""The rows of a query."""


class NoSuchCallback(CallflowError):
    """No entry has this id, or several begin so."""


@dataclass(frozen=True, slots=True)
class Wanting:
    """Which entries: every condition that is given must hold."""

    states: tuple[State, ...] = ()
    number: str | None = None
    reason: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None


EVERY = Wanting()


@dataclass(frozen=True, slots=True)
class Listed:
    """An entry, and the node on whose list it is."""

    entry: Entry
    node: str


class CallbackQueries:
    """The list of one node, or those of all nodes of a fleet (`node` None). Every method may raise StoreError."""

    def __init__(self, ask: Ask, node: str | None = None) -> None:
        self._ask = ask
        self._node = node

    @property
    def of_fleet(self) -> bool:
        """An entry has what an event tells: a hash for the number, and no zone, place or note."""
        return self._node is None

    def listed(self, wanting: Wanting = EVERY, limit: int = 1000) -> list[Listed]:
        """What is due first comes first; settled entries after the live ones, the newest first."""
        query = sa.select(callbacks).where(*self._mine(callbacks), *_conditions(wanting)).limit(limit)
        live_first = (callbacks.c.open.desc(), sa.case((callbacks.c.open, callbacks.c.due_ms)))
        order = query.order_by(*live_first, callbacks.c.changed_ms.desc(), callbacks.c.callback_id)
        return [Listed(CALLBACKS.rows.record(row), row["node"]) for row in self._ask(order)]

    def entries(self, wanting: Wanting = EVERY, limit: int = 1000) -> list[Entry]:
        """The entries of `listed`."""
        return [one.entry for one in self.listed(wanting, limit)]

    def find(self, callback_id: str) -> Entry:
        """The entry with this id, or the only one whose id begins so; raises NoSuchCallback."""
        begins = (callbacks.c.callback_id >= callback_id, callbacks.c.callback_id < callback_id + "\U0010ffff")
        query = sa.select(callbacks).where(*self._mine(callbacks), *begins).order_by(callbacks.c.callback_id)
        found = [CALLBACKS.rows.record(row) for row in self._ask(query.limit(SHOWN_CANDIDATES + 1))]
        exact = [entry for entry in found if entry.callback_id == callback_id]
        if len(exact or found) == 1:
            return (exact or found)[0]
        if not found:
            raise NoSuchCallback(f"no call-back has the id {callback_id!r}", "callflow callbacks list shows the ids")
        ids = ", ".join(entry.callback_id for entry in found[:SHOWN_CANDIDATES])
        raise NoSuchCallback(f"several call-backs begin with {callback_id!r}: {ids}", "give more of the id")

    def changes(self, callback_id: str) -> list[CallbackChange]:
        """What happened to an entry, in order."""
        table = callback_changes
        query = sa.select(table).where(table.c.callback_id == callback_id, *self._mine(table))
        return [CALLBACK_CHANGES.rows.record(row) for row in self._ask(query.order_by(table.c.revision))]

    def attempts(self, callback_id: str) -> list[Attempt]:
        """The attempts of an entry, in order."""
        table = callback_attempts
        query = sa.select(table).where(table.c.callback_id == callback_id, *self._mine(table))
        return [stored_attempt(row) for row in self._ask(query.order_by(table.c.began_ms))]

    def ended_attempts(self, since_ms: int | None, until_ms: int | None) -> list[Attempt]:
        """The attempts that began in [since_ms, until_ms), in order."""
        table = callback_attempts
        conditions = self._mine(table)
        conditions += [] if since_ms is None else [table.c.began_ms >= since_ms]
        conditions += [] if until_ms is None else [table.c.began_ms < until_ms]
        return [
            stored_attempt(row) for row in self._ask(sa.select(table).where(*conditions).order_by(table.c.began_ms))
        ]

    def _mine(self, table: sa.Table) -> list[sa.ColumnElement[bool]]:
        return [] if self._node is None else [table.c.node == self._node]


def stored_attempt(row: sa.RowMapping) -> Attempt:
    """The attempt of a row."""
    stored = CALLBACK_ATTEMPTS.rows.record(row)
    return replace(stored, paused_in=tuple(map(unquote, stored.paused_in)))


def _conditions(wanting: Wanting) -> list[sa.ColumnElement[bool] | sa.TextClause]:
    conditions: list[sa.ColumnElement[bool] | sa.TextClause] = []
    if wanting.states:
        if set(wanting.states) <= set(LIVE):
            conditions.append(OPEN)  # the index of live entries
        conditions.append(callbacks.c.state.in_([state.value for state in wanting.states]))
    if wanting.number is not None:
        conditions.append(callbacks.c.number == wanting.number)
    if wanting.reason is not None:
        conditions.append((" " + callbacks.c.reasons + " ").contains(f" {wanting.reason} ", autoescape=True))
    if wanting.since_ms is not None:
        conditions.append(callbacks.c.raised_ms >= wanting.since_ms)
    if wanting.until_ms is not None:
        conditions.append(callbacks.c.raised_ms < wanting.until_ms)
    return conditions
