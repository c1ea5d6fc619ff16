"""Agents: what each is doing, from the states of queue members that Asterisk reports."""

from collections import Counter
from dataclasses import dataclass, field

from callflow.core.rings.current_states import AgentState
from callflow.core.rings.facts import Member, MemberChanged, MemberRemoved, SnapshotTaken, When
from callflow.core.rings.records import AgentInterval, AgentWork
from callflow.core.rings.tracker_state import TrackerState

TALKING = (2, 3, 7, 8)
"""Device states of Asterisk: in use, busy, ringing while in use, on hold."""
RINGING = 6
UNREACHABLE = (4, 5)
"""Invalid, unavailable."""
LONGEST_SNAPSHOT_MS = 60_000
"""No snapshot takes longer."""


@dataclass(slots=True)
class _Agent:
    members: dict[tuple[str, str], Member] = field(default_factory=dict)
    """By queue (its safe name) and interface."""
    work: AgentWork | None = None
    since_ms: int = 0
    reason: str = ""
    partial: bool = False


class AgentBoard:
    """Every agent of every queue that Asterisk has reported."""

    def __init__(self, state: TrackerState) -> None:
        self._state = state
        self._agents: dict[str, _Agent] = {}
        self._owner: dict[tuple[str, str], str] = {}
        self._told_ms: dict[tuple[str, str], int] = {}
        """When the last event of each member came, by our own clock; a snapshot asked for before is older."""
        self._calling: dict[str, str] = {}
        """Agents on a call that Asterisk has placed, not yet connected to the other party, by the phone's Uniqueid."""

    def changed(self, fact: MemberChanged) -> None:
        """An event: a member's state has changed, or the member is new."""
        self._told_ms[self._key(fact.member)] = self._state.now_ms
        self._member_changed(fact.when, fact.member)

    def removed(self, fact: MemberRemoved) -> None:
        """An event: a member has left a queue."""
        now_ms = self._state.now_ms
        self._told_ms[self._key(fact.member)] = now_ms
        self._member_removed(fact.when, fact.member)
        past = now_ms - LONGEST_SNAPSHOT_MS
        self._told_ms = {key: at_ms for key, at_ms in self._told_ms.items() if key in self._owner or at_ms > past}

    def _key(self, member: Member) -> tuple[str, str]:
        return self._state.names.queue(member.queue), member.interface

    def _member_changed(self, when: When, member: Member) -> None:
        self._state.names.learn_member(member.interface, member.name)
        name = self._state.names.agent(member.interface, member.name)
        key = self._key(member)
        before = self._owner.get(key)
        if before is not None and before != name:
            self._member_removed(when, member)
        self._owner[key] = name
        agent = self._agents.setdefault(name, _Agent(since_ms=when.at_ms))
        known = agent.members.get(key)
        if member.status < 0 and known is not None:
            member = Member(member.queue, member.interface, member.name, known.status, member.paused, member.reason)
        if member == known:
            return
        agent.members[key] = member
        self._update(name, agent, when.at_ms)

    def _member_removed(self, when: When, member: Member) -> None:
        """An agent in no queue is logged off."""
        key = self._key(member)
        name = self._owner.pop(key, None)
        agent = self._agents.get(name) if name is not None else None
        if name is not None and agent is not None:
            agent.members.pop(key, None)
            self._update(name, agent, when.at_ms)

    @property
    def calling(self) -> int:
        """Phones of agents on calls that Asterisk has placed, not yet connected to the other party."""
        return len(self._calling)

    def begin_calling(self, name: str, uniqueid: str, at_ms: int) -> None:
        """Asterisk calls this agent's phone first, and then the other party."""
        self._calling[uniqueid] = name
        self._look_again(name, at_ms)

    def end_calling(self, uniqueid: str, at_ms: int) -> None:
        """The other party is connected, or the phone has gone."""
        if (name := self._calling.pop(uniqueid, None)) is not None:
            self._look_again(name, at_ms)

    def _look_again(self, name: str, at_ms: int) -> None:
        if (agent := self._agents.get(name)) is not None:
            self._update(name, agent, at_ms)

    def seen(self, fact: SnapshotTaken) -> None:
        """A snapshot: members that it does not show have left. Events that came since it was asked for are newer."""
        if fact.members is None:
            return
        shown = {self._key(member): member for member in fact.members}
        newer = {key for key, at_ms in self._told_ms.items() if at_ms > fact.asked_ms}
        for key in [key for key in self._owner if key not in shown and key not in newer]:
            self._member_removed(fact.when, Member(key[0], key[1]))
        for key, member in shown.items():
            if key not in newer:
                self._member_changed(fact.when, member)

    def link_lost(self, at_ms: int) -> None:
        """The link is lost: every interval ends here, and new ones begin after it is back."""
        for name, agent in self._agents.items():
            agent.partial = True
            self._change(name, agent, None, "", at_ms)
        self._agents.clear()
        self._owner.clear()
        self._told_ms.clear()

    def knows(self, name: str) -> bool:
        """An agent with this work number is in a queue."""
        return name in self._agents

    def may_be_paused_for(self, interface: str, reason: str) -> bool:
        """False if this phone is known to be a member, and nowhere paused for this reason."""
        own = [m for agent in self._agents.values() for m in agent.members.values() if m.interface == interface]
        return not own or any(member.paused and member.reason == reason for member in own)

    def is_empty(self, queue: str) -> bool:
        """A queue without a member who could answer; False where nothing is known of its members."""
        states = self.members(queue)
        return bool(states) and not any(states[work] for work in states if work not in _AWAY)

    def members(self, queue: str) -> Counter[AgentWork]:
        """How many members of a queue are doing what; paused and unreachable as that queue sees them."""
        found = (
            self._now(name, [member])
            for name, agent in self._agents.items()
            for key, member in agent.members.items()
            if key[0] == queue
        )
        return Counter(found)

    @property
    def queues(self) -> set[str]:
        """Every queue with a member."""
        return {queue for queue, _ in self._owner}

    def states(self, now_ms: int) -> list[AgentState]:
        """Every agent as they are now; one in no queue is logged off."""
        return [
            AgentState(
                name,
                now_ms,
                agent.work,
                agent.since_ms,
                tuple(sorted({queue for queue, _ in agent.members})),
                agent.reason,
            )
            for name, agent in sorted(self._agents.items())
        ]

    def _now(self, name: str, members: list[Member]) -> AgentWork:
        work = _work(members)
        return AgentWork.CALLING if work is AgentWork.TALKING and name in self._calling.values() else work

    def _update(self, name: str, agent: _Agent, at_ms: int) -> None:
        members = list(agent.members.values())
        work = self._now(name, members) if members else None
        reason = next((m.reason for m in members if m.paused and m.reason), "") if work is AgentWork.PAUSED else ""
        if (work, reason) != (agent.work, agent.reason):
            self._change(name, agent, work, reason, at_ms)

    def _change(self, name: str, agent: _Agent, work: AgentWork | None, reason: str, at_ms: int) -> None:
        """End the present interval and begin the next."""
        # A change takes the place of one in the same millisecond. A log-off cannot: nothing would end that interval.
        at_ms = max(at_ms, agent.since_ms + (1 if work is None else 0))
        if agent.work is not None and at_ms > agent.since_ms:
            interval = AgentInterval(name, agent.since_ms, at_ms, agent.work, agent.reason, agent.partial)
            self._state.save(interval, final=True)
        agent.work, agent.reason, agent.since_ms, agent.partial = work, reason, at_ms, False
        if work is not None:
            self._state.save(AgentInterval(name, at_ms, None, work, reason), final=False)


_AWAY = (AgentWork.PAUSED, AgentWork.UNAVAILABLE)


def _work(members: list[Member]) -> AgentWork:
    """What an agent with these memberships is doing; `paused` means paused in every queue."""
    states = {member.status for member in members}
    if states.intersection(TALKING):
        return AgentWork.TALKING
    if RINGING in states:
        return AgentWork.RINGING
    if all(member.paused for member in members):
        return AgentWork.PAUSED
    return AgentWork.UNAVAILABLE if states and states <= set(UNREACHABLE) else AgentWork.AVAILABLE
