"""The commands of this core, besides those for ears, gain and fence that it shares with screening."""

from dataclasses import dataclass

from callflow.core import commands
from callflow.core.assist.actions import ActionAnswer
from callflow.core.assist.steps import AssistStep
from callflow.core.assist.wrap_up import WrapUp


@dataclass(frozen=True, slots=True)
class CheckHold:
    """Ask Asterisk whether one of these has put the other on hold -> HoldChecked with the same `check_id`."""

    talk_id: str
    check_id: int
    channels: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Say:
    """Play a prompt to one party of a talk, unheard by the other -> PromptOver with the same `say_id`."""

    talk_id: str
    say_id: str
    uniqueid: str
    """Of the channel that hears it."""
    channel: str
    other_channel: str
    """Its packets carry the prompt: without them no whisper is heard."""
    to_agent: bool
    prompt: str
    language: str
    over_music: bool
    """The other party is on hold or holds: music carries the prompt."""


@dataclass(frozen=True, slots=True)
class StopSaying:
    """End a prompt at once -> PromptOver."""

    say_id: str


@dataclass(frozen=True, slots=True)
class RecordName:
    """Record what the caller says, for so long at most -> NameOver with the same `name_id`."""

    talk_id: str
    name_id: str
    """Name of the file, without folder and extension."""
    uniqueid: str
    longest_s: int


@dataclass(frozen=True, slots=True)
class StopRecording:
    """The name has been said -> NameOver."""

    name_id: str


@dataclass(frozen=True, slots=True)
class DropName:
    """Delete the file: it holds no name."""

    name_id: str


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


@dataclass(frozen=True, slots=True)
class SetLoudness:
    """Let the caller hear the agent so much louder -> ActionCarried."""

    request_id: str
    channel: str
    """The agent's: what Asterisk hears of it is raised."""
    gain_db: float


@dataclass(frozen=True, slots=True)
class Consult:
    """Begin an attended transfer in the agent's name; an error comes back as ActionCarried."""

    request_id: str
    channel: str
    """The agent's."""
    exten: str
    context: str


@dataclass(frozen=True, slots=True)
class PauseAgent:
    """Pause an agent's phone in all its queues, or end the pause -> ActionCarried, unless `request_id` is ""."""

    request_id: str
    phone: str
    """As queues name it: PJSIP/8012."""
    paused: bool
    of_itself: bool = False
    """Nobody has asked for the end of the pause: one that somebody has given another reason meanwhile stays."""


@dataclass(frozen=True, slots=True)
class AnswerAction:
    """Tell the requester the outcome."""

    answer: ActionAnswer


@dataclass(frozen=True, slots=True)
class SaveWrapUp:
    """Keep and publish an agent's wrap-up; `final` once it is over."""

    wrap_up: WrapUp
    final: bool


AssistCommand = (
    commands.Command
    | CheckHold
    | Say
    | StopSaying
    | RecordName
    | StopRecording
    | DropName
    | PartCaller
    | ReturnCaller
    | EndCall
    | SaveStep
    | SetLoudness
    | Consult
    | PauseAgent
    | AnswerAction
    | SaveWrapUp
)
