"""Records of ringing, queueing and talking: stays in a queue, offers, legs, talks, holds, and agents' intervals.

A *stay* is one caller's time in one queue. An *offer* is one attempt to hand a caller to a target: one round of a queue
(ring-all counts as one), or one Dial of a direct line. A *leg* is one phone dialled for an offer. A *talk* is a caller
and one agent who hear each other; a *hold* is the time in which one of them has put the other on hold. All times are
epoch milliseconds, all durations milliseconds. Every record belongs to the caller's first Uniqueid, `call_id`, and is
saved again, with a higher `revision`, whenever more is known.
"""

from dataclasses import dataclass
from enum import StrEnum


class Timing(StrEnum):
    """Where the times of a record come from; only `stamped` ones count for a standard."""

    STAMPED = "stamped"
    ARRIVAL = "arrival"


class RingSource(StrEnum):
    """Which event showed that the phone began to ring, best first."""

    RINGING = "ringing"
    DIAL_STATE = "dial_state"
    PROGRESS = "progress"
    DIAL_BEGIN = "dial_begin"


class AnswerClass(StrEnum):
    """How an offer or a leg was answered, in rings of the cadence (row P1)."""

    EARLY = "early"
    ACCEPTABLE = "acceptable"
    IDEAL = "ideal"
    LATE = "late"
    UNANSWERED = "unanswered"
    EXCLUDED = "excluded"
    """Auto-answer, or nothing rang: stored, but left out of every standard."""


class LegEnd(StrEnum):
    """How a leg ended."""

    ANSWERED = "answered"
    NO_ANSWER = "no_answer"
    REJECTED = "rejected"
    BUSY = "busy"
    FORWARDED = "forwarded"
    ELSEWHERE = "elsewhere"
    """Another leg of the offer, or a call pickup, took the caller."""
    ABANDONED = "abandoned"
    """The caller was gone first."""
    FAILED = "failed"
    UNKNOWN = "unknown"
    """Nobody was looking when it ended."""


class Outcome(StrEnum):
    """The outcome of a stay in a queue: a closed set, mutually exclusive."""

    ANSWERED = "answered"
    ABANDONED_QUEUE = "abandoned_queue"
    ABANDONED_RINGING = "abandoned_ringing"
    ABANDONED_POST_PICKUP = "abandoned_post_pickup"
    SHORT_ABANDON = "short_abandon"
    TIMEOUT = "timeout"
    LEAVE_EMPTY = "leave_empty"
    JOIN_EMPTY = "join_empty"
    FULL = "full"
    EXIT_KEY = "exit_key"
    WITHDRAWN = "withdrawn"
    REDIRECTED = "redirected"
    """Sent elsewhere from outside (AMI Redirect), neither by a time-out nor by the caller."""
    AGENT_DUMP_RETRY = "agent_dump_retry"


class TargetType(StrEnum):
    """What an offer was made to."""

    QUEUE = "queue"
    LINE = "line"


class AgentWork(StrEnum):
    """What an agent was doing in an interval."""

    AVAILABLE = "available"
    RINGING = "ringing"
    TALKING = "talking"
    CALLING = "calling"
    """On a call that Asterisk has placed for them, and not yet connected to the other party."""
    PAUSED = "paused"
    UNAVAILABLE = "unavailable"
    """Logged in, but the phone is not reachable."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One phone dialled for an offer; `leg_id` is DialBegin's DestUniqueid (of the ;1 where it is Local)."""

    leg_id: str
    offer_id: str
    call_id: str
    revision: int
    interface: str
    """As the dialplan or the queue names the phone: PJSIP/alice, Local/12@agents."""
    agent: str
    """Work number (member name without personal names); "" when no agent is known."""
    queue: str
    """"" for a direct line."""
    began_ms: int
    ring_start_ms: int | None
    ring_source: RingSource | None
    pickup_ms: int | None
    connect_ms: int | None
    ended_ms: int | None
    end: LegEnd | None
    ring_ms: int | None
    rings: int | None
    """Rings completed at pickup or end."""
    answer_class: AnswerClass | None
    auto_answer: bool
    timing: Timing
    partial: bool
    """Part of it happened while nobody was looking."""
    marks: tuple[str, ...] = ()
    """Anomalies of the events: `time_backwards`, `repeated_header`, ... a closed set of short names."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One attempt to hand a caller to a target; its clock is the group's: the first ring start of its legs."""

    offer_id: str
    call_id: str
    revision: int
    target_type: TargetType
    target: str
    """Name of the queue, or of the direct line (the dialled number or extension)."""
    agent: str
    """Who took it, by work number; "" when nobody did or nobody knows."""
    began_ms: int
    ring_start_ms: int | None
    ring_source: RingSource | None
    pickup_ms: int | None
    connect_ms: int | None
    ended_ms: int | None
    legs: int
    ring_ms: int | None
    rings: int | None
    answer_class: AnswerClass | None
    picked_up: bool
    """Call pickup: another phone than those dialled took it."""
    cadence: str
    """Name of the ring cadence that `rings` was counted with."""
    timing: Timing
    partial: bool
    marks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stay:
    """One caller's time in one queue; `entry_id` is unique, for a caller may join again."""

    entry_id: str
    call_id: str
    revision: int
    queue: str
    caller_number: str
    caller_name: str
    dialled: str
    trunk: str
    """Where the caller came in: PJSIP/carrier, or the span of an ISDN line, DAHDI/i1."""
    joined_ms: int
    left_ms: int | None
    outcome: Outcome | None
    wait_ms: int | None
    """The caller's clock: from joining to being connected, or to leaving."""
    offers: int
    agent: str
    """Work number of who was connected."""
    connect_ms: int | None
    talk_end_ms: int | None
    """End of the agent's talk: hang-up or BridgeLeave of a transfer."""
    talk_ms: int | None
    timing: Timing
    partial: bool
    marks: tuple[str, ...] = ()


class HeldBy(StrEnum):
    """Which of the two put the other on hold."""

    AGENT = "agent"
    CALLER = "caller"


@dataclass(frozen=True, slots=True)
class Talk:
    """A caller and one agent, from when they hear each other until the first of the two leaves.

    After a hand-over the next agent's talk with the caller is another one.
    """

    talk_id: str
    call_id: str
    revision: int
    agent: str
    """Work number; "" when no agent is known."""
    queue: str
    """"" where the caller did not come from a queue."""
    line: str
    """"" where no direct line was dialled."""
    originated: bool
    """Asterisk placed the call: the other party was called, and counts as the caller."""
    began_ms: int
    ended_ms: int | None
    talk_ms: int | None
    """From beginning to end, holds included."""
    hold_count: int
    """How often the agent put the caller on hold."""
    hold_ms: int
    """How long the caller was on hold, all these holds together; those in progress are added at their end."""
    longest_hold_ms: int
    partial: bool
    """Part of it happened while nobody was looking."""
    marks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hold:
    """One time in which one party of a talk had put the other on hold."""

    hold_id: str
    talk_id: str
    call_id: str
    revision: int
    agent: str
    queue: str
    line: str
    held_by: HeldBy
    began_ms: int
    ended_ms: int | None
    """When the party was taken back, or the talk ended."""
    hold_ms: int | None
    partial: bool
    marks: tuple[str, ...] = ()


class TransferKind(StrEnum):
    """How a caller was handed over."""

    BLIND = "blind"
    ATTENDED = "attended"


@dataclass(frozen=True, slots=True)
class Transfer:
    """An agent has transferred a caller; if the start of the talk was not seen, there is no record."""

    transfer_id: str
    call_id: str
    agent: str
    """Work number of who handed over."""
    queue: str
    line: str
    kind: TransferKind
    target: str
    """Work number of who was consulted, or the extension of a blind transfer; "" where neither is known."""
    at_ms: int


@dataclass(frozen=True, slots=True)
class AgentInterval:
    """What one agent was doing from `began_ms` to `ended_ms` (None while it lasts)."""

    agent: str
    began_ms: int
    ended_ms: int | None
    work: AgentWork
    reason: str = ""
    """Of a pause."""
    partial: bool = False


Measured = Leg | Offer | Stay | Talk | Hold | Transfer | AgentInterval
"""A record of the ring tracker."""
