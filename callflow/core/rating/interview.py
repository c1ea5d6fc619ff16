"""One caller who is being asked."""

from dataclasses import replace
from typing import Any

from callflow.core.rating.orders import AskQuestion, GiveBack, RatingOrder, SaveRating, SayThanks
from callflow.core.rating.record import Ending, Rating
from callflow.core.rating.states import PROMPT, SCALE, SCORES, TRANSITIONS, Reply, State

_ENDINGS = {Reply.GONE: Ending.HUNG_UP, Reply.FAILED: Ending.FAILED}


class Interview:
    """Asks the three questions. What was answered so far is saved after every answer."""

    def __init__(self, record: Rating, prompts: dict[str, str], answer_ms: int) -> None:
        self.state = State.EFFICIENCY
        self.record = record
        self._prompts = prompts
        self._answer_ms = answer_ms

    @property
    def ended(self) -> bool:
        """Nothing follows any more."""
        return self.state is State.ENDED

    def begin(self) -> list[RatingOrder]:
        """The first question."""
        return [self._play(), SaveRating(self.record, final=False)]

    def take(self, reply: Reply, key: str | None, at_ms: int) -> list[RatingOrder]:
        """What follows a reply; nothing after one that does not fit the state."""
        following = TRANSITIONS[self.state].get(reply)
        if following is None:
            return []
        before, self.state = self.state, following
        changes: dict[str, Any] = {}
        if reply is Reply.SCORE:
            changes[SCALE[before].value] = SCORES[key or ""]
        elif reply is Reply.WRONG_KEY:
            changes["wrong_keys"] = self.record.wrong_keys + 1
        if self.ended:
            asked_all = before is State.THANKS
            changes |= {"ended_ms": at_ms, "ending": Ending.COMPLETED if asked_all else _ENDINGS[reply]}
        self.record = replace(self.record, **changes)
        if self.ended:
            return [GiveBack(self.record.rating_id, self.record.outcome.value), SaveRating(self.record, final=True)]
        # The question first: a key that the caller presses before it plays is lost.
        return [self._play(), *([SaveRating(self.record, final=False)] if changes else [])]

    def _play(self) -> RatingOrder:
        rating_id, language = self.record.rating_id, self.record.language
        prompt = self._prompts.get(PROMPT[self.state], PROMPT[self.state])
        if self.state is State.THANKS:
            return SayThanks(rating_id, prompt, language)
        return AskQuestion(rating_id, prompt, language, self._answer_ms)
