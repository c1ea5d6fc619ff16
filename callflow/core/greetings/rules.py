"""The section [greetings]: how callers are greeted who reach callflow-greet in the dialplan."""

from datetime import time
from typing import Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from callflow.core.greetings.calendar import Festival, NoFestival, parse_festival
from callflow.core.section import Name, Section


class GreetedLine(Section):
    """How callers of one line are greeted: [greetings.lines.NAME], NAME being what the dialplan names."""

    kind: Literal["company", "department", "direct"] = Field(
        "company", description="Greeting: welcome_company, welcome_department, or the work number of a direct line."
    )
    prompt: str = Field("", pattern=r"^[A-Za-z0-9_-]{0,64}$", description="Your own recording, played instead.")
    work_number: str = Field("", pattern=r"^\d{0,8}$", description="Digits to say on a direct line.")

    @model_validator(mode="after")
    def _has_number(self) -> Self:
        if self.kind == "direct" and not self.work_number and not self.prompt:
            raise ValueError("a direct line needs its work_number, or a prompt")
        return self


class GreetingRules(Section):
    """How callers are greeted before an agent speaks (dialplan: `callflow-greet`)."""

    enabled: bool = Field(True, description="Greet callers who reach callflow-greet in the dialplan.")
    zone: str = Field("UTC", description="Time zone of hours and festivals, as Asia/Shanghai.")
    morning_from: time = Field(time(5), description="Time from which good_morning is said.")
    afternoon_from: time = Field(time(12), description="Time from which good_afternoon is said.")
    evening_from: time = Field(time(18), description="Time from which good_evening is said, until morning_from.")
    festivals: tuple[str, ...] = Field(
        (
            "new_year 01-01",
            "lantern_festival lunar 01-15",
            "spring_festival lunar 01-01 14",
            "dragon_boat lunar 05-05",
            "mid_autumn lunar 08-15",
            "national_day 10-01 3",
        ),
        description='Wishes by day, the first that fits: "PROMPT MONTH-DAY DAYS"; "lunar" before a lunar date.',
    )
    lookup_url: str = Field(
        "",
        description="Look-up of known callers: an http:// address with {number}; empty: no look-up.",
    )
    lookup_command: tuple[str, ...] = Field(
        (), description="Program to run instead of lookup_url, with arguments; {number} is the caller's number."
    )
    lookup_ms: int = Field(300, ge=10, le=300, description="Milliseconds after which the caller counts as unknown.")
    lines: dict[Name, GreetedLine] = Field({}, description="Lines by name; a line that is not listed is a company's.")

    @field_validator("zone")
    @classmethod
    def _exists(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"no time zone is called {zone!r}; write a name like Asia/Shanghai or UTC") from None
        return zone

    @field_validator("festivals")
    @classmethod
    def _are_festivals(cls, festivals: tuple[str, ...]) -> tuple[str, ...]:
        for text in festivals:
            try:
                parse_festival(text)
            except NoFestival as error:
                raise ValueError(str(error)) from None
        return festivals

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.morning_from < self.afternoon_from < self.evening_from:
            raise ValueError("morning_from, afternoon_from and evening_from are not in this order")
        if self.lookup_url and self.lookup_command:
            raise ValueError("lookup_url and lookup_command exclude each other")
        if self.lookup_url and not self.lookup_url.startswith("http://"):
            raise ValueError("lookup_url is an http:// address on a network that you trust")
        return self

    def line(self, name: str) -> GreetedLine:
        """The settings of a line."""
        return self.lines.get(name, GreetedLine())

    def calendar(self) -> tuple[Festival, ...]:
        """The festivals, in order."""
        return tuple(parse_festival(text) for text in self.festivals)
