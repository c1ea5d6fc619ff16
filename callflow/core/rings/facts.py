"""What Asterisk reports of channels, dialling, bridges and queues. Named tuples: one is made for every event."""

from typing import NamedTuple

from callflow.core.rings.records import Stay


class When(NamedTuple):
    """When something happened, epoch ms; `stamped`: by Asterisk itself; `anomalies`: what was wrong with the event."""

    at_ms: int
    stamped: bool = True
    anomalies: tuple[str, ...] = ()


class Party(NamedTuple):
    """A channel as an event shows it."""

    uniqueid: str
    channel: str = ""
    linkedid: str = ""
    number: str = ""
    name: str = ""
    exten: str = ""


class Member(NamedTuple):
    """A member of a queue, as Asterisk shows it; `status` is its device state, 0..8, -1 when it is not known."""

    queue: str
    interface: str
    name: str = ""
    status: int = -1
    paused: bool = False
    reason: str = ""


class ChannelBegan(NamedTuple):
    """Newchannel."""

    when: When
    party: Party


class ChannelRang(NamedTuple):
    """Newstate Ringing."""

    when: When
    party: Party


class ChannelUp(NamedTuple):
    """Newstate Up."""

    when: When
    party: Party


class HangupRequested(NamedTuple):
    """HangupRequest, from the far end; `soft`: SoftHangupRequest, from within Asterisk; `cause` as in ITU-T Q.850."""

    when: When
    uniqueid: str
    soft: bool
    cause: int = 0


class ChannelEnded(NamedTuple):
    """Hangup; `cause` as in ITU-T Q.850."""

    when: When
    uniqueid: str
    cause: int = 0


class DialBegan(NamedTuple):
    """DialBegin; `caller.uniqueid` is "" when Asterisk places the call."""

    when: When
    caller: Party
    dest: Party
    ringing: bool = False
    """The phone rings already: Newstate may come before DialBegin."""
    dial_string: str = ""
    """What was dialled, without the technology: 8012, or 13855550100@carrier."""


class DialProgressed(NamedTuple):
    """DialState: RINGING, PROGRESS or PROCEEDING."""

    when: When
    dest: Party
    status: str


class DialEnded(NamedTuple):
    """DialEnd; it may come more than once for a leg. `caller`: the channel that dials at this time."""

    when: When
    dest: Party
    status: str
    forward: str
    caller: Party | None = None


class BridgeEntered(NamedTuple):
    """BridgeEnter."""

    when: When
    party: Party
    bridge: str


class BridgeLeft(NamedTuple):
    """BridgeLeave."""

    when: When
    uniqueid: str
    bridge: str


class PickedUp(NamedTuple):
    """Pickup: `picker` takes the call that rings at `target`."""

    when: When
    picker: Party
    target: str


class Transferred(NamedTuple):
    """BlindTransfer or AttendedTransfer. `transferers` are the one or two channels of the phone that transfers.

    `transferee`: who is transferred; `target`: the party that the transferer consulted. Uniqueids, "" where not named.
    `exten`: where a blind transfer goes; `attended`: the two had spoken before, or were about to.
    """

    when: When
    transferers: tuple[str, ...]
    transferee: str = ""
    target: str = ""
    exten: str = ""
    attended: bool = False


class ChannelHeld(NamedTuple):
    """Hold: this phone has put the other party on hold; `held` is False for Unhold."""

    when: When
    uniqueid: str
    held: bool = True


class CallerJoined(NamedTuple):
    """QueueCallerJoin; `place` is where in the dialplan the caller is: context and extension."""

    when: When
    caller: Party
    queue: str
    place: str = ""


class CallerAbandoned(NamedTuple):
    """QueueCallerAbandon: the caller hung up, timed out or was removed; not when the caller leaves by a key."""

    when: When
    uniqueid: str
    queue: str
    place: str = ""


class CallerLeft(NamedTuple):
    """QueueCallerLeave."""

    when: When
    uniqueid: str
    queue: str
    place: str = ""


class QueueStatusReported(NamedTuple):
    """UserEvent CallflowQueue of the dialplan: QUEUESTATUS after Queue()."""

    when: When
    caller: Party
    queue: str
    status: str


class AgentCalled(NamedTuple):
    """AgentCalled: which member a leg is for."""

    when: When
    caller: Party
    dest: str
    member: Member


class AgentConnected(NamedTuple):
    """AgentConnect; `dest_channel` is the name of the channel that answered."""

    when: When
    caller: str
    dest: str
    member: Member
    dest_channel: str = ""


class AgentDumped(NamedTuple):
    """AgentDump: the agent hung up before being connected."""

    when: When
    caller: str
    dest: str


class AgentCompleted(NamedTuple):
    """AgentComplete; `dest` is the channel that had answered, "" where not named."""

    when: When
    caller: str
    dest: str = ""


class MemberChanged(NamedTuple):
    """QueueMemberStatus, QueueMemberAdded or QueueMemberPause."""

    when: When
    member: Member


class MemberRemoved(NamedTuple):
    """QueueMemberRemoved."""

    when: When
    member: Member


class ChannelSeen(NamedTuple):
    """A channel in a snapshot; `bridge` is "" outside a bridge."""

    party: Party
    bridge: str = ""
    up: bool = False
    application: str = ""
    """What it runs: Queue, Dial; AppQueue or AppDial if these have dialled it; "" for half of a consulting Local."""
    data: str = ""
    """The arguments of the application."""


class Waiting(NamedTuple):
    """A caller in a queue, in a snapshot; `waited_ms` is Asterisk's, in whole seconds."""

    caller: Party
    queue: str
    waited_ms: int


class SnapshotTaken(NamedTuple):
    """A snapshot: every channel, every member, every caller who waits. Asked for at `asked_ms` of our own clock.

    `uniqueids` are those of all channels; `channels` says more of those it names. `members` and `waiting` are None if
    Asterisk has not told of its queues.
    """

    when: When
    asked_ms: int
    uniqueids: frozenset[str]
    members: tuple[Member, ...] | None
    waiting: tuple[Waiting, ...] | None
    channels: tuple[ChannelSeen, ...] = ()


class StaysLeftOpen(NamedTuple):
    """Stays that were open when the daemon was last stopped, in the order they began."""

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
    | ChannelHeld
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
    | SnapshotTaken
    | StaysLeftOpen
)
