"""The JSON shapes of the API. Moments are epoch milliseconds, durations end in _ms, levels in _dbov."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from callflow.web.tokens import Role


def _number(value: Any) -> Any:
    """JSON's numbers alone: pydantic takes `false` for 0 and "90" for 90."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("input should be a whole number")
    return value


WholeNumber = Annotated[int, BeforeValidator(_number)]


class Shape(BaseModel):
    """Every answer: unknown fields are refused where the API takes one in."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Problem(Shape):
    """Why a request was not served, and what to do."""

    problem: str
    remedy: str = ""
    is_away: bool = False
    """The database is away, and may come back by itself: ask again."""


class SignIn(Shape):
    """The secret of a token, as `callflow web token` printed it."""

    token: Annotated[str, Field(min_length=1, max_length=200)]


class Me(Shape):
    """Who is signed in, and what they may do."""

    name: str
    role: Role
    queues: list[str] = Field(description="Only these queues; empty for all.")
    agent: str = Field(description="Work number whose data this is limited to; empty for none.")
    may_unmask: bool = Field(description="May open a call to see the caller's whole number.")
    live: bool = Field(description="False where the page shows a database alone.")
    fleet: bool = Field(description="The page shows the database of a fleet.")
    may_change: bool = Field(description="May take steps here; nobody may where the page shows a database alone.")
    may_administer: bool = Field(description="May see and change tokens, and see the audit trail and the settings.")


class TokenShown(Shape):
    """A token, without its secret."""

    id: str
    name: str
    role: Role
    queues: list[str] = Field(description="Only these queues; empty for all.")
    agent: str = Field(description="Work number whose data this is limited to; empty for none.")
    created_ms: int
    expires_ms: int | None = Field(description="None: never.")


class TokenWanted(Shape):
    """A token to be created."""

    name: Annotated[str, Field(min_length=1, max_length=64, description="Who or what it is for.")]
    role: Role = Role.VIEWER
    days: Annotated[WholeNumber, Field(ge=0, le=3650, description="Days until it expires; 0 for never.")] = 90
    queues: Annotated[list[Annotated[str, Field(min_length=1, max_length=128)]], Field(max_length=100)] = []
    agent: Annotated[str, Field(max_length=64, description="Work number; with the role agent alone.")] = ""


class TokenMade(Shape):
    """A new token; the secret is shown this once."""

    token: TokenShown
    secret: str


class AuditEntry(Shape):
    """One line of the audit trail."""

    at_ms: int
    who: str
    role: str
    token: str = Field(description="Id of the token; empty for the command line.")
    action: str
    what: dict[str, Any] = Field(description="What it was done to.")


class AuditTrail(Shape):
    """Entries, the newest first."""

    entries: list[AuditEntry]
    next: int | None = Field(description="`before` of the next page; None on the last.")


class Setting(Shape):
    """A setting with the value in force; a secret is only said to be set."""

    name: str
    value: str
    default: str
    meaning: str


class Live(Shape):
    """Everything that is shown live, by key: `queue/NAME`, `agent/NUMBER`, `line/NAME`, `call/ID`, `health`."""

    at_ms: int
    state: dict[str, dict[str, Any]]


class CallRow(Shape):
    """One screened call in a list; the fields are those of `callflow calls --json`."""

    call_id: str
    node: str
    caller_number: str = Field(description="Masked, unless a supervisor opens the call with `unmask`.")
    caller_name: str
    dialled: str
    profile: str
    mode: str
    arrived_ms: int
    ended_ms: int | None
    result: str | None = Field(description="None while the call lasts.")
    would: str | None = Field(description="What observe mode would have done.")
    heard: str | None
    level_dbov: float | None
    gain_db: float
    rung: int
    ear: str
    language: str
    interrupted: bool


class CallPage(Shape):
    """A page of calls, the newest first."""

    calls: list[CallRow]
    next: str | None = Field(description="`cursor` of the next page; None on the last.")


class Happening(Shape):
    """One thing that happened in a call."""

    seq: int
    at_ms: int
    kind: str
    what: str
    why: str


class LegShape(Shape):
    """A phone that rang for the caller."""

    interface: str
    agent: str
    queue: str
    began_ms: int
    ring_start_ms: int | None
    pickup_ms: int | None
    ended_ms: int | None
    end: str | None
    rings: int | None
    answer_class: str | None


class OfferShape(Shape):
    """One attempt to hand the caller to a queue's members or to a direct line."""

    offer_id: str
    target_type: str
    target: str
    agent: str
    began_ms: int
    ring_start_ms: int | None
    pickup_ms: int | None
    ended_ms: int | None
    rings: int | None
    answer_class: str | None


class StayShape(Shape):
    """The caller's time in one queue."""

    queue: str
    joined_ms: int
    left_ms: int | None
    outcome: str | None
    agent: str
    connect_ms: int | None
    talk_end_ms: int | None


class TalkShape(Shape):
    """The caller and one agent, with the agent's holds: how many, how long together, the longest."""

    talk_id: str
    agent: str
    queue: str
    line: str
    originated: bool
    began_ms: int
    ended_ms: int | None
    talk_ms: int | None
    hold_count: int
    hold_ms: int
    longest_hold_ms: int
    partial: bool


class HoldShape(Shape):
    """One time in which one party of a talk had put the other on hold."""

    hold_id: str
    talk_id: str
    held_by: str
    began_ms: int
    ended_ms: int | None
    hold_ms: int | None
    partial: bool


class TransferShape(Shape):
    """An agent has handed the caller over."""

    transfer_id: str
    agent: str
    queue: str
    line: str
    kind: str
    target: str = Field(description="Work number of who was consulted, or the extension; empty where neither is known.")
    at_ms: int


class WrapUpShape(Shape):
    """The time after a talk in which the agent writes it up."""

    wrap_up_id: str
    agent: str
    queue: str
    outcome: str
    asked_ms: int
    began_ms: int | None
    ended_ms: int | None
    wrap_up_ms: int | None
    ended_by: str | None


class AssistShape(Shape):
    """One step of assistance in a talk."""

    step_id: str
    talk_id: str
    seq: int
    agent: str
    mode: str
    at_ms: int
    kind: str
    what: str
    outcome: str
    why: str
    lasted_ms: int | None


class CallDetail(CallRow):
    """One call with everything that is known of it; the fields are those of `callflow calls show --json`."""

    happenings: list[Happening]
    stays: list[StayShape]
    offers: list[OfferShape]
    legs: list[LegShape]
    talks: list[TalkShape]
    holds: list[HoldShape]
    transfers: list[TransferShape]
    wrap_ups: list[WrapUpShape]
    assist_steps: list[AssistShape]


class Bar(Shape):
    """Calls answered after so many whole rings, of one class."""

    rings: int
    answer_class: str
    count: int


class RingsReport(Shape):
    """How many rings it took, over a period."""

    since_ms: int
    until_ms: int
    bars: list[Bar]
    most_rings: int = Field(description="The last bar holds all longer ones.")
    names: list[str] = Field(description="Queues and agents that can be chosen: `queue/NAME`, `agent/NUMBER`.")


class SilenceDay(Shape):
    """One day of screening."""

    day_ms: int
    screened: int
    silent: int
    quiet: int
    rescued: int


class Observed(Shape):
    """What observe mode would have done for one profile."""

    profile: str
    observed: int
    would_hang_up: int
    false_hang_ups: int


class SilenceCount(Shape):
    """Callers of one cause or trunk on one day."""

    day_ms: int
    silent: int
    quiet: int
    rescued: int


class SilenceGroup(Shape):
    """Callers of one cause or trunk, over the period and day by day; days without any are left out."""

    name: str = Field(description="What was heard of them, empty where nothing was judged; or the trunk.")
    silent: int
    quiet: int
    rescued: int
    days: list[SilenceCount]


class SilenceReport(Shape):
    """Callers who could not be heard, over a period."""

    since_ms: int
    until_ms: int
    days: list[SilenceDay]
    by_heard: list[SilenceGroup] = Field(description="The 50 most frequent causes, the most frequent first.")
    by_trunk: list[SilenceGroup] = Field(description="The 50 trunks with most such callers.")
    observed: list[Observed]


class FleetNode(Shape):
    """One site of a fleet: its newest daemon; the fields are those of `callflow fleet --json`."""

    site: str
    node: str
    host: str
    version: str
    last_ms: int = Field(description="When it was last heard, by the collector's clock.")
    skew_ms: int | None = Field(description="How far its clock is ahead of the collector's.")
    lag_ms: int | None = Field(description="From its newest event to the arrival.")
    events: int
    gaps: int
    differs: tuple[str, ...] = Field(description="Sections of its settings that differ from those of most nodes.")
    wrong: tuple[str, ...] = Field(description="What is wrong, in sentences.")


class FleetNodes(Shape):
    """The nodes of a fleet."""

    nodes: list[FleetNode]
    unread_events: int = Field(description="Events that the collector's release cannot store.")
    now_ms: int
