"""The events of this core, besides those of the ears and the talks of the ring tracker; small and in the past tense."""

from dataclasses import dataclass
from enum import StrEnum

from callflow.core import events
from callflow.core.assist.actions import ActionCarried, ActionWanted
from callflow.core.rings.records import HeldBy
from callflow.core.rings.talk_events import TalkEvent, TalkParties


class Outcome(StrEnum):
    """The outcome of a prompt."""

    REACHED = "reached"
    """It was played to its end, and everything needed to hear it was there."""
    UNKNOWN = "unknown"
    """It was played, and nobody can tell whether the listener heard it."""
    STOPPED = "stopped"
    """Somebody began to speak."""
    DROPPED = "dropped"
    """No pause came in time, or there was no reason any more."""
    NOT_ATTACHED = "not_attached"
    """Asterisk did not play it."""
    WOULD = "would"
    """Observe mode: it would have been said."""


@dataclass(frozen=True, slots=True)
class HoldChecked:
    """Asterisk has answered a `CheckHold`; `problem`: a sentence if it has not."""

    talk_id: str
    check_id: int
    held: bool
    problem: str = ""


@dataclass(frozen=True, slots=True)
class PromptOver:
    """A `Say` has come to its end."""

    talk_id: str
    say_id: str
    outcome: Outcome
    at_ms: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class NameOver:
    """A `RecordName` has come to its end; `problem` is a sentence, "" if there is a file."""

    talk_id: str
    name_id: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class CallerParted:
    """The caller hears the goodbye; the agent is free."""

    talk_id: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class PartingFailed:
    """The caller could not be redirected; `reason` is a sentence."""

    talk_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class GoodbyeSpoken:
    """The dialplan has played the whole goodbye, or could not."""

    uniqueid: str
    at_ms: int
    played: bool = True


@dataclass(frozen=True, slots=True)
class TalksSeen:
    """Talks that were found under way after the link came up; of some, one party or both hold the other."""

    at_ms: int
    talks: tuple[tuple[TalkParties, frozenset[HeldBy]], ...]


AssistEvent = (
    events.Event
    | TalkEvent
    | HoldChecked
    | PromptOver
    | NameOver
    | CallerParted
    | PartingFailed
    | GoodbyeSpoken
    | TalksSeen
    | ActionWanted
    | ActionCarried
)
