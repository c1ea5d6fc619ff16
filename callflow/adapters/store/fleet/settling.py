"""Settles entries for callers whom another node has reached: their node is asked to do so."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from callflow.adapters.store.fleet.schema import fleet_metadata, repeat_orders
from callflow.core.callbacks.states import State
from callflow.core.fleet.orders import Do

Row = Mapping[str, Any]

callbacks = fleet_metadata.tables["callbacks"]


def settle_elsewhere(
    connection: sa.Connection, stays: Iterable[tuple[str, Row]], changes: Iterable[tuple[str, Row]], now_ms: int
) -> bool:
    """Order what stays that were answered, and call-backs that reached their caller, settle at other nodes.

    Works in the transaction of these rows, each with its site; whether a node is to be asked.
    """
    answered: dict[str, tuple[str, int]] = {}
    for site, caller, at_ms in (*_answered(stays), *_reached(changes)):
        answered[caller] = max((site, at_ms), answered.get(caller, ("", 0)), key=lambda found: found[1])
    if not answered:
        return False
    elsewhere = sa.select(callbacks).where(callbacks.c.open, callbacks.c.number.in_(answered))
    waiting = [row for row in connection.execute(elsewhere).mappings() if _is_settled(row, *answered[row["number"]])]
    if not waiting:
        return False
    asked = sa.select(repeat_orders.c.callback_id).where(
        repeat_orders.c.action == Do.SETTLE.value, repeat_orders.c.caller.in_(answered)
    )
    known = set(connection.scalars(asked))
    orders = [_order(row, *answered[row["number"]], now_ms) for row in waiting if row["callback_id"] not in known]
    if orders:
        connection.execute(sa.insert(repeat_orders), orders)
    return bool(orders)


def _answered(stays: Iterable[tuple[str, Row]]) -> Iterator[tuple[str, str, int]]:
    for site, row in stays:
        if row["connect_ms"] is not None and row["caller_number"]:
            yield site, row["caller_number"], row["connect_ms"]


def _reached(changes: Iterable[tuple[str, Row]]) -> Iterator[tuple[str, str, int]]:
    """Settled by the call itself; what a person settles by hand concerns that entry alone."""
    for site, row in changes:
        if row["state"] == State.DONE.value and row["before"] == State.DIALLING.value and row["number"]:
            yield site, row["number"], row["at_ms"]


def _is_settled(row: sa.RowMapping, site: str, at_ms: int) -> bool:
    """The node of the answered call settles its own entries."""
    return bool(row["site"] != site and row["raised_ms"] <= at_ms)


def _order(row: sa.RowMapping, site: str, at_ms: int, now_ms: int) -> dict[str, Any]:
    return {
        "order_id": uuid4().hex,
        "site": row["site"],
        "action": Do.SETTLE.value,
        "caller": row["number"],
        "call_id": "",
        "call_ms": at_ms,
        "at_ms": at_ms,
        "profile": row["profile"],
        "why": f"a call with the caller was answered at {site}",
        "made_ms": now_ms,
        "callback_id": row["callback_id"],
    }
