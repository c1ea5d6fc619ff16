"""What Asterisk tells of channels, dialling, bridges and queues, small and in the past tense."""

from dataclasses import dataclass

from callflow.core.rings.records import Stay


@dataclass(frozen=True, slots=True)
class When:
    """When something happened, epoch ms; `stamped`: by Asterisk itself; `odd`: what was wrong with the event."""

    at_ms: int
    stamped: bool = True
    anomalies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Party:
    """A channel as an event shows it."""

    uniqueid: str
    channel: str = ""
    linkedid: str = ""
    number: str = ""
    name: str = ""
    exten: str = ""


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a queue, as Asterisk shows it; `status` is its device state, 0..8, -1 when it was not told."""

    queue: str
    interface: str
    name: str = ""
    status: int = -1
    paused: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ChannelBegan:
    """Newchannel."""

    when: When
    party: Party


@dataclass(frozen=True, slots=True)
class ChannelRang:
    """Newstate Ringing."""

    when: When
    party: Party


@dataclass(frozen=True, slots=True)
class ChannelUp:
    """Newstate Up."""

    when: When
    party: Party


@dataclass(frozen=True, slots=True)
class HangupRequested:
    """HangupRequest, from the far end; `soft`: SoftHangupRequest, from within Asterisk."""

    when: When
    uniqueid: str
    soft: bool
    cause: int = 0


@dataclass(frozen=True, slots=True)
class ChannelEnded:
    """Hangup."""

    when: When
    uniqueid: str


@dataclass(frozen=True, slots=True)
class DialBegan:
    """DialBegin; `caller.uniqueid` is "" when Asterisk dials by itself."""

    when: When
    caller: Party
    dest: Party
    ringing: bool = False
    """The phone rings already: Newstate may come before DialBegin."""


@dataclass(frozen=True, slots=True)
class DialProgressed:
    """DialState: RINGING, PROGRESS or PROCEEDING."""

    when: When
    dest: Party
    status: str


@dataclass(frozen=True, slots=True)
class DialEnded:
    """DialEnd; it may come more than once for a leg."""

    when: When
    dest: Party
    status: str
    forward: str


@dataclass(frozen=True, slots=True)
class BridgeEntered:
    """BridgeEnter."""

    when: When
    party: Party
    bridge: str


@dataclass(frozen=True, slots=True)
class BridgeLeft:
    """BridgeLeave."""

    when: When
    uniqueid: str
    bridge: str


@dataclass(frozen=True, slots=True)
class PickedUp:
    """Pickup: `picker` takes the call that rings at `target`."""

    when: When
    picker: Party
    target: str


@dataclass(frozen=True, slots=True)
class Transferred:
    """BlindTransfer or AttendedTransfer: the call of these channels goes elsewhere."""

    when: When
    transferers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CallerJoined:
    """QueueCallerJoin."""

    when: When
    caller: Party
    queue: str


@dataclass(frozen=True, slots=True)
class CallerAbandoned:
    """QueueCallerAbandon: given up, or timed out, or put out; not when the caller leaves by a key."""

    when: When
    uniqueid: str
    queue: str


@dataclass(frozen=True, slots=True)
class CallerLeft:
    """QueueCallerLeave."""

    when: When
    uniqueid: str
    queue: str


@dataclass(frozen=True, slots=True)
class QueueStatusReported:
    """UserEvent CallflowQueue of the dialplan: QUEUESTATUS after Queue()."""

    when: When
    caller: Party
    queue: str
    status: str


@dataclass(frozen=True, slots=True)
class AgentCalled:
    """AgentCalled: which member a leg is for."""

    when: When
    caller: Party
    dest: str
    member: Member


@dataclass(frozen=True, slots=True)
class AgentConnected:
    """AgentConnect."""

    when: When
    caller: str
    dest: str
    member: Member


@dataclass(frozen=True, slots=True)
class AgentDumped:
    """AgentDump: the agent hung up before being connected."""

    when: When
    caller: str
    dest: str


@dataclass(frozen=True, slots=True)
class AgentCompleted:
    """AgentComplete."""

    when: When
    caller: str


@dataclass(frozen=True, slots=True)
class MemberChanged:
    """QueueMemberStatus, QueueMemberAdded or QueueMemberPause."""

    when: When
    member: Member


@dataclass(frozen=True, slots=True)
class MemberRemoved:
    """QueueMemberRemoved."""

    when: When
    member: Member


@dataclass(frozen=True, slots=True)
class Waiting:
    """A caller in a queue, of a snapshot; `waited_ms` is Asterisk's, in whole seconds."""

    caller: Party
    queue: str
    waited_ms: int


@dataclass(frozen=True, slots=True)
class QueuesSeen:
    """A snapshot: every channel, every member, every caller who waits. Asked for at `asked_ms` of our own clock."""

    when: When
    asked_ms: int
    uniqueids: frozenset[str]
    members: tuple[Member, ...]
    waiting: tuple[Waiting, ...]


@dataclass(frozen=True, slots=True)
class StaysLeftOpen:
    """Stays that an earlier life of the daemon has not seen the end of, by when they began."""

    stays: tuple[Stay, ...]


Fact = (
    ChannelBegan
    | ChannelRang
    | ChannelUp
    | HangupRequested
    | ChannelEnded
    | DialBegan
    | DialProgressed
    | DialEnded
    | BridgeEntered
    | BridgeLeft
    | PickedUp
    | Transferred
    | CallerJoined
    | CallerAbandoned
    | CallerLeft
    | QueueStatusReported
    | AgentCalled
    | AgentConnected
    | AgentDumped
    | AgentCompleted
    | MemberChanged
    | MemberRemoved
    | QueuesSeen
    | StaysLeftOpen
)
