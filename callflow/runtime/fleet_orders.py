"""Carries out what this node of a fleet is asked: callers with short calls at several nodes, steps in its list."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from pathlib import Path

import sqlalchemy as sa
import structlog

from callflow.adapters.store.callback_queries import NoSuchCallback
from callflow.adapters.store.queries import Reader
from callflow.core.callbacks.entry import CALLFLOW, Entry, Reason
from callflow.core.callbacks.numbers import bare
from callflow.core.callbacks.permission import NotAllowed, may_dial
from callflow.core.callbacks.raising import Wanted
from callflow.core.callbacks.states import ByHand, IllegalStep, Step
from callflow.core.fleet.orders import Answer, Do, ListStep, Order
from callflow.core.publishing.privacy import Pseudonymizer
from callflow.core.short_calls import kept
from callflow.errors import CallflowError
from callflow.records.calls import calls
from callflow.records.stays import stays
from callflow.runtime.callback_desk import CallbackDesk

BY_HAND = tuple(Step(step) for step in ByHand)
ACTOR = 64
"""Characters of a name that are kept."""
REMEMBERED = 1000
NEAR_MS = 3_600_000
"""A short call began so near to its end, by whatever clock."""

log = structlog.get_logger()


class FleetOrders:
    """The collector knows a caller's hash and one call of theirs at this node; the number is in that call's record."""

    def __init__(self, desk: CallbackDesk, path: Path, pseudonymizer: Pseudonymizer, now_ms: Callable[[], int]) -> None:
        self._desk = desk
        self._path = path
        self._pseudonymizer = pseudonymizer
        self._now_ms = now_ms
        self._steps: OrderedDict[str, asyncio.Task[Answer]] = OrderedDict()
        """A broker may deliver a step twice: it is taken once, and both are answered."""

    async def obey(self, order: Order | ListStep) -> Answer:
        """Do it; an order that came before changes nothing. Raises StoreError when it is to be tried again."""
        if isinstance(order, ListStep):
            task = kept(self._steps, order.order_id, lambda: asyncio.create_task(self._take(order)), REMEMBERED)
            return await asyncio.shield(task)
        if not self._desk.rules.enabled:
            return Answer(order.order_id, False, "call-backs are off at this node")
        if order.do is Do.SETTLE:
            return await self._settle(order)
        number = await asyncio.to_thread(self._number, order)
        if number is None:
            return Answer(order.order_id, False, "no call of this caller is stored here")
        if order.do is Do.BEGIN_ANEW:
            await self._desk.begin_anew(number, order.call_ms)
            return Answer(order.order_id, True, "its short calls are counted from zero")
        wanted = Wanted(bare(number), order.profile, Reason.REPEATED, order.at_ms, order.why)
        entry, new = await self._desk.add_counted(wanted)
        log.info("a caller of several nodes is to be called back", callback=entry.callback_id, new=new, why=order.why)
        return Answer(order.order_id, True, "raised" if new else "is on the list already", entry.callback_id)

    async def _settle(self, order: Order) -> Answer:
        """Settle an entry, unless it is settled already, or was raised after that call."""

        def make(now: Entry) -> Entry:
            if self._pseudonymizer.caller(now.number) != order.caller or now.raised_ms > order.at_ms:
                raise NotAllowed("that call does not settle this entry", "")
            return now.step(Step.ANSWER, self._now_ms(), CALLFLOW, order.why)

        try:
            entry = await asyncio.to_thread(self._desk.list.change, order.callback_id, make)
        except (NoSuchCallback, IllegalStep, NotAllowed) as error:
            return Answer(order.order_id, False, str(error), order.callback_id)
        self._desk.look_soon()
        return Answer(order.order_id, True, "settled", entry.callback_id)

    async def _take(self, asked: ListStep) -> Answer:
        """Take a step that a person asks for; what is not possible is refused with the reason."""
        if not self._desk.rules.remote:
            return Answer(asked.order_id, False, "this node takes no steps from the broker: callbacks.remote is off")
        try:
            entry = await asyncio.to_thread(self._desk.list.change, asked.callback_id, partial(self._next, asked))
        except (CallflowError, IllegalStep, NotAllowed) as error:
            return Answer(asked.order_id, False, str(error), asked.callback_id)
        self._desk.look_soon()
        log.info("a step was taken from the broker", callback=entry.callback_id, step=asked.step, actor=asked.actor)
        what = f"has been asked to call for agent {asked.agent}" if entry.wish else f"is {entry.state.value} now"
        return Answer(asked.order_id, True, what.replace("_", " "), entry.callback_id)

    def _next(self, asked: ListStep, now: Entry) -> Entry:
        """The next version of an entry; raises IllegalStep, NotAllowed."""
        at_ms = self._now_ms()
        if asked.revision not in (0, now.revision):
            raise NotAllowed("somebody else has just changed this entry", "")
        if asked.step is Step.DIAL:
            if now.wish or not asked.agent:
                raise NotAllowed("this call is asked for already" if now.wish else "the call needs an agent", "")
            may_dial(now, self._desk.rules, at_ms)
            return now.wished(asked.agent, at_ms, asked.actor[:ACTOR])
        if asked.step not in BY_HAND:
            raise IllegalStep(now.state, asked.step)
        return now.step(asked.step, at_ms, asked.actor[:ACTOR], asked.why)

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
