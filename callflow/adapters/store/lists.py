"""The calls behind the figures of a report."""

import sqlalchemy as sa

from callflow.adapters.store.queries import Reader
from callflow.adapters.store.rows import StoredCall, stored_call, stored_measured
from callflow.adapters.store.schema import calls, stays
from callflow.core.rings.record import Stay
from callflow.core.service.grouping import Scope
from callflow.core.service.tallies import ABANDONED

UNHEARD = ("silent", "quiet")
"""Results of callers who were hung up because nobody could be heard, or understood."""


def abandoned(reader: Reader, start_ms: int, end_ms: int, scope: Scope) -> list[Stay]:
    """Callers who joined a queue in the period and gave up, oldest first; those measured for uncertain too."""
    where = [
        stays.c.joined_ms >= start_ms,
        stays.c.joined_ms < end_ms,
        stays.c.outcome.in_([outcome.value for outcome in ABANDONED]),
    ]
    if scope.queues:
        where.append(stays.c.queue.in_(scope.queues))
    if scope.node is not None:
        where.append(stays.c.node == scope.node)
    found = reader.rows(sa.select(stays).where(*where).order_by(stays.c.joined_ms, stays.c.entry_id))
    return [stored_measured(Stay, row) for row in found]


def unheard(reader: Reader, start_ms: int, end_ms: int, scope: Scope) -> list[StoredCall]:
    """Callers who came in the period and could not be heard to the end, oldest first."""
    where = [calls.c.arrived_ms >= start_ms, calls.c.arrived_ms < end_ms, calls.c.result.in_(UNHEARD)]
    if scope.lines:
        where.append(calls.c.dialled.in_(scope.lines))
    if scope.node is not None:
        where.append(calls.c.node == scope.node)
    found = reader.rows(sa.select(calls).where(*where).order_by(calls.c.arrived_ms, calls.c.call_id))
    return [stored_call(row) for row in found]
