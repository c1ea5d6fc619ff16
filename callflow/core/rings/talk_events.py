"""Events of talks, for other parts to subscribe to: began, held, resumed, ended."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TalkParties:
    """A caller and the agent who talks to them. In an originated call the caller is the other party."""

    call_id: str
    """The caller's first Uniqueid; of an originated call, its ChannelId."""
    caller_uniqueid: str
    caller_channel: str
    agent_uniqueid: str
    agent_channel: str
    agent: str
    """Work number."""
    queue: str
    """"" where the caller did not come from a queue."""
    line: str
    """"" where no direct line was dialled."""
    originated: bool
    caller_number: str = ""


@dataclass(frozen=True, slots=True)
class TalkBegan:
    """Caller and agent hear each other from here; also after a transfer, with the new agent."""

    at_ms: int
    parties: TalkParties


@dataclass(frozen=True, slots=True)
class TalkHeld:
    """One of the two has put the other on hold."""

    at_ms: int
    parties: TalkParties
    by_agent: bool


@dataclass(frozen=True, slots=True)
class TalkResumed:
    """The party on hold is taken back. A talk may also end on hold."""

    at_ms: int
    parties: TalkParties
    by_agent: bool


@dataclass(frozen=True, slots=True)
class TalkEnded:
    """The first of the two has left; every TalkBegan is followed by one, unless the daemon ends."""

    at_ms: int
    parties: TalkParties


TalkEvent = TalkBegan | TalkHeld | TalkResumed | TalkEnded
