"""Scenario folders: what a caller does, and what must come of it."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from callflow.lab.audio import SoundName
from callflow.lab.errors import ScenarioInvalid

LADDER = (("greeting", 3.0), ("can_you_hear", 3.0), ("goodbye", 2.0))
_AT = re.compile(r"([a-z_]+\d*)\s*(?:\+\s*(\d+(?:\.\d+)?))?")
_WITH_RTP_S, _WITHOUT_RTP_S = 0.02, 0.5  # Asterisk waits half a second for a first packet

Anchors = Mapping[str, float]
Result = Literal[
    "spoke", "key", "rescued", "passed", "observed", "off", "unavailable", "taken", "silent", "hangup"
]  # fmt: skip


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Deed(Strict):
    """One thing the caller does: exactly one of sound, key, stop_rtp and hang_up."""

    at: Annotated[str, BeforeValidator(str)] = Field(description="Seconds after the answer, or e.g. `goodbye+0.5`.")
    sound: SoundName | None = None
    for_s: float = Field(2.5, gt=0, description="Length of the sound, seconds.")
    level_dbov: float = Field(-26.0, le=-3, ge=-80, description="Its level; that of speech is of its active parts.")
    key: str | None = Field(None, pattern=r"^[0-9*#A-D]$")
    stop_rtp: bool = False
    hang_up: bool = False

    @model_validator(mode="after")
    def _one_deed(self) -> Self:
        if [self.sound is not None, self.key is not None, self.stop_rtp, self.hang_up].count(True) != 1:
            raise ValueError("a deed is exactly one of sound, key, stop_rtp and hang_up")
        return self

    def at_s(self, anchors: Anchors) -> float:
        """When, in seconds after the answer. Raises ValueError for an unknown anchor."""
        try:
            return float(self.at)
        except ValueError:
            found = _AT.fullmatch(self.at)
            if not found or found[1] not in anchors:
                raise ValueError(f"at = {self.at!r} is no time; anchors are {', '.join(anchors)}") from None
            return anchors[found[1]] + float(found[2] or 0)


class Expectation(Strict):
    """What must come of it."""

    result: Result
    prompts: tuple[str, ...] | None = Field(None, description="Prompts heard, in order; not judged if left out.")
    last_cut: bool | None = Field(None, description="Whether the last prompt was cut short.")
    ended_by: Literal["caller", "asterisk"] = "asterisk"
    agent: bool = Field(description="Whether an agent was reached.")
    agent_within_s: float = Field(1.0, description="From the first sign of life, else from the answer, to the ringing.")
    reaction_s: float = Field(0.35, description="From the first sign of life to the last packet of the cut prompt.")
    language: str | None = Field(None, description="Language of the prompts, if not the scenario's.")
    traces: tuple[Literal["h", "fax"], ...] = Field((), description="Extensions reached in the caller's own context.")


class Scenario(Strict):
    """One caller's call and what must come of it; the folder's name is its name."""

    name: str
    purpose: str = Field(min_length=10)
    profile: str = "support"
    language: str = "zh"
    route: Literal["dial", "queue", "deaf"] = Field("dial", description="`deaf`: to a daemon that is not there.")
    media: Literal["silence", "none"] = Field("silence", description="What is sent before and between the sounds.")
    caller: tuple[Deed, ...] = ()
    expect: Expectation

    @property
    def entry(self) -> str:
        """What the caller dials."""
        return f"{self.route}_{self.language}_{self.profile}"


def read_scenario(folder: Path) -> Scenario:
    """The scenario of one folder. Raises ScenarioInvalid."""
    path = folder / "scenario.toml"
    try:
        scenario = Scenario.model_validate(tomllib.loads(path.read_text("utf-8")) | {"name": folder.name})
        anchors = ladder_anchors(scenario, {prompt: 1.0 for prompt, _ in LADDER})
        for deed in scenario.caller:
            deed.at_s(anchors)
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ScenarioInvalid(f"{path} cannot be read: {error}", remedy="correct the file") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise ScenarioInvalid(f"{path}: {where}: {first['msg']}", remedy="correct the setting it names") from None
    except ValueError as error:
        raise ScenarioInvalid(f"{path}: {error}", remedy="correct the setting it names") from None
    return scenario


def read_scenarios(folder: Path, names: tuple[str, ...] = ()) -> list[Scenario]:
    """Every scenario below a folder, or those of these names. Raises ScenarioInvalid."""
    found = {path.parent.name: path.parent for path in sorted(folder.glob("*/scenario.toml"))}
    if missing := set(names) - set(found):
        raise ScenarioInvalid(f"no scenario {', '.join(sorted(missing))} in {folder}", remedy="see its folders")
    return [read_scenario(found[name]) for name in names or found]


def ladder_anchors(scenario: Scenario, durations: Mapping[str, float]) -> dict[str, float]:
    """When each prompt, listening time and pause begins for a caller who stays silent, and when it `end`s."""
    now = _WITH_RTP_S if scenario.media == "silence" else _WITHOUT_RTP_S
    anchors = {"answer": 0.0}
    for number, (prompt, listen_s) in enumerate(LADDER, 1):
        anchors[prompt] = now
        now += durations[prompt]
        anchors["pause" if number == len(LADDER) else f"listen{number}"] = now
        now += listen_s
    return anchors | {"end": now}
