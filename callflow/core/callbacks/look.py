"""Who is on the line, by what Asterisk lists of channels, members and waiting callers; what stands in the way."""

import re
from dataclasses import dataclass

from callflow.core.callbacks.numbers import bare
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


@dataclass(frozen=True, slots=True)
class Look:
    """Everything at one moment."""

    members: tuple[MemberSeen, ...]
    waiting: tuple[CallerSeen, ...]
    channels: tuple[ChannelSeen, ...]

    def of_agent(self, agent: str) -> tuple[MemberSeen, ...]:
        """An agent's places in queues, found by work number or by interface."""
        return tuple(one for one in self.members if agent in (one.agent, one.interface, one.phone))

    def agent_is_on_line(self, phones: frozenset[str]) -> bool:
        """One of these phones has a channel."""
        return any(interface_of(one.channel) in phones for one in self.channels)

    def caller_is_on_line(self, number: str) -> bool:
        """The caller waits in a queue, or a channel is theirs, is connected with them or dials them."""
        if any(same_number(one.number, number) for one in self.waiting):
            return True
        dialled = re.compile(rf"(?<![0-9]){re.escape(number.lstrip('+'))}(?![0-9])")
        return any(
            same_number(one.number, number) or same_number(one.connected, number) or dialled.search(one.application)
            for one in self.channels
        )

    def callers_ahead(self, queues: frozenset[str], before_ms: int | None) -> bool:
        """Callers wait in these queues; with `before_ms` only those count who joined before."""
        return any(one.queue in queues and (before_ms is None or one.joined_ms < before_ms) for one in self.waiting)


def same_number(one: str, other: str) -> bool:
    """The same digits, with and without `+` and punctuation."""
    digits = bare(one).lstrip("+")
    return bool(digits) and digits == bare(other).lstrip("+")


@dataclass(frozen=True, slots=True)
class Plan:
    """What an attempt needs to know of entry, agent and settings."""

    number: str
    agent: str
    automatic: bool
    raised_ms: int
    keeps_place: bool


def obstacle(look: Look, plan: Plan, phones: frozenset[str]) -> str:
    """Why the call cannot be placed now; "" if nothing stands in the way."""
    if look.agent_is_on_line(phones):
        return "the agent is on a call"
    if look.caller_is_on_line(plan.number):
        return "the caller is on another call or waits in a queue"
    queues = frozenset(one.queue for one in look.members if one.phone in phones)
    if plan.automatic and look.callers_ahead(queues, plan.raised_ms if plan.keeps_place else None):
        return "callers wait in the agent's queues"
    return ""
