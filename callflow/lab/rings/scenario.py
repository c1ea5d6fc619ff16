"""Scenario folders of tests/lab_rings: who rings where, what the agents' phones do, and what must be recorded."""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from callflow.core.rings.records import AnswerClass, LegEnd, Outcome, RingSource
from callflow.scenarios.behaviour import Strict
from callflow.scenarios.site import VERSIONS, Version
from callflow.scenarios.toml_file import read_toml

Name = Literal["a", "b", "c"]
Party = Literal["a", "b", "c", "caller"]


class Phone(Strict):
    """What an agent's phone does with a call that comes in. Seconds count from the INVITE, `talk_s` from the answer."""

    does: Literal["answer", "ignore", "reject", "forward"] = "answer"
    waits_s: float = Field(0.0, description="From the INVITE to the first provisional response.")
    provisional: tuple[Literal[180, 183], ...] = Field((180,), description="Sent at once, in this order.")
    ring_s: float = Field(2.0, description="From the INVITE to the 200, 486 or 302.")
    forward_to: Name | None = None
    talk_s: float = Field(20.0, description="From the answer to the phone's own BYE.")


class Act(Strict):
    """Something done at a moment: by a phone over SIP or RTP, or by an operator over AMI.

    By a phone: `call` (a new call), `pickup` (*8), `press` (keys), `refer` (blind transfer of its first call),
    `refer_replaces` (its first call and its last are connected with each other), `hold`, `resume`, `hang_up` (its last
    call). `join`: another caller joins the queue. By AMI: `blind`, `attended`, `hangup` (the phone's newest channel),
    `redirect` (the caller's channel), `withdraw`, `pause`, `originate`.
    """

    at_s: float = Field(description="Seconds after the caller's INVITE.")
    do: Literal[
        "call", "pickup", "press", "refer", "refer_replaces", "hold", "resume", "hang_up", "join",
        "blind", "attended", "hangup", "redirect", "withdraw", "pause", "originate",
    ]  # fmt: skip
    phone: Party = "a"
    to: str = Field("", description="Phone or extension, or the channel to originate; {a}, {second}, ... are numbers.")
    keys: str = Field("", description="For `press`: keys; a comma is half a second without one.")
    exten: str = Field("", description="For `originate`: what the channel runs in the agents' context.")
    for_s: float = Field(5.0, description="For `call`, `pickup` and `join`: hangs up so long after the answer.")


class LegExpected(Strict):
    """What must be recorded of one leg."""

    phone: Name
    end: LegEnd | tuple[LegEnd, ...]
    source: RingSource | Literal["none"] = Field(RingSource.RINGING, description="`none`: it never rang.")
    answer_class: AnswerClass | tuple[AnswerClass, ...] = AnswerClass.UNANSWERED
    marks: tuple[str, ...] = ()


class OfferExpected(Strict):
    """What must be recorded of one offer: its class, and who took it."""

    answer_class: AnswerClass
    agent: Name | tuple[Name, ...] | None = None
    target: str = Field("", description="`queue`, `second`, or the letter of a line; not judged if left out.")
    legs: int = 1
    picked_up: bool = False


class StayExpected(Strict):
    """What must be recorded of the stay in the second queue."""

    outcome: Outcome
    agent: Name | None = None
    marks: tuple[str, ...] = ()


class Expected(Strict):
    """What must be recorded of one scenario's call."""

    outcome: Outcome | None = Field(None, description="Of the stay in the queue; none for a direct line.")
    agent: Name | tuple[Name, ...] | None = None
    stays: int = 1
    others: tuple[Outcome, ...] = Field((), description="Outcomes of other callers' stays in the same queue.")
    marks: tuple[str, ...] = ()
    may_be_guessed: bool = Field(False, description="`outcome_guessed` may be the only mark: Asterisk 16 tells less.")
    offers: tuple[OfferExpected, ...] = ()
    legs: tuple[LegExpected, ...] = ()
    second: StayExpected | None = Field(None, description="The stay in the queue that `second_members` make.")
    hears: tuple[Name, ...] = Field((), description="Whose voices the caller hears, in this order; needs `sound`.")
    holds_s: tuple[float, ...] | None = Field(
        None, description="How long the agents had the caller on hold, each time; none: not judged."
    )
    others_offers: int = Field(0, description="Offers to these phones that belong to other calls than the caller's.")


class Scenario(Strict):
    """One caller and the phones that ring for them; the folder's name is its name."""

    name: str
    purpose: str = Field(min_length=10)
    phones: dict[Name, Phone] = Field({"a": Phone()}, description="Phones by letter.")
    queue: dict[str, Any] | None = Field(None, description="Lines of queues.conf; none: a direct line.")
    members: tuple[str, ...] = Field(("PJSIP/{a}",), description="Interfaces, {a} being a phone's number.")
    second_members: tuple[str, ...] = Field((), description="Interfaces of a second queue, dialled as {second}.")
    dialplan: tuple[str, ...] = Field((), description="What the caller runs, instead of the usual.")
    calls: bool = Field(True, description="There is a caller; False where AMI originates the call.")
    sound: bool = Field(False, description="Every phone sends a sine of its own.")
    leaves_s: float = Field(30.0, description="Seconds from the answer to the caller's BYE.")
    cancels: bool = Field(False, description="The caller gives up before any answer (CANCEL).")
    acts: tuple[Act, ...] = ()
    cadence: str = "cn"
    asterisk: tuple[Version, ...] = Field(VERSIONS, description="Versions that can do it.")
    expect: Expected


def read_ring_scenarios(folder: Path, names: tuple[str, ...] = ()) -> list[Scenario]:
    """Every scenario below a folder, or those of these names. Raises ScenarioInvalid."""
    found = sorted(path.parent for path in folder.glob("*/scenario.toml"))
    return [
        read_toml(path / "scenario.toml", Scenario, name=path.name) for path in found if not names or path.name in names
    ]
