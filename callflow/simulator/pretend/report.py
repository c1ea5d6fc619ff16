"""What the pretend Asterisk prints: a JSON line for each call that has ended, and the state up to ten times a second.

Times are seconds since the first call could be placed, on the pretend Asterisk's own clock.
"""

import json
from dataclasses import dataclass, field
from typing import Any

STATUS_EVERY_S = 0.1


@dataclass(slots=True)
class PromptHeard:
    """One prompt as the caller heard it; `ended_s` is when its last sample was played, `cut` if not to its end."""

    name: str
    language: str
    started_s: float
    ended_s: float
    cut: bool


@dataclass(slots=True)
class Outcome:
    """One call from its first event to its last."""

    number: str
    caller: str
    index: int
    uniqueid: str
    result: str | None = None
    """CALLFLOW_RESULT when the screening was over; None when it never began."""
    agi_status: str | None = None
    prompts: list[PromptHeard] = field(default_factory=list)
    ended_by: str = "asterisk"
    """Who hung up first: caller or asterisk (an agent's hang-up is Asterisk's to the caller)."""
    agent: bool = False
    """An agent answered."""
    traces: list[str] = field(default_factory=list)
    """Extensions reached in the caller's own context: h, fax."""
    placed_s: float = 0.0
    answered_s: float | None = None
    life_s: float | None = None
    """The caller's first sound above -50 dBov, or key."""
    reaction_s: float | None = None
    """From that to the end of the prompt it cut short; None: it cut none."""
    screened_s: float | None = None
    """When the daemon gave the call back, or the caller had gone."""
    agent_rang_s: float | None = None
    agent_answered_s: float | None = None
    ended_s: float = 0.0

    def hear(self, prompt: PromptHeard, began_at: float) -> None:
        """Add a prompt whose times are the clock's; `began_at` is when the first call could be placed."""
        prompt.started_s -= began_at
        prompt.ended_s -= began_at
        if prompt.cut and self.life_s is not None and self.reaction_s is None and prompt.ended_s >= self.life_s:
            self.reaction_s = prompt.ended_s - self.life_s
        self.prompts.append(prompt)


@dataclass(slots=True)
class Status:
    """The present state; `done` in the last one, when every call has ended."""

    now_s: float
    placed: int
    ended: int
    in_progress: dict[str, int]
    """Calls by state: arriving, a prompt's name, listening, ringing, queued, talking, on hold, leaving."""
    results: dict[str, int]
    sessions: int
    """AMI sessions that are logged in."""
    done: bool = False


def line(told: Outcome | Status) -> str:
    """One line of JSON, `kind` outcome or status, ended with a line break."""
    said: dict[str, Any] = {"kind": "outcome" if isinstance(told, Outcome) else "status"}
    said |= {name: getattr(told, name) for name in told.__slots__}
    if isinstance(told, Outcome):
        said["prompts"] = [{name: getattr(prompt, name) for name in prompt.__slots__} for prompt in told.prompts]
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")) + "\n"


def read_line(text: str) -> Outcome | Status | None:
    """The content of a line; None: it is not one of ours."""
    try:
        told: dict[str, Any] = json.loads(text)
        match told.pop("kind"):
            case "outcome":
                told["prompts"] = [PromptHeard(**prompt) for prompt in told["prompts"]]
                return Outcome(**told)
            case "status":
                return Status(**told)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return None
