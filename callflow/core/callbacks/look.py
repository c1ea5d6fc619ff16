"""Who is on the phone, from Asterisk's lists of channels, members and waiting callers; what prevents a call."""

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

from callflow.core.callbacks.numbers import caller_of
from callflow.core.rings.names import interface_of

FREE = 1
"""AST_DEVICE_NOT_INUSE, as QueueMember has it."""


@dataclass(frozen=True, slots=True)
class MemberSeen:
    """One agent in one queue; `phone` is the interface whose state the queue watches."""

    queue: str
    interface: str
    phone: str
    agent: str
    """Work number."""
    status: int
    paused: bool
    in_call: bool = False
    last_call_ms: int = 0
    """When the last call from a queue ended; 0 for never."""
    pause_reason: str = ""


@dataclass(frozen=True, slots=True)
class CallerSeen:
    """One caller who waits in a queue."""

    queue: str
    number: str
    joined_ms: int


@dataclass(frozen=True, slots=True)
class ChannelSeen:
    """One channel: whose it is, whom it is connected with, and what it runs."""

    channel: str
    uniqueid: str
    number: str
    connected: str
    application: str
    """Name and data: `Dial(PJSIP/carrier/sip:13855550100@...)`."""


@dataclass(frozen=True)
class Look:
    """Everything at one moment. What is asked of it is found at once, however many calls and agents there are."""

    members: tuple[MemberSeen, ...]
    waiting: tuple[CallerSeen, ...]
    channels: tuple[ChannelSeen, ...]

    def of_agent(self, agent: str) -> tuple[MemberSeen, ...]:
        """An agent's places in queues, found by work number or by interface."""
        return tuple(self._places.get(agent, ()))

    def agent_is_on_line(self, phones: frozenset[str]) -> bool:
        """One of these phones has a channel."""
        return not self._phones_on_line.isdisjoint(phones)

    def caller_is_on_line(self, number: str) -> bool:
        """The caller waits in a queue, or a channel is theirs, is connected with them or dials them."""
        digits = caller_of(number)
        return bool(digits) and (digits in self._numbers_on_line or digits in self._numbers_dialled)

    def callers_ahead(self, queues: frozenset[str], before_ms: int | None) -> bool:
        """Callers wait in these queues; with `before_ms` only those count who joined before."""
        first = self.first_joined_ms(queues)
        return first is not None and (before_ms is None or first < before_ms)

    def first_joined_ms(self, queues: frozenset[str]) -> int | None:
        """When the caller joined who has waited longest in these queues; None where nobody waits."""
        return min((self._first_joined[queue] for queue in queues if queue in self._first_joined), default=None)

    @cached_property
    def _places(self) -> dict[str, list[MemberSeen]]:
        places: dict[str, list[MemberSeen]] = defaultdict(list)
        for one in self.members:
            for name in {one.agent, one.interface, one.phone}:
                places[name].append(one)
        return dict(places)

    @cached_property
    def _phones_on_line(self) -> frozenset[str]:
        return frozenset(interface_of(one.channel) for one in self.channels)

    @cached_property
    def _numbers_on_line(self) -> frozenset[str]:
        of_channels = (number for one in self.channels for number in (one.number, one.connected))
        return frozenset(caller_of(number) for number in (*(one.number for one in self.waiting), *of_channels))

    @cached_property
    def _numbers_dialled(self) -> frozenset[str]:
        return frozenset(digits for one in self.channels for digits in _DIALLED.findall(one.application))

    @cached_property
    def _first_joined(self) -> dict[str, int]:
        first: dict[str, int] = {}
        for one in self.waiting:
            first[one.queue] = min(one.joined_ms, first.get(one.queue, one.joined_ms))
        return first


_DIALLED = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True)
class UnderWay:
    """Whom other call-backs are about to call: such a call may not be a channel yet."""

    agents: frozenset[str] = frozenset()
    """Work numbers and interfaces."""
    callers: frozenset[str] = frozenset()
    """As `caller_of` gives them."""


NOBODY = UnderWay()


@dataclass(frozen=True, slots=True)
class Plan:
    """What an attempt needs to know of entry, agent and settings."""

    number: str
    agent: str
    automatic: bool
    raised_ms: int
    keeps_place: bool


def obstacle(look: Look, plan: Plan, agent: frozenset[str], phones: frozenset[str], under_way: UnderWay) -> str:
    """Why the call cannot be placed now; "" if it can. `agent`: the work number and interfaces of the agent."""
    if look.agent_is_on_line(phones):
        return "the agent is on a call"
    if look.caller_is_on_line(plan.number):
        return "the caller is on another call or waits in a queue"
    if not under_way.agents.isdisjoint(agent):
        return "the agent has a call-back"
    if caller_of(plan.number) in under_way.callers:
        return "the caller has a call-back"
    queues = frozenset(one.queue for one in look.members if one.phone in phones)
    if plan.automatic and look.callers_ahead(queues, plan.raised_ms if plan.keeps_place else None):
        return "callers wait in the agent's queues"
    return ""
