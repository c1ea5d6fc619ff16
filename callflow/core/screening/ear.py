"""What every ear of ours can do: the seam between how a caller is heard and what is decided about it."""

from dataclasses import dataclass
from typing import Protocol

from callflow.core.commands import Command
from callflow.core.events import Event


@dataclass(frozen=True, slots=True)
class Judgement:
    """A sound has been judged: the caller's speech or not; `at_ms` is when it began by the clock of who heard it,
    `told_ms` when we were told so by ours, `what` its length, `ear` who judged."""

    speech: bool
    at_ms: int
    told_ms: int
    what: str
    why: str
    ear: str


class Ear(Protocol):
    """Listens to one channel. Pure: fed with events and deadlines, it answers with judgements."""

    name: str
    """As it stands in the records."""

    decide_at: int | None
    """When the sound under way must be judged at the latest, epoch ms; None when there is none to judge."""

    def arm(self, call_id: str, channel: str) -> Command:
        """The command that makes Asterisk listen, answered by EarArmed or EarFailed."""

    def forget(self) -> None:
        """The ear was armed afresh: a sound that still lasts will be reported again."""

    def hear(self, event: Event, now_ms: int) -> Judgement | None:
        """Take in one event of this channel; None while nothing is certain."""

    def expire(self, now_ms: int) -> Judgement | None:
        """What the time that has passed says about the sound under way."""
