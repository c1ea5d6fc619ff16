"""Legs, offers, stays and talks while they last."""

from dataclasses import dataclass, field

from callflow.core.rings.channels import Channel
from callflow.core.rings.records import LegEnd, Outcome, RingSource, TargetType, Timing


@dataclass(slots=True, eq=False)
class Live:
    """What every record under way has: revision, marks, and when it is due to be ended."""

    call_id: str = ""
    revision: int = 0
    partial: bool = False
    marks: set[str] = field(default_factory=set)
    stamped: bool = True
    due_at: int | None = None
    """By our own clock; what is due is ended, come what may."""
    final: bool = False

    @property
    def timing(self) -> Timing:
        return Timing.STAMPED if self.stamped else Timing.ARRIVAL


@dataclass(slots=True, eq=False)
class LiveLeg(Live):
    """One phone dialled. `root` is the channel that was dialled, `phones` what rings behind it when it is Local."""

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
    answered: bool = False
    """DialEnd ANSWER."""
    connect_ms: int | None = None
    dumped: bool = False
    end: LegEnd | None = None
    offset_ms: int = 0
    channels: list[str] = field(default_factory=list)
    """Uniqueids of all that belongs to it."""
    pairs: list[str] = field(default_factory=list)
    """Names of its Local channels, without ;1 and ;2."""

    @property
    def ringers(self) -> list[Channel]:
        """What can ring and be picked up: the phones, or the dialled channel itself where none is behind it."""
        return self.phones or [self.root]

    def ring_start(self) -> tuple[int, RingSource] | None:
        """When it began to ring and what told so, from its phones alone."""
        rang = [(c.rang_at, c.ring_source) for c in self.ringers if c.rang_at is not None and c.ring_source is not None]
        if rang:
            at_ms, source = min(rang)
            return at_ms - self.offset_ms, source
        progress = [c.progress_at for c in self.ringers if c.progress_at is not None]
        return (min(progress), RingSource.PROGRESS) if progress else None

    def pickup_ms(self) -> int | None:
        """First Up of a phone; DialEnd ANSWER, milliseconds later, where that was never told."""
        answered = self.ended_ms if self.answered else None
        return min((c.up_at for c in self.ringers if c.up_at is not None), default=answered)

    def dialled_ms(self) -> int:
        """DialBegin of the phone that was picked up, or of the leg."""
        ups = [c for c in self.ringers if c.up_at is not None and c.dialled_at is not None]
        return min((c.dialled_at for c in ups if c.dialled_at is not None), default=self.began_ms)


@dataclass(slots=True, eq=False)
class LiveOffer(Live):
    """One attempt to hand a caller to a target."""

    offer_id: str = ""
    caller: Channel = field(default_factory=lambda: Channel(""))
    stay: "LiveStay | None" = None
    target_type: TargetType = TargetType.LINE
    target: str = ""
    cadence: str = ""
    began_ms: int = 0
    legs: list[LiveLeg] = field(default_factory=list)
    forwarding: bool = False
    broken: bool = False
    """The link was lost meanwhile: what comes now is another offer."""
    winner: LiveLeg | None = None
    picker: Channel | None = None
    picked_leg: LiveLeg | None = None
    picked_at: int | None = None
    picked_by: str = ""
    """Work number of a colleague who took the call."""
    connect_ms: int | None = None
    ended_ms: int | None = None

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
class Talk(Live):
    """A caller and who answered, from the bridge on; of a stay or of a direct line."""

    caller: Channel = field(default_factory=lambda: Channel(""))
    answerers: list[Channel] = field(default_factory=list)
    stay: "LiveStay | None" = None
    line: str = ""
    ended_at: int | None = None
    """What ended it first; BridgeLeave may have been before."""


@dataclass(slots=True, eq=False)
class LiveStay(Live):
    """One caller's time in one queue."""

    entry_id: str = ""
    caller: Channel = field(default_factory=lambda: Channel(""))
    queue: str = ""
    raw_queue: str = ""
    joined_ms: int = 0
    left_ms: int | None = None
    offers: list[LiveOffer] = field(default_factory=list)
    offers_before: int = 0
    """Made in an earlier life of the daemon."""
    abandoned: bool = False
    """QueueCallerAbandon was seen."""
    queue_status: str = ""
    """QUEUESTATUS, as the dialplan told it."""
    connect_ms: int | None = None
    agent_connect_ms: int | None = None
    agent: str = ""
    talk: Talk | None = None
    talk_end_ms: int | None = None
    outcome: Outcome | None = None
    empty_at_leave: bool = False
    unseen: bool = False
    """The link was lost, and nobody has seen since that the caller still waits."""

    @property
    def answered(self) -> bool:
        return self.connect_ms is not None or self.agent_connect_ms is not None
