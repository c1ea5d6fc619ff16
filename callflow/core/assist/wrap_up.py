"""An agent's wrap-up: the time after a talk in which the queues send no caller, until the agent is ready."""

from dataclasses import dataclass, replace
from enum import StrEnum


class EndedBy(StrEnum):
    """What ended a wrap-up."""

    READY = "ready"
    TIME = "time"
    """It had lasted for `wrap_up_most_s`."""
    TALK = "talk"
    """The agent was in a talk again."""


@dataclass(frozen=True, slots=True)
class WrapUp:
    """One wrap-up, from the agent's asking for it; it begins with the end of the talk."""

    wrap_up_id: str
    call_id: str
    revision: int
    agent: str
    queue: str
    phone: str
    """As queues name it: PJSIP/8012."""
    outcome: str
    """As the agent closed the talk: enquiry, order, no_order; "" where the agent did not say."""
    asked_ms: int
    began_ms: int | None = None
    """None while the talk goes on."""
    ended_ms: int | None = None
    wrap_up_ms: int | None = None
    ended_by: EndedBy | None = None

    def begin(self, now_ms: int, outcome: str) -> "WrapUp":
        """The talk is over."""
        return replace(self, revision=self.revision + 1, began_ms=max(now_ms, self.asked_ms), outcome=outcome)

    def end(self, now_ms: int, by: EndedBy) -> "WrapUp":
        """It is over; one that has not begun has lasted for no time."""
        began_ms = max(now_ms, self.asked_ms) if self.began_ms is None else self.began_ms
        ended_ms = max(now_ms, began_ms)
        return replace(
            self,
            revision=self.revision + 1,
            began_ms=began_ms,
            ended_ms=ended_ms,
            wrap_up_ms=ended_ms - began_ms,
            ended_by=by,
        )
