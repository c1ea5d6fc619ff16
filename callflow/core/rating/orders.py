"""What the rating desk wants done: commands in the imperative."""

from dataclasses import dataclass

from callflow.core.rating.record import Rating


@dataclass(frozen=True, slots=True)
class AskQuestion:
    """Play a prompt that a key ends, and wait for one key -> KeyPressed, CallerLeft or PromptFailed."""

    rating_id: str
    prompt: str
    language: str
    answer_ms: int


@dataclass(frozen=True, slots=True)
class SayThanks:
    """Play a prompt to its end -> ThanksSaid, CallerLeft or PromptFailed."""

    rating_id: str
    prompt: str
    language: str


@dataclass(frozen=True, slots=True)
class GiveBack:
    """Set CALLFLOW_RATING and give the channel back to the dialplan at once. Nothing comes back."""

    rating_id: str
    outcome: str


@dataclass(frozen=True, slots=True)
class SaveRating:
    """Insert or update the record; `final` when nothing more will follow."""

    record: Rating
    final: bool


RatingOrder = AskQuestion | SayThanks | GiveBack | SaveRating
