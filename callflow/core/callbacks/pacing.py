"""Which agents call whom back now: one call for each free agent, and none while callers wait for that agent."""

from collections.abc import Iterable

from callflow.core.callbacks.entry import Entry
from callflow.core.callbacks.look import FREE, Look, MemberSeen
from callflow.core.callbacks.states import WAITING


def agents_for(
    due: Iterable[Entry], look: Look, taken: frozenset[str], rested_before_ms: int
) -> list[tuple[Entry, MemberSeen]]:
    """Pairs of an entry and the agent to call; `taken`: agents who have a call-back already.

    An agent whose last call ended after `rested_before_ms` rests: Asterisk does not show the wrap-up time. An entry
    that keeps a place in a queue goes to a member of that queue, and only callers who joined before it count as
    waiting.
    """
    free = _free_agents(look, taken, rested_before_ms)
    pairs = []
    for entry in sorted(due, key=lambda entry: entry.due_ms):
        if entry.state not in WAITING or look.caller_is_on_line(entry.number):
            continue
        found = next((member for member in free if _may_take(member, entry, look)), None)
        if found is not None:
            pairs.append((entry, found))
            free = [member for member in free if member.agent != found.agent]
    return pairs


def _free_agents(look: Look, taken: frozenset[str], rested_before_ms: int) -> list[MemberSeen]:
    """One place in a queue of each agent who is free in all of theirs."""
    hindered = {
        one.agent
        for one in look.members
        if one.status != FREE or one.paused or one.in_call or one.last_call_ms > rested_before_ms
    }
    found = [one for one in look.members if one.agent not in hindered | taken]
    return [one for one in found if not look.agent_is_on_line(frozenset((one.interface, one.phone)))]


def _may_take(member: MemberSeen, entry: Entry, look: Look) -> bool:
    if entry.place and entry.queue and member.queue != entry.queue and _has_members(look, entry.queue):
        return False
    queues = frozenset(one.queue for one in look.of_agent(member.agent))
    return not look.callers_ahead(queues, entry.raised_ms if entry.place else None)


def _has_members(look: Look, queue: str) -> bool:
    return any(one.queue == queue for one in look.members)
