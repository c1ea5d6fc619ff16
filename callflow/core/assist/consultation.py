"""The agent asks a supervisor (D6): the caller is told, Asterisk begins the transfer, the caller waits on hold.

The prompt says that the caller will hear from us. Where no supervisor can be asked, a call-back keeps that word.
"""

from dataclasses import dataclass
from enum import Enum

from callflow.core.assist.action_prompts import ActionPrompts
from callflow.core.assist.actions import Action, Refusal
from callflow.core.assist.case import Case
from callflow.core.assist.commands import Consult
from callflow.core.assist.holding import Holding
from callflow.core.assist.rules import Prompt
from callflow.core.assist.states import State

CONSULT_MS = 5000
"""So long after Asterisk was asked for the transfer the caller is on hold, or the transfer has not begun."""
NO_NAME = "the profile names no supervisor"


class Stage(Enum):
    """How far it is, where there is no more to know of it."""

    NONE = "nobody is asked"
    CONSULTING = "the caller is on hold, the agent asks the supervisor"
    PASSED_ON = "there is no supervisor to ask, and the caller was told what happens instead"


@dataclass(frozen=True, slots=True)
class Announcing:
    """It begins when its prompt to the caller is over."""

    request_id: str


@dataclass(frozen=True, slots=True)
class Beginning:
    """Asterisk is to begin the transfer; the caller is not on hold yet."""

    request_id: str
    hold_by: int | None
    """When Asterisk has not begun it, epoch ms; None if the agent holds the caller already: nothing would show it."""


class Consultation:
    """One at a time."""

    def __init__(self, case: Case, holding: Holding, prompts: ActionPrompts) -> None:
        self._case, self._holding, self._prompts = case, holding, prompts
        self._stage: Stage | Announcing | Beginning = Stage.NONE

    def ask(self, request_id: str, now_ms: int) -> Refusal | None:
        """The caller hears that they will hear from us: from the supervisor now, or by a call-back."""
        if self._stage is not Stage.NONE:
            return Refusal.ALREADY
        has_supervisor = bool(self._case.profile.supervisor)
        if has_supervisor:
            self._stage = Announcing(request_id)
        elif self._case.has_number:
            self._stage = Stage.PASSED_ON
            self._case.ask_call_back(NO_NAME, now_ms)
        else:  # nothing can be promised
            self._tell_agent(f"{NO_NAME}, and the caller's number is not known", now_ms)
            return Refusal.NO_SUPERVISOR
        self._prompts.say(Prompt.ASK_SUPERVISOR, Action.SUPERVISOR, now_ms)
        if not has_supervisor:
            self._tell_agent(NO_NAME, now_ms)
        return None

    def announced(self, now_ms: int, *, heard: bool) -> None:
        """The prompt is over, said or not: Asterisk is asked for the transfer."""
        case = self._case
        if not isinstance(self._stage, Announcing) or case.parted or case.done:
            return
        self._holding.announced = heard
        exten, _, context = case.profile.supervisor.partition("@")
        hold_by = None if case.state is State.HELD else now_ms + CONSULT_MS
        self._stage = Beginning(self._stage.request_id, hold_by)
        case.do(Consult(self._stage.request_id, case.parties.agent_channel, exten, context))

    def on_hold(self) -> None:
        """The caller hears music: this is the consultation, if Asterisk was to begin one."""
        if isinstance(self._stage, Beginning):
            self._stage = Stage.CONSULTING

    def resumed(self, now_ms: int) -> None:
        """A supervisor who was busy, did not answer, or sent the agent back has not taken the caller over."""
        is_held = isinstance(self._stage, Beginning) and self._stage.hold_by is None
        if is_held or self._stage is Stage.CONSULTING:
            self._stage = Stage.NONE
            self._tell_agent("the agent has the caller back", now_ms)

    def not_carried(self, request_id: str, error: str, now_ms: int) -> None:
        """Asterisk has refused what this request needs."""
        if isinstance(self._stage, Beginning) and self._stage.request_id == request_id:
            self._fail(error, now_ms)

    def next_deadline(self) -> int | None:
        """When to call `proceed`, epoch ms."""
        return self._stage.hold_by if isinstance(self._stage, Beginning) else None

    def proceed(self, now_ms: int) -> None:
        """Wait for Asterisk no longer."""
        hold_by = self.next_deadline()
        if hold_by is not None and now_ms >= hold_by:
            self._fail("Asterisk has not begun the transfer", now_ms)

    def _fail(self, why: str, now_ms: int) -> None:
        """There is no transfer: a call-back keeps what the caller was told."""
        self._stage = Stage.NONE
        self._holding.announced = False
        if self._case.has_number:
            self._stage = Stage.PASSED_ON
            self._case.ask_call_back(why, now_ms)
        self._tell_agent(why, now_ms)

    def _tell_agent(self, why: str, now_ms: int) -> None:
        """By whisper: a code has no other answer."""
        self._prompts.tell_agent(Prompt.NO_SUPERVISOR, why, now_ms)
