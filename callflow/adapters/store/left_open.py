"""What the last life of a daemon left open: records that end now, and records that go on."""

from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa
import structlog

from callflow.records.calls import CALLS
from callflow.records.kind import Kinds, RecordKind

R = TypeVar("R")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class LeftOpen:
    """`ended`: records as they end now, not saved yet. `going_on`: records whose owner takes them up."""

    ended: tuple[Any, ...] = ()
    going_on: tuple[Any, ...] = ()

    @property
    def calls(self) -> int:
        """How many calls were interrupted."""
        return sum(isinstance(record, CALLS.record) for record in self.ended)

    def of(self, record: type[R]) -> tuple[R, ...]:
        """The records of one class that go on, the oldest first."""
        return tuple(one for one in self.going_on if isinstance(one, record))


def left_open(connection: sa.Connection, kinds: Kinds, node: str) -> LeftOpen:
    """What is open of `node`."""
    ended: list[Any] = []
    going_on: list[Any] = []
    node_ms = connection.execute(last_known_ms(kinds, node)).scalar_one()
    for kind in kinds:
        for row in connection.execute(_open_rows(kind, node)).mappings():
            try:
                record = kind.rows.record(row)
            except ValueError as error:
                log.error("a record that was left open cannot be read; it stays open", reason=str(error))
                continue
            if kind.ended_at_restart is None:
                going_on.append(record)
            else:
                known_ms: Any = node_ms if kind.timeline is None else row["known_ms"]
                ended.append(kind.ended_at_restart(record, known_ms or 0))
    return LeftOpen(tuple(ended), tuple(going_on))


def _open_rows(kind: RecordKind[Any], node: str) -> sa.Select[Any]:
    """Open rows, the oldest first; for a kind with a timeline also when its last entry happened."""
    columns: list[Any] = list(kind.table.c)
    if (entries := kind.timeline) is not None:
        mine = [entries.c[name] == kind.table.c[name] for name in (*kind.key_fields, "node")]
        columns.append(sa.select(sa.func.max(entries.c.at_ms)).where(*mine).scalar_subquery().label("known_ms"))
    return sa.select(*columns).where(kind.table.c.node == node, kind.open_rows).order_by(kind.began)


def last_known_ms(kinds: Kinds, node: str) -> sa.Select[tuple[int]]:
    """When the last thing known of `node` began, epoch ms: agents did what they did until then at least."""
    newest: list[sa.ColumnElement[int]] = []
    for kind in kinds:
        if kind.stored_by is None:
            begun = sa.select(kind.began).where(kind.table.c.node == node).order_by(kind.began.desc()).limit(1)
        else:
            begun = sa.select(sa.func.max(kind.began)).where(kind.table.c.node == node, kind.open_rows)
        newest.append(sa.func.coalesce(begun.scalar_subquery(), 0))
    moments = sa.union_all(*(sa.select(at.label("at_ms")) for at in newest)).subquery()
    return sa.select(sa.func.max(moments.c.at_ms).label("last_ms"))
