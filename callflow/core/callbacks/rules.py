"""The section [callbacks]: which callers callflow calls back, when, and how it places the call."""

import re
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from callflow.core.callbacks.hours import CallingHours, UnknownHours, parse_holiday, parse_window, zone_of
from callflow.core.section import Name, Pattern, Section


class CallbackProfile(Section):
    """How the callers of one profile are called back: [callbacks.profiles.NAME]."""

    short_call_s: float = Field(60.0, gt=0, le=3600, description="A call shorter than this, in seconds, is short.")
    short_calls: int = Field(5, ge=0, le=1000, description="Short calls that raise a call-back; 0: never.")
    window_h: float = Field(24.0, gt=0, le=168, description="Hours within which short calls are counted.")
    after_hang_up: bool = Field(True, description="Call back callers who were hung up on as silent or quiet.")
    after_s: int = Field(300, ge=0, le=604_800, description="Seconds from raising an entry until it is due.")
    zone: str = Field("", description="IANA zone of the callers, as Asia/Shanghai; empty: no calls.")
    hours: tuple[str, ...] = Field(
        ("mon-sun 09:00-20:00",), description="When callers may be called; no calls outside."
    )
    holidays: tuple[str, ...] = Field((), description='Days without calls: "2026-02-17", or "01-01" for every year.')
    attempts: int = Field(3, ge=1, le=20, description="Calls to the caller before the entry is given up.")
    spacing_s: int = Field(3600, ge=0, le=604_800, description="Seconds between two calls to a caller.")
    give_up_h: float = Field(72.0, gt=0, le=8760, description="Hours after which an entry is given up.")

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value:
            try:
                zone_of(value)
            except UnknownHours as error:
                raise ValueError(str(error)) from None
        return value

    @field_validator("hours")
    @classmethod
    def _windows(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            parse_window(text)
        return value

    @field_validator("holidays")
    @classmethod
    def _dates(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            parse_holiday(text)
        return value

    def calling_hours(self) -> CallingHours:
        """When callers of this profile may be called."""
        return CallingHours(self.hours, self.holidays)


class CallbackRules(Section):
    """The call-back list, its dialler, and cases."""

    enabled: bool = Field(True, description="Put callers on the list, and place call-backs.")
    dial: str = Field(
        "", description="How Asterisk dials a caller: PJSIP/{number}@carrier; empty: callflow places no call."
    )
    caller_id: str = Field("", description="Number that the caller is shown; empty: Asterisk's own.")
    first: Literal["agent", "customer"] = Field("agent", description="Who is called first.")
    remote: bool = Field(
        False,
        description="Accept steps and calls from the broker; mqtt.await_collector accepts the collector's orders.",
    )
    auto: bool = Field(False, description="Place due call-backs whenever an agent is free and no caller waits.")
    language: Name = Field("en", description="Language of what agents and customers are told in a call-back.")
    agent_ring_s: int = Field(20, ge=5, le=120, description="Seconds an agent's phone rings for a call-back.")
    customer_ring_s: int = Field(30, ge=5, le=120, description="Seconds the caller's phone rings.")
    customer_confirms: bool = Field(
        False, description="The caller presses 1 before the talk, so that voicemail does not count as reached."
    )
    say_digits: int = Field(4, ge=0, le=15, description="Last digits of the number that the agent is told.")
    agent_rest_s: int = Field(
        15, ge=0, le=3600, description="auto: seconds of rest for an agent after a call from a queue."
    )
    agent_pause_s: int = Field(
        300, ge=10, le=86_400, description="Seconds until an entry is dialled again after an agent did not take it."
    )
    claim_min: float = Field(60.0, gt=0, le=10_080, description="Minutes after which a claim lapses.")
    dialable: Pattern = Field(r"\+?[0-9]{3,15}", description="Regular expression: numbers that can be dialled.")
    refused: tuple[str, ...] = Field((), description="Numbers never called, besides all emergency numbers.")
    case_news_h: float = Field(24.0, gt=0, le=168, description="Hours within which an open case needs news.")
    profiles: dict[Name, CallbackProfile] = Field(
        {"default": CallbackProfile()}, description="By profile; one that is not here uses default."
    )

    @field_validator("dial")
    @classmethod
    def _has_number(cls, value: str) -> str:
        if value and ("{number}" not in value or not re.fullmatch(r"[\w/@.:{}+*#-]+", value)):
            raise ValueError("must be a dial string with {number} in it, without commas, spaces and & ;")
        return value

    @field_validator("caller_id")
    @classmethod
    def _is_number(cls, value: str) -> str:
        if not re.fullmatch(r"\+?[0-9]{0,15}", value):
            raise ValueError("must be a number of at most 15 digits")
        return value

    @model_validator(mode="before")
    @classmethod
    def _keep_default(cls, data: object) -> object:
        """The profile `default` is always there."""
        if isinstance(data, dict) and isinstance(data.get("profiles"), dict):
            return data | {"profiles": {"default": CallbackProfile()} | data["profiles"]}
        return data

    @model_validator(mode="after")
    def _auto_needs_dial(self) -> Self:
        if self.auto and not self.dial:
            raise ValueError("auto needs `dial`: how Asterisk dials a caller")
        return self

    def profile(self, name: str) -> CallbackProfile:
        """The rules for callers of a profile."""
        return self.profiles.get(name) or self.profiles["default"]
