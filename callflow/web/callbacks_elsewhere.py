"""Steps of call-backs on the page of a fleet: the node of the entry takes them, and the visitor sees its answer."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from callflow.adapters.mqtt.asking import NodeAway
from callflow.adapters.store.callback_queries import CallbackQueries
from callflow.adapters.store.fleet.entries import site_of_entry
from callflow.adapters.store.queries import Reader
from callflow.core.callbacks.attempt import Attempt
from callflow.core.callbacks.entry import CallbackChange, Entry
from callflow.core.fleet.orders import ListStep
from callflow.web.access import Visitor
from callflow.web.errors import Conflict, NotReachable
from callflow.web.site import Site

LOOKS = 25
LOOK_S = 0.2
"""The step comes back as an event, through the collector."""

Whole = tuple[Entry, list[CallbackChange], list[Attempt]]


async def take_elsewhere(
    site: Site, me: Visitor, asked: ListStep, allowed: Callable[[CallbackQueries], Entry]
) -> tuple[Whole, str]:
    """The entry after the step, and the node's answer. Raises Conflict when the node refuses, or NotReachable.

    `allowed`: the entry as the visitor sees it. If the collector is late, the entry is returned as it is after 5 s.
    """
    assert site.ask_node is not None

    def look(reader: Reader) -> tuple[Entry, str]:
        return allowed(CallbackQueries(reader.rows)), site_of_entry(reader, asked.callback_id)

    entry, origin = await site.database.ask(look)
    done = {"callback": asked.callback_id, "site": origin}
    done |= {"agent": asked.agent} if asked.agent else {"why": asked.why}
    action = f"{asked.step.value.replace('_', ' ')} call-back"
    try:
        answer = await site.ask_node(origin, replace(asked, revision=entry.revision))
    except NodeAway as error:
        site.audit.note(me, action, **done, answer=error.problem)
        raise NotReachable(error.problem, error.remedy) from None
    site.audit.note(me, action, **done, answer=answer.why)
    if not answer.done:
        raise Conflict(f"the node of {origin} refuses: {answer.why}", "look at the entry again")
    return await _once_stored(site, entry), f"{origin}: {answer.why}"


async def _once_stored(site: Site, before: Entry) -> Whole:
    """The entry when the fleet's database has the step."""

    def look(reader: Reader) -> Whole:
        found = CallbackQueries(reader.rows)
        return found.find(before.callback_id), found.changes(before.callback_id), found.attempts(before.callback_id)

    for _ in range(LOOKS):
        whole = await site.database.ask(look)
        if whole[0].revision > before.revision:
            break
        await asyncio.sleep(LOOK_S)
    return whole
