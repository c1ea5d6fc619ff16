"""What the rating desk is told: facts in the past tense."""

from dataclasses import dataclass

from callflow.core.profile import Procedures
from callflow.core.rating.record import NotAsked
from callflow.core.rating.rules import RatingRules
from callflow.core.rings.talk_events import TalkEvent


@dataclass(frozen=True, slots=True)
class CallerCame:
    """A caller has reached callflow-rating in the dialplan."""

    rating_id: str
    uniqueid: str
    profile: str
    at_ms: int
    channel_language: str
    caller: str
    """Keyed hash of the number; "" without a number."""
    transferred: bool
    """Asterisk marks the channel as transferred (BLINDTRANSFER or ATTENDEDTRANSFER)."""
    asked_ms: int | None = None
    """When this caller was asked last, as the database has it; None for never."""
    history_known: bool = True
    """The database could be read."""


@dataclass(frozen=True, slots=True)
class KeyPressed:
    """An answer to the present question: a key, "" for #, None for no key in time."""

    rating_id: str
    key: str | None
    at_ms: int


@dataclass(frozen=True, slots=True)
class ThanksSaid:
    """The last prompt has been played."""

    rating_id: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class CallerLeft:
    """The caller hung up, or the connection ended."""

    rating_id: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class PromptFailed:
    """Asterisk has no such prompt, or did not answer."""

    rating_id: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class NotToBeAsked:
    """Something happened in this call after which its caller is not asked."""

    uniqueid: str
    why: NotAsked


@dataclass(frozen=True, slots=True)
class ChannelEnded:
    """A channel is gone; most are not those of callers who talked to an agent."""

    uniqueid: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class RulesChanged:
    """Callers who come from now on are asked by these settings."""

    rules: RatingRules
    procedures: Procedures


RatingInput = (
    TalkEvent
    | CallerCame
    | KeyPressed
    | ThanksSaid
    | CallerLeft
    | PromptFailed
    | NotToBeAsked
    | ChannelEnded
    | RulesChanged
)
