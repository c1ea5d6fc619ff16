"""Scenario folders of tests/lab_rings: who rings where, what the agents' phones do, and what must be recorded."""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from callflow.core.rings.records import AnswerClass, LegEnd, Outcome, RingSource
from callflow.scenarios.behaviour import Strict
from callflow.scenarios.site import VERSIONS, Version
from callflow.scenarios.toml_file import read_toml

PHONES = "abc"
Name = Literal["a", "b", "c"]


class Phone(Strict):
    """An agent's phone: what it answers to an INVITE. Seconds count from it, `talk_s` from the answer."""

    does: Literal["answer", "ignore", "reject", "forward"] = "answer"
    ring_s: float = Field(2.0, description="From the INVITE to the 200, 486 or 302.")
    provisional: tuple[Literal[180, 183], ...] = Field((180,), description="Sent at once, in this order.")
    forward_to: Name | None = None
    talk_s: float = Field(20.0, description="From the answer to the phone's own BYE.")


class Act(Strict):
    """Something done by hand, seconds after the caller's INVITE."""

    at_s: float
    do: Literal["pickup", "blind", "attended", "hangup", "call", "withdraw", "key", "pause", "join"]
    phone: Name = "a"
    to: str = Field("", description="Phone or extension a call is transferred to.")


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
    legs: int = 1
    picked_up: bool = False


class Expected(Strict):
    """What must be recorded of one scenario's call."""

    outcome: Outcome | None = Field(None, description="Of the stay in the queue; none for a direct line.")
    agent: Name | tuple[Name, ...] | None = None
    stays: int = 1
    others: tuple[Outcome, ...] = Field((), description="Outcomes of other callers' stays in the same queue.")
    marks: tuple[str, ...] = ()
    offers: tuple[OfferExpected, ...] = ()
    legs: tuple[LegExpected, ...] = ()


class Scenario(Strict):
    """One caller and the phones that ring for them; the folder's name is its name."""

    name: str
    purpose: str = Field(min_length=10)
    phones: dict[Name, Phone] = Field({"a": Phone()}, description="Phones by letter.")
    queue: dict[str, Any] | None = Field(None, description="Lines of queues.conf; none: a direct line.")
    members: tuple[str, ...] = Field(("PJSIP/{a}",), description="Interfaces, {a} being a phone's number.")
    dialplan: tuple[str, ...] = Field((), description="What the caller runs, instead of the usual.")
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
