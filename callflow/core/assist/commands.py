"""What this core wants done, beside the commands for ears, gain and fence that it shares with screening."""

from dataclasses import dataclass

from callflow.core import commands
from callflow.core.assist.steps import AssistStep


@dataclass(frozen=True, slots=True)
class Say:
    """Play a prompt to one party of a talk, unheard by the other -> PromptOver with the same `say_id`."""

    talk_id: str
    say_id: str
    uniqueid: str
    """Of the channel that hears it."""
    channel: str
    other_channel: str
    """Its packets carry the prompt: without them nothing is heard."""
    prompt: str
    language: str
    over_music: bool
    """The other party is on hold or holds: music carries the prompt."""


@dataclass(frozen=True, slots=True)
class StopSaying:
    """End a prompt at once -> PromptOver."""

    say_id: str


@dataclass(frozen=True, slots=True)
class PartCaller:
    """Take the caller out of the talk and say goodbye -> CallerParted or PartingFailed, then GoodbyeSpoken."""

    talk_id: str
    channel: str
    prompt: str
    language: str
    queue: str
    """Where the caller returns to; "" for none."""
    phone: str
    """The agent's, as Dial takes it: PJSIP/8012."""


@dataclass(frozen=True, slots=True)
class ReturnCaller:
    """The parted caller has spoken: back to the same agent, else to the front of the queue."""

    channel: str


@dataclass(frozen=True, slots=True)
class EndCall:
    """Hang up the parted caller's channel."""

    channel: str


@dataclass(frozen=True, slots=True)
class SaveStep:
    """Keep and publish one thing that happened in a talk."""

    step: AssistStep


AssistCommand = commands.Command | Say | StopSaying | PartCaller | ReturnCaller | EndCall | SaveStep
