"""Legs, offers, stays and talks in progress."""

from dataclasses import dataclass, field
from enum import Enum, auto

from callflow.core.rings.channels import Channel
from callflow.core.rings.records import LegEnd, Outcome, RingSource, TargetType, Timing
from callflow.core.rings.talk_events import TalkParties


@dataclass(slots=True, eq=False)
class Live:
    """The common part of every record in progress: its call, revision and marks."""

    call_id: str = ""
    revision: int = 0
    partial: bool = False
    marks: set[str] = field(default_factory=set)
    stamped: bool = True
    final: bool = False

    @property
    def timing(self) -> Timing:
        return Timing.STAMPED if self.stamped else Timing.ARRIVAL


class Purpose(Enum):
    """Why a phone is dialled. Only an offer to a caller makes records."""

    CALLER = auto()
    CONSULTATION = auto()
    """An agent calls a colleague, or a Local channel dials whose own DialBegin was not seen; may be transferred."""
    UNCERTAIN = auto()
    """The channel belongs to what is in a talk, and may be a phone (a consultation), or a trunk (a caller)."""
    ORIGINATED = auto()
    """Asterisk has placed the call."""


@dataclass(slots=True, eq=False)
class LiveLeg(Live):
    """One phone dialled. `root` is the channel that was dialled, `phones` the ones behind it if it is Local."""

    leg_id: str = ""
    offer: "LiveOffer | None" = None
    root: Channel = field(default_factory=lambda: Channel(""))
    phones: list[Channel] = field(default_factory=list)
    interface: str = ""
    agent: str = ""
    queue: str = ""
    began_ms: int = 0
    ended_ms: int | None = None
    status: str = ""
    """Of the first DialEnd; "" when it ended without one."""
    lost: bool = False
    """Its channel was gone when a snapshot was taken."""
    forwarded: bool = False
    handed_on: bool = False
    """A phone behind its Local channel has transferred the caller: what this channel dials now is another offer."""
    answered: bool = False
    """DialEnd ANSWER."""
    declined: bool = False
    """A phone was picked up, but nobody accepted the call."""
    connect_ms: int | None = None
    dumped: bool = False
    end: LegEnd | None = None
    offset_ms: int = 0
    channels: list[str] = field(default_factory=list)
    """Uniqueids of all channels that belong to it."""
    pairs: list[str] = field(default_factory=list)
    """Names of its Local channels, without ;1 and ;2."""

    @property
    def ringers(self) -> list[Channel]:
        """What can ring and be picked up: the phones, or the dialled channel itself if no phone is behind it."""
        return self.phones or [self.root]

    def ring_start(self) -> tuple[int, RingSource] | None:
        """When its phones began to ring, and which event showed it."""
        rang = [(c.rang_at, c.ring_source) for c in self.ringers if c.rang_at is not None and c.ring_source is not None]
        if rang:
            at_ms, source = min(rang)
            return at_ms - self.offset_ms, source
        progress = [c.progress_at for c in self.ringers if c.progress_at is not None]
        return (min(progress), RingSource.PROGRESS) if progress else None

    def up_ms(self) -> int | None:
        """First Up of a phone."""
        return min((c.up_at for c in self.ringers if c.up_at is not None), default=None)

    def pickup_ms(self) -> int | None:
        """First Up of a phone; if that was not seen, DialEnd ANSWER, milliseconds later; None if nobody accepted."""
        if self.declined:
            return None
        up_ms = self.up_ms()
        return up_ms if up_ms is not None or not self.answered else self.ended_ms

    def dialled_ms(self) -> int:
        """DialBegin of the phone that was picked up, or of the leg."""
        ups = [c for c in self.ringers if c.up_at is not None and c.dialled_at is not None]
        return min((c.dialled_at for c in ups if c.dialled_at is not None), default=self.began_ms)


@dataclass(slots=True, eq=False)
class LiveOffer(Live):
    """One attempt to connect a caller to a target."""

    offer_id: str = ""
    purpose: Purpose = Purpose.CALLER
    caller: Channel = field(default_factory=lambda: Channel(""))
    stay: "LiveStay | None" = None
    target_type: TargetType = TargetType.LINE
    target: str = ""
    cadence: str = ""
    began_ms: int = 0
    legs: list[LiveLeg] = field(default_factory=list)
    forwarding: bool = False
    broken: bool = False
    """The link was lost: a further leg belongs to another offer."""
    winner: LiveLeg | None = None
    picker: Channel | None = None
    picked_leg: LiveLeg | None = None
    picked_at: int | None = None
    picked_by: str = ""
    """Work number of a colleague who took the call."""
    connect_ms: int | None = None
    ended_ms: int | None = None
    moved_from: str = ""
    """Uniqueid of the agent's channel that began this, before the caller was transferred."""

    @property
    def open(self) -> bool:
        """A further leg would belong to this offer."""
        return (
            not self.final and not self.broken and (self.forwarding or any(leg.ended_ms is None for leg in self.legs))
        )

    @property
    def taken(self) -> bool:
        """Somebody picked up."""
        return self.winner is not None or self.picker is not None


@dataclass(slots=True, eq=False)
class LiveTalk(Live):
    """A caller and the agent who answered, from the bridge on. `caller` is the channel that dialled or waited."""

    caller: Channel = field(default_factory=lambda: Channel(""))
    answerers: list[Channel] = field(default_factory=list)
    purpose: Purpose = Purpose.CALLER
    stay: "LiveStay | None" = None
    agent: str = ""
    line: str = ""
    queue: str = ""
    """Of a talk without a stay: the queue that a snapshot has named."""
    parties: TalkParties | None = None
    """As reported, also after the end; None for a consultation, and before the report."""
    under_way: bool = False
    """Its beginning has been reported, and its end has not."""
    handed_over: bool = False
    """Its agent has transferred the caller."""
    doubted_at: int | None = None
    """When a Local channel between the two ended and no common bridge was seen: the talk is over, or goes on without
    it."""
    held_by: set[str] = field(default_factory=set)
    """Uniqueids of the phones that have put the other on hold."""
    uniqueids: list[str] = field(default_factory=list)
    """Those that OpenTalks finds it by."""
    ended_at: int | None = None
    """The time of the event that ended it; BridgeLeave may have been earlier."""

    @property
    def channels(self) -> list[Channel]:
        return [self.caller, *self.answerers]

    def end_ms(self) -> int | None:
        """When the first of the two left the bridge for good; if unknown, `ended_at`."""
        left = [c.left_bridge_at for c in self.channels if not c.bridge and c.left_bridge_at is not None]
        return min(left, default=self.ended_at)


@dataclass(slots=True, eq=False)
class LiveStay(Live):
    """One caller's time in one queue."""

    entry_id: str = ""
    caller: Channel = field(default_factory=lambda: Channel(""))
    party: Channel = field(default_factory=lambda: Channel(""))
    """Who waits: the caller, also if a Local channel runs Queue for them."""
    queue: str = ""
    raw_queue: str = ""
    place: str = ""
    """Where in the dialplan the caller was on joining: context and extension."""
    joined_ms: int = 0
    left_ms: int | None = None
    offers: list[LiveOffer] = field(default_factory=list)
    offers_before: int = 0
    """Offers made before a restart of the daemon."""
    abandoned: bool = False
    """QueueCallerAbandon was seen."""
    moved: bool = False
    """On leaving, the caller was at another place of the dialplan than on joining."""
    queue_status: str = ""
    """QUEUESTATUS, as the dialplan reported it."""
    connect_ms: int | None = None
    agent_connect_ms: int | None = None
    agent: str = ""
    talk: LiveTalk | None = None
    talk_end_ms: int | None = None
    outcome: Outcome | None = None
    empty_at_leave: bool = False
    unseen: bool = False
    """The link was lost, and no snapshot has shown since that the caller still waits."""

    @property
    def answered(self) -> bool:
        return self.connect_ms is not None or self.agent_connect_ms is not None
