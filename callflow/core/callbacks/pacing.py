"""Which agents call which callers back: one call for each free agent, and none while callers wait for that agent."""

import sys
from collections.abc import Iterable, Iterator

from callflow.core.callbacks.entry import Entry
from callflow.core.callbacks.look import FREE, Look, MemberSeen
from callflow.core.callbacks.states import WAITING

NOBODY_WAITS = sys.maxsize


def agents_for(
    due: Iterable[Entry], look: Look, taken: frozenset[str], rested_before_ms: int
) -> list[tuple[Entry, MemberSeen]]:
    """Pairs of an entry and the agent to call; `taken`: agents who have a call-back already.

    An agent whose last call ended after `rested_before_ms` rests: Asterisk does not show the wrap-up time. An entry
    that keeps a place in a queue goes to a member of that queue, and only callers who joined before it count as
    waiting.
    """
    free = _Free(look, taken, rested_before_ms)
    if not free.members:
        return []
    pairs = []
    for entry in sorted(due, key=lambda entry: entry.due_ms):
        if entry.state not in WAITING or look.caller_is_on_line(entry.number):
            continue
        if (found := free.member_for(entry)) is not None:
            pairs.append((entry, found))
            free.take(found)
    return pairs


class _Free:
    """One place in a queue of each agent who is free; a long list that nobody can call now costs a look an entry."""

    def __init__(self, look: Look, taken: frozenset[str], rested_before_ms: int) -> None:
        self.members = _free_agents(look, taken, rested_before_ms)
        self._staffed = frozenset(one.queue for one in look.members)
        self._clear_until_ms = {one.agent: _clear_until_ms(one.agent, look) for one in self.members}
        self._latest_ms: dict[str, int] = {}

    def member_for(self, entry: Entry) -> MemberSeen | None:
        """The first who may take it: nobody waits for them, or only callers who joined after the kept place."""
        queue = entry.queue if entry.place and entry.queue in self._staffed else ""
        needed_ms = entry.raised_ms if entry.place else NOBODY_WAITS
        if self._latest(queue) < needed_ms:
            return None
        return next((one for one in self._of(queue) if self._clear_until_ms[one.agent] >= needed_ms), None)

    def take(self, member: MemberSeen) -> None:
        """The agent is not free any more."""
        self.members = [one for one in self.members if one.agent != member.agent]
        self._latest_ms.clear()

    def _of(self, queue: str) -> Iterator[MemberSeen]:
        return (one for one in self.members if queue in ("", one.queue))

    def _latest(self, queue: str) -> int:
        if queue not in self._latest_ms:
            self._latest_ms[queue] = max((self._clear_until_ms[one.agent] for one in self._of(queue)), default=-1)
        return self._latest_ms[queue]


def _clear_until_ms(agent: str, look: Look) -> int:
    """When the caller joined who has waited longest in any of the agent's queues."""
    first_ms = look.first_joined_ms(frozenset(one.queue for one in look.of_agent(agent)))
    return NOBODY_WAITS if first_ms is None else first_ms


def _free_agents(look: Look, taken: frozenset[str], rested_before_ms: int) -> list[MemberSeen]:
    """One place in a queue of each agent who is free in all of theirs."""
    hindered = {
        one.agent
        for one in look.members
        if one.status != FREE or one.paused or one.in_call or one.last_call_ms > rested_before_ms
    }
    found = [one for one in look.members if one.agent not in hindered | taken]
    return [one for one in found if not look.agent_is_on_line(frozenset((one.interface, one.phone)))]
