"""Ends what a daemon that died has left open, at the last thing known of it; stays go on."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from callflow.adapters.store.pending import Record
from callflow.adapters.store.rows import TABLES, stored_call, stored_measured
from callflow.adapters.store.schema import OPEN, calls, happenings, legs, offers, spells, stays
from callflow.core.rings.records import AgentInterval, Leg, LegEnd, Measured, Offer, Stay

MARK = "interrupted"


@dataclass(frozen=True, slots=True)
class LeftOpen:
    """What the last life of a node left open: what is ended by now, and stays, whose callers may still be there."""

    closed: tuple[Record, ...]
    stays: tuple[Stay, ...]


def close_interrupted(connection: sa.Connection, node: str) -> LeftOpen:
    """End what the last life of `node` left open, but for the stays."""
    last_ms = connection.execute(last_known_ms(node)).scalar_one()
    closed: list[Record] = []
    ends: tuple[tuple[type[Measured], dict[str, Any]], ...] = (
        (Leg, {"ended_ms": _last_of(legs), "end": sa.func.coalesce(legs.c.end, LegEnd.UNKNOWN.value)}),
        (Offer, {"ended_ms": _last_of(offers)}),
        (AgentInterval, {"ended_ms": sa.func.max(spells.c.began_ms, last_ms)}),
    )
    for kind, end in ends:
        table = TABLES[kind]
        marks = {"marks": sa.func.trim(table.c.marks + f" {MARK}")} if "marks" in table.c else {}
        left_open = sa.update(table).where(table.c.node == node, OPEN)
        ended = left_open.values(**end, **marks, partial=True, open=False).returning(*table.c)
        closed += [stored_measured(kind, row) for row in connection.execute(ended).mappings()]
    calls_ended = _calls_left_open(node).returning(*calls.c)
    closed += [stored_call(row).record for row in connection.execute(calls_ended).mappings()]
    going_on = sa.select(stays).where(stays.c.node == node, OPEN).order_by(stays.c.joined_ms)
    return LeftOpen(tuple(closed), tuple(stored_measured(Stay, row) for row in connection.execute(going_on).mappings()))


def _calls_left_open(node: str) -> sa.Update:
    last = (
        sa.select(sa.func.max(happenings.c.at_ms))
        .where(happenings.c.call_id == calls.c.call_id, happenings.c.node == calls.c.node)
        .scalar_subquery()
    )
    return (
        sa.update(calls)
        .where(calls.c.node == node, calls.c.ended_ms.is_(None))
        .values(
            result=sa.case((calls.c.mode == "observe", "observed"), else_="unavailable"),
            interrupted=True,
            partial=True,
            ended_ms=sa.func.max(calls.c.arrived_ms, sa.func.coalesce(last, calls.c.arrived_ms)),
        )
    )


def _last_of(table: sa.Table) -> sa.ColumnElement[int]:
    """The last known time of a leg or an offer; an end that is known stands."""
    began, *later = table.c.began_ms, table.c.ring_start_ms, table.c.pickup_ms, table.c.connect_ms
    return sa.func.coalesce(table.c.ended_ms, sa.func.max(began, *(sa.func.coalesce(at, began) for at in later)))


def last_known_ms(node: str) -> sa.Select[tuple[int]]:
    """When the last thing known of `node` began, epoch ms: agents did what they did until then at least."""
    newest: list[sa.ColumnElement[int]] = [
        sa.select(at).where(at.table.c.node == node).order_by(at.desc()).limit(1).scalar_subquery()
        for at in (stays.c.joined_ms, offers.c.began_ms, legs.c.began_ms, calls.c.arrived_ms)
    ]
    newest.append(sa.select(sa.func.max(spells.c.began_ms)).where(spells.c.node == node, OPEN).scalar_subquery())
    return sa.select(sa.func.max(*(sa.func.coalesce(at, 0) for at in newest)).label("last_ms"))
