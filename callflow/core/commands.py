"""What the core wants done, in the imperative. What a command led to comes back only as a new event."""

from dataclasses import dataclass
from typing import Literal

from callflow.core.call_record import CallRecord, TimelineEntry
from callflow.core.rings.records import Measured
from callflow.core.rings.talk_events import TalkEvent
from callflow.core.screening.states import Result


@dataclass(frozen=True, slots=True)
class ArmEar:
    """Set TALK_DETECT afresh -> EarArmed or EarFailed."""

    call_id: str
    channel: str
    silence_ms: int
    threshold: int


@dataclass(frozen=True, slots=True)
class OpenTap:
    """Have the caller's audio sent to us -> TapOpened or TapLost, later VoiceBegan, MediaBegan and EarDeafened."""

    call_id: str
    uniqueid: str
    channel: str
    yields: bool = False
    """Not with one of the last taps, which are kept for calls that cannot do without."""
    some_will_do: bool = False
    """Audio of which up to a fifth is missing serves, too."""


@dataclass(frozen=True, slots=True)
class StopListening:
    """The call needs no ear any more; `disarm`: TALK_DETECT, too, which nobody else removes. Nothing comes back."""

    call_id: str
    channel: str
    disarm: bool


@dataclass(frozen=True, slots=True)
class CountPackets:
    """Without a tap: remember how many packets have come; WindowJudged says whether more did. Nothing comes back."""

    call_id: str
    channel: str


@dataclass(frozen=True, slots=True)
class BeginWindow:
    """What is heard from now on is judged together; nothing comes back."""

    call_id: str


@dataclass(frozen=True, slots=True)
class JudgeWindow:
    """Say what has been heard since BeginWindow -> WindowJudged with the same `ask_id`.

    A `verdict` may take a moment to ask Asterisk about the media; a look is answered at once.
    """

    call_id: str
    channel: str
    ask_id: int
    verdict: bool = True


@dataclass(frozen=True, slots=True)
class SetGain:
    """Raise what Asterisk hears of the caller by `gain_db`, or to `target_dbov` by AGC -> GainSet or GainRefused."""

    call_id: str
    uniqueid: str
    channel: str
    gain_db: float
    how: Literal["volume", "agc"]
    target_dbov: float


@dataclass(frozen=True, slots=True)
class PlayPrompt:
    """Play `prompt` in `language` over AGI -> PromptFinished or PromptFailed with the same `play_id`."""

    call_id: str
    play_id: int
    prompt: str
    language: str


@dataclass(frozen=True, slots=True)
class StopPrompt:
    """End the playing prompt at once (ControlPlayback stop) -> PromptFinished."""

    call_id: str
    channel: str


@dataclass(frozen=True, slots=True)
class FenceEvents:
    """Ask AMI for an answer behind every event still on its way -> EventsFenced or FenceFailed with this `fence_id`."""

    call_id: str
    fence_id: int


@dataclass(frozen=True, slots=True)
class Release:
    """Set CALLFLOW_RESULT and give the channel back to the dialplan, which hangs up on `silent` and `quiet` alone.

    Those two -> Released or ReleaseFailed, within 0.1 s; another Release in the meantime takes their place.
    """

    call_id: str
    channel: str
    result: Result


@dataclass(frozen=True, slots=True)
class LogFault:
    """Log an error of our own with its traceback; the call was handed on. `step`: what it was doing."""

    call_id: str
    step: str
    error: Exception


@dataclass(frozen=True, slots=True)
class ProveEar:
    """Place the self-test call on a Local channel: its tone must come back as SoundStarted."""

    check_id: str


@dataclass(frozen=True, slots=True)
class AddToTimeline:
    """Log and keep one thing that happened in a call."""

    call_id: str
    entry: TimelineEntry


@dataclass(frozen=True, slots=True)
class SaveCall:
    """Insert or update the row of a call; `final` when nothing more will follow."""

    record: CallRecord
    final: bool


@dataclass(frozen=True, slots=True)
class SaveMeasured:
    """Insert or update what was measured of rings and queues; `final` when nothing more will follow."""

    record: Measured
    final: bool


@dataclass(frozen=True, slots=True)
class ReportTalk:
    """Tell the subscribers of the ring tracker what happened to a talk."""

    event: TalkEvent


@dataclass(frozen=True, slots=True)
class Warn:
    """Log a warning that concerns no single call; `remedy` says what to do."""

    text: str
    remedy: str


Command = (
    ArmEar
    | OpenTap
    | StopListening
    | CountPackets
    | BeginWindow
    | JudgeWindow
    | SetGain
    | PlayPrompt
    | StopPrompt
    | FenceEvents
    | Release
    | LogFault
    | ProveEar
    | AddToTimeline
    | SaveCall
    | SaveMeasured
    | ReportTalk
    | Warn
)
