"""Phones by number, agents' and customers': what each does with a call, and in the talk that follows."""

import re
from math import inf
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from callflow.scenarios.behaviour import Media, Strict
from callflow.sound import SoundName

Does = Literal["answer", "ignore", "busy", "refuse", "unavailable", "congested", "unknown", "absent"]
_NUMBER = re.compile(r"[+\w-]+\*?|\d+-\d+")


class PhoneAction(Strict):
    """One thing that a phone does in a talk: exactly one of sound, keys, hold, resume, transfer, stop_rtp, hang_up."""

    at_s: float = Field(ge=0, allow_inf_nan=False, description="Seconds after its answer.")
    sound: SoundName | None = None
    for_s: float = Field(2.5, gt=0, description="Length of the sound, seconds.")
    level_dbov: float = Field(-26.0, le=-3, ge=-80, description="Its level; that of speech is of its active parts.")
    keys: str = Field("", pattern=r"^[0-9*#A-D]*$", description="Keys, one after the other: a code, or a choice.")
    hold: bool = Field(False, description="Puts the other party on hold.")
    resume: bool = Field(False, description="Takes it back.")
    transfer: str = Field("", description="Blind transfer to this extension of the phone's context.")
    stop_rtp: bool = Field(False, description="Sends nothing from here on.")
    hang_up: bool = False

    @model_validator(mode="after")
    def _one_action(self) -> Self:
        said = [self.sound, self.keys, self.hold, self.resume, self.transfer, self.stop_rtp, self.hang_up]
        if sum(map(bool, said)) != 1:
            raise ValueError("an action is exactly one of sound, keys, hold, resume, transfer, stop_rtp and hang_up")
        return self


class PhoneGroup(Strict):
    """Phones that behave alike. Several groups with the same number are taken in turn, call by call."""

    number: str = Field(description='Endpoint or dialled number: "8001", "8001-8020", or "138*".')
    does: Does = Field("answer", description="`absent` is not registered; the others but `ignore` refuse, as SIP can.")
    rings_after_s: float = Field(0.002, ge=0, description="From the INVITE to the 180.")
    after_s: float = Field(0.5, ge=0, description="From the INVITE to the answer or refusal.")
    talk_s: float = Field(inf, gt=0, description="From the answer to its own hang-up.")
    media: Media = "silence"
    queues: tuple[str, ...] = Field((), description="Queues whose member PJSIP/NUMBER is.")
    features: dict[str, str] = Field({}, description="Feature codes it may use: code, and what it runs.")
    context: str = Field("phones", description="Its context in the dialplan.")
    acts: tuple[PhoneAction, ...] = Field((), description="What it does in a talk.")

    @field_validator("number")
    @classmethod
    def _is_number(cls, number: str) -> str:
        if not _NUMBER.fullmatch(number):
            raise ValueError('a number is "8001", a range like "8001-8020", or begins a number: "138*"')
        return number

    def is_its(self, number: str) -> bool:
        """Whether a phone with this number is one of them."""
        first, dash, last = self.number.partition("-")
        if dash and first.isdigit() and last.isdigit():
            return number.isdigit() and len(number) == len(first) and int(first) <= int(number) <= int(last)
        if self.number.endswith("*"):
            return number.startswith(self.number[:-1])
        return number == self.number

    @property
    def numbers(self) -> tuple[str, ...]:
        """Every number of a range; the one number; none where only the beginning is known."""
        first, dash, last = self.number.partition("-")
        if dash and first.isdigit() and last.isdigit():
            return tuple(f"{number:0{len(first)}d}" for number in range(int(first), int(last) + 1))
        return () if self.number.endswith("*") else (self.number,)
