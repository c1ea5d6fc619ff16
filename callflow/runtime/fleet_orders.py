"""Carries out what the collector of a fleet asks of this node: callers with short calls at several nodes."""

import asyncio
from pathlib import Path

import sqlalchemy as sa
import structlog

from callflow.adapters.store.queries import Reader
from callflow.core.callbacks.entry import Reason
from callflow.core.callbacks.numbers import bare
from callflow.core.callbacks.raising import Wanted
from callflow.core.fleet.orders import Answer, Do, Order
from callflow.core.publishing.privacy import Pseudonymizer
from callflow.records.calls import calls
from callflow.records.stays import stays
from callflow.runtime.callback_desk import CallbackDesk

NEAR_MS = 3_600_000
"""A short call began so near to its end, by whatever clock."""

log = structlog.get_logger()


class FleetOrders:
    """The collector knows a caller's hash and one call of theirs at this node; the number is in that call's record."""

    def __init__(self, desk: CallbackDesk, path: Path, pseudonymizer: Pseudonymizer) -> None:
        self._desk = desk
        self._path = path
        self._pseudonymizer = pseudonymizer

    async def obey(self, order: Order) -> Answer:
        """Do it; an order that came before changes nothing. Raises StoreError when it is to be tried again."""
        if not self._desk.rules.enabled:
            return Answer(order.order_id, False, "call-backs are off at this node")
        number = await asyncio.to_thread(self._number, order)
        if number is None:
            return Answer(order.order_id, False, "no call of this caller is stored here")
        if order.do is Do.BEGIN_ANEW:
            self._desk.begin_anew(number)
            return Answer(order.order_id, True, "its short calls are counted anew")
        wanted = Wanted(bare(number), order.profile, Reason.REPEATED, order.at_ms, order.why)
        entry, new = await self._desk.add_counted(wanted)
        log.info("a caller of several nodes is to be called back", callback=entry.callback_id, new=new, why=order.why)
        return Answer(order.order_id, True, "raised" if new else "is on the list already", entry.callback_id)

    def _number(self, order: Order) -> str | None:
        """The number of the call, if it is the caller's whom the collector means."""
        of_call = (
            (calls.c.caller_number, calls.c.arrived_ms, calls.c.uniqueid),
            (stays.c.caller_number, stays.c.joined_ms, stays.c.call_id),
        )
        with Reader(self._path) as reader:
            for number, began_ms, call_id in of_call:
                near = began_ms.between(order.call_ms - NEAR_MS, order.call_ms + NEAR_MS)
                for row in reader.rows(sa.select(number).where(near, call_id == order.call_id)):
                    found = str(row["caller_number"])
                    if self._pseudonymizer.caller(found) == order.caller:
                        return found
        return None
