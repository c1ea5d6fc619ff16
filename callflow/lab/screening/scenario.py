"""Scenario folders: what a caller does, and what is expected."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field

from callflow.core.heard import Heard
from callflow.scenarios import behaviour
from callflow.scenarios.behaviour import (
    LADDER,
    Anchors,
    CallerAction,
    Expected,
    Media,
    Party,
    Result,
    Route,
    Strict,
    TimedAction,
)
from callflow.scenarios.errors import ScenarioInvalid
from callflow.scenarios.toml_file import read_toml

__all__ = [
    "LADDER",
    "Anchors",
    "CallerAction",
    "Expectation",
    "Scenario",
    "ladder_anchors",
    "read_scenario",
    "read_scenarios",
]


class Expectation(Expected):
    """What is expected of the call."""

    result: Result
    ended_by: Party = "asterisk"
    agent: bool = Field(description="Whether an agent was reached.")
    agent_within_s: float = Field(1.0, description="From the first sign of life, else from the answer, to the ringing.")
    reaction_s: float = Field(0.35, description="From the first sign of life to the last packet of the cut prompt.")
    heard: Heard | None = Field(None, description="What the record says was heard last.")
    agent_hears_dbov: float | None = Field(None, description="Active level of what the agent's phone receives, +-2 dB.")
    silence_s: dict[str, float] = Field({}, description="Silence after a prompt, where it is not the ladder's.")
    language: str | None = Field(None, description="Language of the prompts, if not the scenario's.")
    traces: tuple[Literal["h", "fax"], ...] = Field((), description="Extensions reached in the caller's own context.")


class Scenario(Strict):
    """One caller's call and what is expected; the folder's name is its name."""

    name: str
    purpose: str = Field(min_length=10)
    profile: str = "support"
    language: str = "zh"
    route: Route = Field("dial", description="`deaf`: to a daemon that is not there.")
    asterisk: tuple[Literal["22", "16"], ...] = Field(("22", "16"), description="22 alone: it needs the tap.")
    media: Media = Field("silence", description="What is sent before and between the sounds.")
    loss: float = Field(0.0, ge=0, lt=1, description="Share of the caller's packets that never arrive.")
    first_sequence: int = Field(0, ge=0, le=65535, description="RTP sequence number of the caller's first packet.")
    caller: tuple[TimedAction, ...] = ()
    stays_s: float | None = Field(None, gt=0, description="Hangs up so long after the answer; else after the ladder.")
    expect: Expectation

    @property
    def everywhere(self) -> bool:
        """It runs on every Asterisk, real or pretend, with TALK_DETECT alone; no packet is lost or renumbered."""
        renumbered = self.first_sequence or any(action.renumbers for action in self.caller)
        return len(self.asterisk) > 1 and not self.loss and not renumbered

    @property
    def entry(self) -> str:
        """What the caller dials."""
        return f"{self.route}_{self.language}_{self.profile}"


def read_scenario(folder: Path) -> Scenario:
    """The scenario of one folder. Raises ScenarioInvalid."""
    return read_toml(folder / "scenario.toml", Scenario, name=folder.name)


def read_scenarios(folder: Path, names: tuple[str, ...] = ()) -> list[Scenario]:
    """Every scenario below a folder, or those of these names. Raises ScenarioInvalid."""
    found = {path.parent.name: path.parent for path in sorted(folder.glob("*/scenario.toml"))}
    if missing := set(names) - set(found):
        raise ScenarioInvalid(f"no scenario {', '.join(sorted(missing))} in {folder}", remedy="see its folders")
    return [read_scenario(found[name]) for name in names or found]


def ladder_anchors(scenario: Scenario, durations: Mapping[str, float]) -> dict[str, float]:
    """When each prompt, listening time and pause begins for a caller who stays silent, and when it `end`s."""
    return behaviour.ladder_anchors(scenario.media, durations)
