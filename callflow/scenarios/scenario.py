"""Scenario files: who calls, when, what they do, what the agents do, and what is expected.

A file is TOML; docs/simulator.md explains every key. `read_scenario` refuses what is wrong with file, line and remedy.
"""

import os
import re
from datetime import time
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from callflow.core.section import Name
from callflow.scenarios.aftercare import CommandRun, ExpectedCallback
from callflow.scenarios.behaviour import Expected, Media, Route, Strict, TimedAction
from callflow.scenarios.errors import ScenarioInvalid
from callflow.scenarios.faults import Fault
from callflow.scenarios.phones import PhoneGroup
from callflow.scenarios.toml_file import read_toml

LIBRARY = Path(__file__).parent / "library"
RING_CADENCE_S = 5.0  # China, Germany, Italy, Russia, Taiwan: one ring and its rest
_RANGE = re.compile(r"(\+?)(\d{1,15})-\+?(\d{1,15})")


def _listed(value: Any) -> Any:
    """One of a kind may be written without brackets."""
    return value if isinstance(value, list | tuple) else [value]


Moment = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Rate = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class AgentGroup(Strict):
    """How agents' phones behave when a call is offered."""

    does: Literal["answer", "ignore", "reject", "forward", "hold"] = Field(
        "answer", description="`hold`: answer, and put the caller on hold once."
    )
    rings: float | None = Field(None, ge=0, le=60, description="Rings (cadences of 5 s) before they answer.")
    ring_s: float | None = Field(None, ge=0, le=300, description="The same in seconds; 0.5 if neither is given.")
    talk_s: float = Field(1.5, ge=0, description="Seconds from the answer to the agent's hang-up; may be inf.")
    forward_to: str = Field("1999", pattern=r"^\d{1,15}$", description="Where `forward` sends the caller.")
    hold_after_s: float = Field(0.5, ge=0, description="Seconds from the answer to the hold.")
    hold_s: float = Field(0.5, gt=0, description="Seconds on hold.")

    @model_validator(mode="after")
    def _one_time(self) -> Self:
        if self.rings is not None and self.ring_s is not None:
            raise ValueError("rings and ring_s say the same thing: keep one of them")
        return self

    @property
    def rings_for_s(self) -> float:
        """Seconds of ringing before the answer, the refusal or the forward."""
        if self.rings is not None:
            return self.rings * RING_CADENCE_S
        return 0.5 if self.ring_s is None else self.ring_s


class CallerGroup(Strict):
    """Callers who do the same; exactly one of at_s, rate_per_s and per_hour says when."""

    name: str = Field(pattern=r"^[A-Za-z0-9._-]{1,64}$", description="Name of the group in tables and reports.")
    about: str = Field("", max_length=60, description="Who they are, in a few words, for the live view.")
    at_s: Annotated[tuple[Moment, ...], BeforeValidator(_listed)] | None = Field(
        None, min_length=1, description="Seconds at which they call."
    )
    rate_per_s: float | None = Field(
        None, gt=0, le=10_000, allow_inf_nan=False, description="Calls per second, at random moments (Poisson)."
    )
    per_hour: tuple[Rate, ...] | None = Field(
        None, min_length=24, max_length=24, description="Calls in each hour of the day, from midnight."
    )
    day_starts_at: time = Field(time(0), description='Time of day at second 0, "08:00"; goes with per_hour.')
    calls: int | None = Field(None, ge=1, description="No more calls than this.")
    number: str = Field("1001", description='Caller\'s number; "1001-1099": taken in turn; "" withheld.')
    caller_name: str = Field("", max_length=80, description="Caller's name; may be any language's.")
    language: Name = Field("zh", description="Language of the channel.")
    profile: Name = Field("support", description="Profile named in the dialplan.")
    trunk: Name = Field("caller", description="SIP endpoint they come in by.")
    route: Route = Field("dial", description="After the screening; `deaf`: to a daemon that is not there.")
    dials: str = Field("", description="Instead of the screening: an extension of from-lab, in a dialplan of its own.")
    media: Media = Field("silence", description="What the phone sends before and between the sounds.")
    stays_s: float | None = Field(
        None, gt=0, description="Hangs up after so long; inf: never; else 6 s after a silent caller's end."
    )
    does: tuple[TimedAction, ...] = Field(
        (), description="What they do, in any order; nothing at all: a silent caller."
    )
    expect: Expected = Field(Expected(), description="What is expected of each of these calls.")

    @property
    def entry(self) -> str:
        """What they dial."""
        return self.dials or f"{self.route}_{self.language}_{self.profile}"

    @property
    def numbers(self) -> tuple[str, ...] | range:
        """The one number, or the digits of those taken in turn."""
        found = _RANGE.fullmatch(self.number)
        return range(int(found[2]), int(found[3]) + 1) if found else (self.number,)

    def number_of(self, turn: int) -> str:
        """The number of the group's call `turn`, counted from 0."""
        numbers = self.numbers
        chosen = numbers[turn % len(numbers)]
        if isinstance(chosen, str):
            return chosen
        found = _RANGE.fullmatch(self.number)
        return f"{found[1]}{chosen:0{len(found[2])}d}" if found else str(chosen)

    @field_validator("number")
    @classmethod
    def _is_number(cls, number: str) -> str:
        if not re.fullmatch(r"(\+?\d{1,15})?", number) and not _RANGE.fullmatch(number):
            raise ValueError('a number is digits like "1001", or a range like "1001-1099"')
        if (found := _RANGE.fullmatch(number)) and int(found[2]) > int(found[3]):
            raise ValueError("the range of numbers runs backwards")
        return number

    @field_validator("caller_name")
    @classmethod
    def _is_name(cls, name: str) -> str:
        if not all(letter.isprintable() and letter not in '"<>[]\\' for letter in name):
            raise ValueError('a name has no control characters and none of " < > [ ] \\')
        return name

    @model_validator(mode="after")
    def _one_when(self) -> Self:
        given = [name for name in ("at_s", "rate_per_s", "per_hour") if getattr(self, name) is not None]
        if len(given) != 1:
            said = "none is there" if not given else f"{' and '.join(given)} are there"
            raise ValueError(f"exactly one of at_s, rate_per_s and per_hour says when they call; {said}")
        if "day_starts_at" in self.model_fields_set and self.per_hour is None:
            raise ValueError("day_starts_at goes with per_hour")
        if self.per_hour is not None and not any(self.per_hour):
            raise ValueError("per_hour has no call in it")
        if not self.dials and any(action.on_prompt for action in self.does):
            raise ValueError('on_prompt goes with `dials`; the prompts of a screening are moments: at = "greeting+0.5"')
        return self


class Scenario(Strict):
    """A whole file; `name` is the file's."""

    name: str
    purpose: str = Field(min_length=10, description="What it is for, in a sentence.")
    seed: int = Field(1, description="The same seed makes the same calls.")
    lasts_s: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="New calls arrive for so long; may be left out with at_s or calls."
    )
    agents: Annotated[tuple[AgentGroup, ...], BeforeValidator(_listed)] = Field(
        (AgentGroup(),), min_length=1, description="One: all are alike; a list: calls are offered to them in turn."
    )
    callers: tuple[CallerGroup, ...] = ()
    phones: tuple[PhoneGroup, ...] = Field((), description="Phones by number: agents' and customers'.")
    dialplan: str = Field("", description="Contexts that Asterisk has besides, as extensions.conf has them.")
    music: bool = Field(False, description="There is music on hold.")
    exit_contexts: dict[str, str] = Field({}, description="By queue: the context of keys by which callers leave it.")
    sounds_s: dict[str, float] = Field({}, description="Sound files that Asterisk has besides: name and seconds.")
    lines: int | None = Field(
        None, gt=0, description="So many calls at once, and no more: further callers come when a line is free."
    )
    faults: tuple[Fault, ...] = Field((), description="What goes wrong between Asterisk and the daemon, and when.")
    settings: dict[str, Any] = Field({}, description="Settings of the daemon, by section, as in callflow.toml.")
    commands: tuple[CommandRun, ...] = Field((), description="Commands of callflow that are run beside the daemon.")
    callbacks: tuple[ExpectedCallback, ...] | None = Field(
        None, description="The call-back list at the end: these entries and no others."
    )
    settle_s: float = Field(
        60.0, gt=0, le=3600, description="Seconds after the last call until call-backs and ratings are as expected."
    )

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if not self.callers and not self.phones:
            raise ValueError("callers: is missing, and there are no phones either")
        for caller in self.callers:
            if self.lasts_s is None and caller.at_s is None and caller.calls is None:
                raise ValueError(f"the callers {caller.name!r} never end: set lasts_s, or their calls")
            if self.lasts_s is not None and max(caller.at_s or (0,)) > self.lasts_s:
                raise ValueError(f"the callers {caller.name!r} call after lasts_s = {self.lasts_s:g}")
        names = [caller.name for caller in self.callers]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"two groups of callers are called {', '.join(sorted(twice))}")
        return self

    @property
    def has_aftercare(self) -> bool:
        """Call-backs or ratings are expected: a run ends when they are as they should be."""
        return self.callbacks is not None or any(caller.expect.after_the_call for caller in self.callers)

    @property
    def needs_own_daemon(self) -> bool:
        """It needs a daemon with settings and a database of its own."""
        return bool(self.settings or self.commands or self.has_aftercare)

    @property
    def brings_its_own(self) -> bool:
        """It has phones, a dialplan or a daemon of its own, which a site's Asterisk has not."""
        own = self.phones or self.dialplan or any(caller.dials for caller in self.callers)
        return bool(own or self.needs_own_daemon)

    def agent(self, turn: int) -> AgentGroup:
        """The agents to whom the n-th call that is offered to any goes, counted from 0."""
        return self.agents[turn % len(self.agents)]


def read_scenario(path: Path) -> Scenario:
    """The scenario of one file. Raises ScenarioInvalid."""
    return read_toml(path, Scenario, name=path.stem)


def shipped() -> dict[str, Path]:
    """Name and file of every scenario that comes with the project."""
    return {path.stem: path for path in sorted(LIBRARY.glob("*.toml"))}


def find_scenario(name: str) -> Path:
    """The file of a scenario named by its path, or by its name in the library. Raises ScenarioInvalid."""
    given = Path(name)
    if given.suffix == ".toml" or len(given.parts) > 1 or (os.access(given, os.F_OK) and given.is_file()):
        return given
    found = shipped().get(name)
    if found is None:
        remedy = "name a .toml file, or a scenario of `callflow simulate --list`"
        raise ScenarioInvalid(f"there is no scenario {name!r}", remedy)
    return found
