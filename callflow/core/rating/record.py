"""The record of one rating, or of why a caller was not asked."""

from dataclasses import dataclass
from enum import StrEnum

from callflow.core.rating.states import Scale


class NotAsked(StrEnum):
    """Why a caller was not asked: the first of these that applies."""

    OFF = "off"
    """[ratings] is not enabled."""
    HUNG_UP_FIRST = "hung_up_first"
    """The caller hung up before the agent did."""
    TRANSFERRED = "transferred"
    """The agent transferred the caller: the call was not this agent's alone."""
    SILENT = "silent"
    """Nobody was heard, and callflow hung up or would have done so."""
    NUISANCE = "nuisance"
    """The agent called it a nuisance call (row D7)."""
    CALL_BACK = "call_back"
    """The caller was offered a call-back, or the agent asked for one: the matter is still open."""
    NO_AGENT = "no_agent"
    """No talk with an agent is known."""
    NO_NUMBER = "no_number"
    """A caller without a number could be asked again and again."""
    UNKNOWN_HISTORY = "unknown_history"
    """The database does not say when the caller was asked last."""
    ASKED_LATELY = "asked_lately"
    SHARE = "share"
    """Not drawn: only a share of the calls is rated."""


class Ending(StrEnum):
    """How the questions ended."""

    COMPLETED = "completed"
    """All three were asked."""
    HUNG_UP = "hung_up"
    FAILED = "failed"
    """Asterisk had no such prompt, or did not answer."""
    INTERRUPTED = "interrupted"
    """The daemon ended in the middle."""


class RatingOutcome(StrEnum):
    """The outcome of a rating: a closed set."""

    RATED = "rated"
    """All three questions were answered."""
    PARTLY_RATED = "partly_rated"
    UNRATED = "unrated"
    """Asked, and nothing was answered."""
    NOT_ASKED = "not_asked"


@dataclass(frozen=True, slots=True)
class Rating:
    """One rating. A scale is None where it was not answered, which is no zero. Times are epoch ms."""

    rating_id: str
    """The caller's Uniqueid, with -n for the n-th rating of one channel."""
    call_id: str
    """The caller's first Uniqueid, as in the other records of the call."""
    profile: str
    queue: str
    """"" where the caller did not come from a queue."""
    line: str
    """"" where no direct line was dialled."""
    agent: str
    """Work number; "" where no agent is known."""
    caller: str
    """Keyed hash of the caller's number; "" without a number."""
    language: str
    talk_began_ms: int | None
    came_ms: int
    """When the caller came to be asked, or hung up instead."""
    ended_ms: int | None
    not_asked: NotAsked | None
    ending: Ending | None
    """None while it lasts, and where the caller was not asked."""
    efficiency: int | None = None
    attitude: int | None = None
    correctness: int | None = None
    wrong_keys: int = 0

    @property
    def scores(self) -> dict[Scale, int]:
        """What was answered."""
        all_three = {scale: getattr(self, scale.value) for scale in Scale}
        return {scale: score for scale, score in all_three.items() if score is not None}

    @property
    def outcome(self) -> RatingOutcome:
        """As far as it has come."""
        if self.not_asked is not None:
            return RatingOutcome.NOT_ASKED
        answered = len(self.scores)
        if answered == len(Scale):
            return RatingOutcome.RATED
        return RatingOutcome.PARTLY_RATED if answered else RatingOutcome.UNRATED
