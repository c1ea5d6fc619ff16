"""What an attempt is told (events, in the past tense) and what it wants done (commands, in the imperative)."""

from dataclasses import dataclass

from callflow.core.callbacks.attempt import Attempt
from callflow.core.callbacks.look import NOBODY, Look, UnderWay


@dataclass(frozen=True, slots=True)
class Looked:
    """Asterisk has listed its channels, members and waiting callers."""

    look: Look
    under_way: UnderWay = NOBODY


@dataclass(frozen=True, slots=True)
class Saved:
    """The last SaveClaim or SavePlacing is on the disk."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The last Look, SaveClaim, Pause or SavePlacing failed; nothing was placed."""

    reason: str


@dataclass(frozen=True, slots=True)
class Paused:
    """The agent's members are paused."""


@dataclass(frozen=True, slots=True)
class OriginateTaken:
    """Asterisk has taken the Originate: a channel comes, or OriginateEnded."""


@dataclass(frozen=True, slots=True)
class OriginateRefused:
    """Asterisk answered with an error: there is no call."""

    reason: str


@dataclass(frozen=True, slots=True)
class OriginateUnanswered:
    """No answer came: the call may be placed or not."""


@dataclass(frozen=True, slots=True)
class OriginateEnded:
    """OriginateResponse: the first phone answered, or not."""

    answered: bool


@dataclass(frozen=True, slots=True)
class ChannelFound:
    """The call's first channel exists."""


@dataclass(frozen=True, slots=True)
class ChannelGone:
    """There is no channel with this id: there never was one, or it has ended."""


@dataclass(frozen=True, slots=True)
class LegRang:
    """A phone of the call rings; `first`: that of the first leg."""

    first: bool


@dataclass(frozen=True, slots=True)
class LegAnswered:
    """The first leg was answered."""


@dataclass(frozen=True, slots=True)
class LegDialEnded:
    """Asterisk's word on the first leg: DialStatus."""

    status: str


@dataclass(frozen=True, slots=True)
class CallReported:
    """The dialplan's own word: step is accepted, reached, dialled or ended."""

    step: str
    accepted: bool
    reached: bool
    status: str
    """DIALSTATUS; "" before the second leg was dialled."""
    gosub_result: str
    cause: str


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The first leg's channel has ended."""

    cause: str
    """Hangup Cause, a number; "" where Asterisk gave none."""


@dataclass(frozen=True, slots=True)
class LinkLost:
    """AMI is gone: events are missed from here."""


@dataclass(frozen=True, slots=True)
class LinkUp:
    """AMI is there again."""


Signal = (
    Looked
    | Saved
    | Failed
    | Paused
    | OriginateTaken
    | OriginateRefused
    | OriginateUnanswered
    | OriginateEnded
    | ChannelFound
    | ChannelGone
    | LegRang
    | LegAnswered
    | LegDialEnded
    | CallReported
    | CallEnded
    | LinkLost
    | LinkUp
)


@dataclass(frozen=True, slots=True)
class TakeLook:
    """List channels, members and waiting callers -> Looked or Failed."""


@dataclass(frozen=True, slots=True)
class SaveClaim:
    """Save that the entry is being dialled, with this attempt -> Saved or Failed."""

    attempt: Attempt


@dataclass(frozen=True, slots=True)
class Pause:
    """Pause the agent in `attempt.paused_in` -> Paused or Failed."""

    attempt: Attempt


@dataclass(frozen=True, slots=True)
class SavePlacing:
    """Save that Asterisk is about to be told -> Saved or Failed."""

    attempt: Attempt


@dataclass(frozen=True, slots=True)
class Place:
    """Originate, once -> OriginateTaken, OriginateRefused or OriginateUnanswered."""

    attempt: Attempt


@dataclass(frozen=True, slots=True)
class AskForChannel:
    """Ask for the channel by its id -> ChannelFound or ChannelGone, or LinkLost."""

    attempt_id: str


@dataclass(frozen=True, slots=True)
class SaveReached:
    """Save that the caller was reached; nothing comes back."""

    attempt: Attempt


@dataclass(frozen=True, slots=True)
class SaveEnd:
    """Save how the attempt ended, and release the agent; nothing comes back."""

    attempt: Attempt


Command = TakeLook | SaveClaim | Pause | SavePlacing | Place | AskForChannel | SaveReached | SaveEnd
