"""The calls behind the figures of a report."""

from dataclasses import dataclass
from typing import TypeVar

import sqlalchemy as sa

from callflow.adapters.store.agent_time import agents_of
from callflow.adapters.store.queries import CLOCKS_APART_MS, LONGEST_MS, Reader
from callflow.core.assist.steps import AssistStep
from callflow.core.assist.wrap_up import WrapUp
from callflow.core.rings.records import AgentWork, Hold, Leg, Offer, Stay, Talk, Transfer
from callflow.core.service.grouping import Scope
from callflow.core.service.tallies import ABANDONED
from callflow.records.agent_intervals import spells
from callflow.records.assist_steps import ASSIST_STEPS
from callflow.records.calls import UNHEARD, StoredCall, calls, stored_call
from callflow.records.holds import HOLDS
from callflow.records.kind import RecordKind
from callflow.records.legs import LEGS
from callflow.records.offers import OFFERS
from callflow.records.stays import STAYS, stays
from callflow.records.talks import TALKS
from callflow.records.transfers import TRANSFERS
from callflow.records.wrap_ups import WRAP_UPS, wrap_ups

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Ringing:
    """A caller's records after the screening, each in order of time."""

    stays: list[Stay]
    offers: list[Offer]
    legs: list[Leg]
    talks: list[Talk]
    holds: list[Hold]
    transfers: list[Transfer]
    wrap_ups: list[WrapUp]
    assist_steps: list[AssistStep]


def ringing(reader: Reader, call: StoredCall) -> Ringing:
    """The stays, offers, legs, talks, holds, transfers, wrap-ups and steps of assistance of a call."""
    first_ms = call.record.arrived_ms - CLOCKS_APART_MS
    last_ms = call.record.arrived_ms + LONGEST_MS

    def of(kind: RecordKind[R]) -> list[R]:
        table, at = kind.table, kind.began
        mine = table.c.call_id == call.record.uniqueid, table.c.node == call.node
        query = sa.select(table).where(at >= first_ms, at < last_ms, *mine).order_by(at)
        return [kind.rows.record(row) for row in reader.rows(query)]

    return Ringing(of(STAYS), of(OFFERS), of(LEGS), of(TALKS), of(HOLDS), of(TRANSFERS), of(WRAP_UPS), of(ASSIST_STEPS))


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
    return [STAYS.rows.record(row) for row in found]


def unheard(reader: Reader, start_ms: int, end_ms: int, scope: Scope) -> list[StoredCall]:
    """Callers who came in the period and could not be heard to the end, oldest first."""
    where = [calls.c.arrived_ms >= start_ms, calls.c.arrived_ms < end_ms, calls.c.result.in_(UNHEARD)]
    if scope.lines:
        where.append(calls.c.dialled.in_(scope.lines))
    if scope.node is not None:
        where.append(calls.c.node == scope.node)
    found = reader.rows(sa.select(calls).where(*where).order_by(calls.c.arrived_ms, calls.c.call_id))
    return [stored_call(row) for row in found]


@dataclass(frozen=True, slots=True)
class Pauses:
    """The pauses of one agent for one reason, ms together and the longest."""

    agent: str
    reason: str
    number: int
    total_ms: int
    longest_ms: int


def pauses(reader: Reader, start_ms: int, end_ms: int, scope: Scope) -> list[Pauses]:
    """Pauses that began in the period and are over, by agent and reason; a wrap-up is one with the reason `wrapup`."""
    lasted = spells.c.ended_ms - spells.c.began_ms
    where = [
        spells.c.agent.in_(agents_of(reader, scope)),
        spells.c.began_ms >= start_ms,
        spells.c.began_ms < end_ms,
        spells.c.ended_ms.is_not(None),
        spells.c.work == AgentWork.PAUSED.value,
    ]
    if scope.node is not None:
        where.append(spells.c.node == scope.node)
    by = spells.c.agent, spells.c.reason
    found = sa.select(
        *by,
        sa.func.count().label("number"),
        sa.func.sum(lasted).label("total_ms"),
        sa.func.max(lasted).label("longest_ms"),
    )
    rows = reader.rows(found.where(*where).group_by(*by).order_by(*by))
    return [
        Pauses(row["agent"], row["reason"], row["number"], int(row["total_ms"]), int(row["longest_ms"])) for row in rows
    ]


def wrapped_up(reader: Reader, start_ms: int, end_ms: int, scope: Scope) -> list[WrapUp]:
    """Wrap-ups that were asked for in the period and are over, oldest first."""
    where = [wrap_ups.c.asked_ms >= start_ms, wrap_ups.c.asked_ms < end_ms, wrap_ups.c.ended_ms.is_not(None)]
    if scope.agents:
        where.append(wrap_ups.c.agent.in_(scope.agents))
    if scope.queues:
        where.append(wrap_ups.c.queue.in_(scope.queues))
    if scope.node is not None:
        where.append(wrap_ups.c.node == scope.node)
    found = reader.rows(sa.select(wrap_ups).where(*where).order_by(wrap_ups.c.asked_ms, wrap_ups.c.wrap_up_id))
    return [WRAP_UPS.rows.record(row) for row in found]
