"""The JSON shapes of the call-back list; the fields are those of `callflow callbacks --json`."""

from typing import Annotated

from pydantic import Field

from callflow.web.models import Shape, WholeNumber


class CallbackRow(Shape):
    """One caller to be called back."""

    callback_id: str
    number: str = Field(description="Masked, unless it is opened with `unmask`.")
    day: str
    zone: str
    profile: str
    reasons: list[str] = Field(description="The first reason first.")
    queue: str
    place: int = Field(description="The place in `queue` that the caller keeps; 0 for none.")
    reference: str
    note: str
    state: str
    raised_ms: int
    due_ms: int
    attempts: int
    actor: str = Field(description="Who made the last step.")
    why: str
    wish: str = Field(description="Agent for whom the daemon is asked to place the call; empty for none.")
    changed_ms: int
    closed_ms: int | None
    spoken_name: str = Field(description="File of the name that the caller has said; empty for none.")


class ListedRow(CallbackRow):
    """An entry as a list shows it."""

    node: str = Field(description="On whose list it is.")


class CallbackPage(Shape):
    """Entries of the list."""

    callbacks: list[ListedRow]


class ChangeShape(Shape):
    """One step of an entry."""

    revision: int
    at_ms: int
    before: str
    state: str
    actor: str
    why: str


class AttemptShape(Shape):
    """One call placed for an entry."""

    attempt_id: str
    agent: str
    began_ms: int
    agent_ring_ms: int | None
    customer_ring_ms: int | None
    reached_ms: int | None
    ended_ms: int | None
    outcome: str | None
    cause: str


class CallbackDetail(CallbackRow):
    """One entry with its steps and calls, and what the visitor may do with it."""

    changes: list[ChangeShape]
    calls: list[AttemptShape]
    may: list[str] = Field(description="Steps that the visitor may take now.")
    may_dial: bool = Field(description="The visitor may have the call placed: POST .../dial.")
    may_unmask: bool
    answer: str = Field("", description="What the node of the entry has said to the step, on the page of a fleet.")


class ReasonFigures(Shape):
    """Entries of one reason, or of all."""

    raised: int
    reached: int
    given_up: int
    unknown: int
    open: int
    attempts: int
    median_s_to_reach: float | None
    longest_s_to_reach: float | None


class CallbackFigures(Shape):
    """Figures of a period, by the entries' first reason."""

    by_reason: dict[str, ReasonFigures]
    all: ReasonFigures
    outcomes: dict[str, int] = Field(description="Calls placed, by how they ended.")


class StepWanted(Shape):
    """What is said for those who read it later."""

    why: Annotated[str, Field(max_length=500)] = ""


class DialWanted(Shape):
    """For whom the call is placed."""

    agent: Annotated[str, Field(max_length=128, pattern=r"^(\w+/)?[^/@\x00-\x1f\x7f]*$")] = Field(
        "",
        description="Work number, or the agent's phone: PJSIP/8012; no number through a trunk. "
        "Agents leave it out: it is their own.",
    )


class CallbackWanted(Shape):
    """A caller to be called back."""

    number: Annotated[str, Field(min_length=1, max_length=64)]
    profile: Annotated[str, Field(max_length=64)] = "default"
    due_ms: Annotated[WholeNumber | None, Field(ge=0, le=2**53, description="Epoch ms; left out: now.")] = None
    zone: Annotated[str, Field(max_length=64, description="IANA zone of the caller; empty: the profile's.")] = ""
    note: Annotated[str, Field(max_length=500, description="What the call is about, for the agent.")] = ""
