"""What a caller does and what is expected: the vocabulary that all scenario files share."""

import math
import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from callflow.sound import SoundName

LADDER = (("greeting", 3.0), ("can_you_hear", 3.0), ("goodbye", 2.0))
_AT = re.compile(r"([a-z_]+\d*)\s*(?:\+\s*(\d+(?:\.\d+)?))?")
_WITH_RTP_S, _WITHOUT_RTP_S = 0.02, 0.5  # Asterisk waits half a second for a first packet

Anchors = Mapping[str, float]
Media = Literal["silence", "none"]
Route = Literal["dial", "queue", "deaf"]
Party = Literal["caller", "asterisk"]
Result = Literal[
    "spoke", "key", "rescued", "passed", "observed", "off", "unavailable", "taken", "silent", "quiet", "hangup"
]  # fmt: skip


class Strict(BaseModel):
    """A part of a scenario: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class CallerAction(Strict):
    """One thing the caller does: exactly one of sound, key, stop_rtp, rtp_jump or new_ssrc, and hang_up."""

    at: Annotated[str, BeforeValidator(str)] = Field(description="Seconds after the answer, or e.g. `goodbye+0.5`.")
    sound: SoundName | None = Field(None, description="`echo`: the prompt that `at` counts from, played back.")
    for_s: float = Field(2.5, gt=0, description="Length of the sound, seconds.")
    level_dbov: float = Field(-26.0, le=-3, ge=-80, description="Its level; that of speech is of its active parts.")
    key: str | None = Field(None, pattern=r"^[0-9*#A-D]$")
    stop_rtp: bool = False
    rtp_jump: int | None = Field(None, ge=-65535, le=65535, description="Moves the RTP sequence number by so much.")
    new_ssrc: bool = Field(False, description="The RTP goes on under another SSRC; may have an `rtp_jump`.")
    hang_up: bool = False
    on_prompt: str = Field("", description="A prompt of their call: `at` counts from when it is played first.")

    @property
    def renumbers(self) -> bool:
        """From here on the RTP sequence numbers or the SSRC are others."""
        return self.rtp_jump is not None or self.new_ssrc

    @model_validator(mode="after")
    def _one_action(self) -> Self:
        said = [self.sound is not None, self.key is not None, self.stop_rtp, self.renumbers, self.hang_up]
        if said.count(True) != 1:
            raise ValueError("an action is exactly one of sound, key, stop_rtp, rtp_jump or new_ssrc, and hang_up")
        if self.on_prompt and not (self.key or self.hang_up):
            raise ValueError("on_prompt goes with key and with hang_up")
        if self.on_prompt and self.anchor:
            raise ValueError(f"with on_prompt, at is seconds after that prompt begins, not {self.at!r}")
        return self

    @property
    def anchor(self) -> str:
        """The name that `at` counts from; "" if it is seconds."""
        found = _AT.fullmatch(self.at)
        return found[1] if found else ""

    def at_s(self, anchors: Anchors) -> float:
        """When, in seconds after the answer. Raises ValueError for an unknown anchor."""
        try:
            return float(self.at)
        except ValueError:
            found = _AT.fullmatch(self.at)
            if not found or found[1] not in anchors:
                raise ValueError(f"at = {self.at!r} is no time; anchors are {', '.join(anchors)}") from None
            return anchors[found[1]] + float(found[2] or 0)


class Expected(Strict):
    """The expectations for a call; keys that are left out are not judged."""

    result: Result | None = None
    prompts: tuple[str, ...] | None = Field(None, description="Prompts heard, in order.")
    last_cut: bool | None = Field(None, description="Whether the last prompt was cut short.")
    ended_by: Party | None = Field(None, description="Who hung up.")
    agent: bool | None = Field(None, description="Whether an agent was reached.")
    rating: str | None = Field(
        None,
        pattern=r"^(rated|partly_rated|unrated|not_asked:[a-z_]+)$",
        description="What became of the rating: `rated`, `partly_rated`, `unrated`, `not_asked:REASON`.",
    )
    scores: tuple[int, ...] | None = Field(
        None, min_length=3, max_length=3, description="Answers: efficiency, attitude, correctness; 0 for none."
    )

    @property
    def after_the_call(self) -> bool:
        """Something is expected that is known only from the daemon's records."""
        return self.rating is not None or self.scores is not None


def ladder_anchors(media: Media, durations: Mapping[str, float]) -> dict[str, float]:
    """When each prompt, listening time and pause begins for a caller who stays silent, and when it `end`s.

    `durations` are those of the prompts, in seconds; raises KeyError if one is missing.
    """
    now = _WITH_RTP_S if media == "silence" else _WITHOUT_RTP_S
    anchors = {"answer": 0.0}
    for number, (prompt, listen_s) in enumerate(LADDER, 1):
        anchors[prompt] = now
        now += durations[prompt]
        anchors["pause" if number == len(LADDER) else f"listen{number}"] = now
        now += listen_s
    return anchors | {"end": now}


NOMINAL_ANCHORS = ladder_anchors("silence", {prompt: 1.0 for prompt, _ in LADDER})
"""Every name that an action may count from; its times mean nothing."""


def _has_time(action: CallerAction) -> CallerAction:
    at_s = action.at_s(NOMINAL_ANCHORS)
    if not math.isfinite(at_s) or at_s < 0:
        raise ValueError(f"at = {action.at!r} is no time: seconds from 0, or e.g. goodbye+0.5")
    return action


TimedAction = Annotated[CallerAction, AfterValidator(_has_time)]
"""An action whose time can be computed."""
