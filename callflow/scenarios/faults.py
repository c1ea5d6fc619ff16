"""Faults on demand: what goes wrong on the connections between Asterisk and the daemon, when, and for how long.

In a scenario file, or in a file of their own:

    [[faults]]
    what = "stall"          # the line goes dead and stays open
    on = "events"           # ami: both AMI connections, or one of them; agi: FastAGI
    at_s = 20
    for_s = 5

As with TCP, the bytes of one connection come in order and none is lost. `drop` and `duplicate` concern whole events.
"""

from pathlib import Path
from random import Random
from typing import Literal, Self

from pydantic import Field, model_validator

from callflow.scenarios.behaviour import Strict
from callflow.scenarios.toml_file import read_toml

What = Literal[
    "cut", "lose_answer", "stall", "delay", "reorder", "drop", "duplicate", "split", "garbage", "clock_jump", "restart"
]
On = Literal["ami", "events", "actions", "agi"]
AT_ONCE = frozenset({"cut", "garbage", "clock_jump", "restart"})
ONLY_EVENTS = frozenset({"drop", "duplicate", "clock_jump"})


class Fault(Strict):
    """One fault, once at `at_s` or again every `every_s`."""

    what: What = Field(
        description="cut: connections end. lose_answer: a connection ends right behind an action that Asterisk has "
        "got. stall: nothing passes. delay: everything is `ms` late. reorder: each "
        "connection is late by its own time, up to `ms`, changing from message to message. drop, duplicate: a `share` "
        "of the events. split: every byte in a packet of its own. garbage: bytes that mean nothing, and strangers on "
        "the FastAGI port. clock_jump: time stamps move by `ms`. restart: Asterisk dies and comes back."
    )
    on: On = Field("ami", description="Which connection; `events` and `actions` are the two connections to AMI.")
    at_s: float = Field(0.0, ge=0, allow_inf_nan=False, description="Seconds after the first call may come.")
    every_s: float | None = Field(None, gt=0, allow_inf_nan=False, description="Again every so many seconds.")
    for_s: float | None = Field(
        None, gt=0, description="How long; else to the end. cut: refuses new connections so long. restart: is away."
    )
    share: float = Field(1.0, gt=0, le=1, description="Share of the messages that it strikes, at random.")
    ms: int = Field(0, ge=-86_400_000, le=86_400_000, description="Milliseconds: lateness, or how far the clock jumps.")
    names: tuple[str, ...] = Field((), description="Only events of these names, or actions; all if left out.")
    reset: bool = Field(False, description="cut: by RST instead of FIN.")

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.what in ONLY_EVENTS and self.on not in ("ami", "events"):
            raise ValueError(f'{self.what} concerns events: leave out `on`, or set it to "events"')
        if self.what in ("delay", "reorder", "clock_jump") and not self.ms:
            raise ValueError(f"{self.what} needs ms")
        if self.what in ("delay", "reorder") and self.ms < 0:
            raise ValueError("ms cannot be negative here: no message arrives before it is sent")
        if self.names and self.what not in ("drop", "duplicate", "delay", "lose_answer"):
            raise ValueError("names go with drop, duplicate, delay and lose_answer")
        if self.what == "lose_answer" and self.on not in ("ami", "actions"):
            raise ValueError('lose_answer concerns actions: leave out `on`, or set it to "actions"')
        if self.every_s is not None and self.for_s is not None and self.for_s >= self.every_s:
            raise ValueError("for_s must be shorter than every_s")
        return self

    def active(self, now_s: float) -> bool:
        """Whether a fault that lasts is on now."""
        since_s = now_s - self.at_s
        if since_s < 0:
            return False
        if self.every_s is not None:
            since_s %= self.every_s
        return self.for_s is None or since_s < self.for_s

    @property
    def refuses(self) -> bool:
        """While it lasts, new connections are refused."""
        return self.what in ("cut", "restart") and self.for_s is not None

    def next_at(self, now_s: float) -> float | None:
        """When it strikes next, after `now_s`; None: never again."""
        if now_s < self.at_s:
            return self.at_s
        if self.every_s is None:
            return None
        return self.at_s + (int((now_s - self.at_s) / self.every_s) + 1) * self.every_s

    def concerns(self, line: str) -> bool:
        """Whether it concerns this connection: events, actions, or agi."""
        return self.what == "restart" or self.on == line or (self.on == "ami" and line in ("events", "actions"))

    def strikes(self, event: str, chance: Random) -> bool:
        """Whether it strikes this message: an event or action of this name, "" for any other."""
        if self.names and event not in self.names:
            return False
        return self.share >= 1 or chance.random() < self.share


class Faults(Strict):
    """A file that holds faults alone."""

    name: str
    seed: int = Field(1, description="The same seed strikes the same messages.")
    faults: tuple[Fault, ...] = ()


def read_faults(path: Path) -> Faults:
    """The faults of a file of their own. Raises ScenarioInvalid."""
    return read_toml(path, Faults, name=path.stem)
