"""Queues, agents and direct lines as they are now."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from callflow.core.rings.records import AgentWork


@dataclass(frozen=True, slots=True)
class QueueState:
    """A queue as it is now."""

    queue: str
    as_of_ms: int
    waiting: int
    oldest_joined_ms: int | None
    members: Mapping[AgentWork, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AgentState:
    """An agent as they are now."""

    agent: str
    as_of_ms: int
    work: AgentWork | None
    """None: logged off."""
    since_ms: int
    queues: tuple[str, ...] = ()
    reason: str = ""
    """Of a pause."""


@dataclass(frozen=True, slots=True)
class LineState:
    """A direct line as it is now."""

    line: str
    as_of_ms: int
    ringing: int
    talking: int
