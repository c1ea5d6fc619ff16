"""What an agent's actions do in a talk: prompts on the agent's word, the level, the call-back.

The supervisor and the goodbye after `anything_else` have parts of their own.
"""

from enum import Enum, auto

from callflow.core.assist.action_prompts import ActionPrompts
from callflow.core.assist.actions import Action, Refusal
from callflow.core.assist.anything_else import AnythingElse
from callflow.core.assist.case import Case
from callflow.core.assist.commands import SetLoudness
from callflow.core.assist.consultation import Consultation
from callflow.core.assist.facts import Outcome
from callflow.core.assist.holding import Holding
from callflow.core.assist.rules import Prompt
from callflow.core.assist.speaker import Speaker, Wish
from callflow.core.assist.states import State
from callflow.core.assist.steps import StepKind
from callflow.core.assist.voices import Voices
from callflow.core.profile import Assist

IN_HOLD = (Action.CALLBACK, Action.WRAPUP)
"""What an agent may ask for while the caller hears music."""
SAYS = {
    Action.SPEAKER: Prompt.PICK_UP_HANDSET,
    Action.REPEAT: Prompt.SAY_AGAIN,
    Action.CLOSE_ENQUIRY: Prompt.BYE_ENQUIRY,
    Action.CLOSE_ORDER: Prompt.BYE_ORDER,
    Action.CLOSE_NO_ORDER: Prompt.BYE_NO_ORDER,
}
"""Actions that are one prompt to the caller."""


class Taken(Enum):
    """How far an action has come that was not refused."""

    DONE = auto()
    WAITS = auto()
    """Asterisk is asked; `carried` tells the outcome."""


class TalkActions:
    """One talk's share in the agent's actions; who may ask is decided elsewhere. `nuisance` is the ladder's."""

    def __init__(self, case: Case, voices: Voices, speaker: Speaker, holding: Holding) -> None:
        self._case, self._holding = case, holding
        self._prompts = ActionPrompts(voices, speaker)
        self.consultation = Consultation(case, holding, self._prompts)
        self.anything_else = AnythingElse(case, voices, holding, self._prompts)
        self._levels: dict[str, float] = {}
        """Levels that Asterisk has yet to set, by request."""
        self._told_limit = False

    @property
    def outstanding(self) -> int:
        """Prompts of actions that wait or are being said."""
        return self._prompts.outstanding

    def refuse(self, action: Action) -> Refusal | None:
        """Why this cannot be done now; None where it can."""
        case = self._case
        if case.pretends:
            return Refusal.OBSERVING
        if action is Action.NUISANCE and case.profile.assist is not Assist.ACT:
            return Refusal.OFF
        if case.state is State.ARMING or case.parted or (self._holding.lasts and action not in IN_HOLD):
            return Refusal.NOT_NOW
        return None

    def act(self, action: Action, request_id: str, now_ms: int) -> Refusal | Taken:
        """Do it, or begin to."""
        self.anything_else.forget()
        match action:
            case Action.LOUDER | Action.SOFTER:
                return self._set_level(action, request_id, now_ms)
            case Action.LOOKUP:
                return Taken.DONE if self._holding.look_up(now_ms) else Refusal.ALREADY
            case Action.BACK:
                return Taken.DONE if self._holding.back(now_ms) else Refusal.NO_LOOKUP
            case Action.CALLBACK:
                return self._call_back(now_ms)
            case Action.SUPERVISOR:
                return self.consultation.ask(request_id, now_ms) or Taken.DONE
            case _:
                self._case.closed_as = action.value.partition(":")[2] or self._case.closed_as
                self._prompts.say(SAYS[action], action, now_ms)
        return Taken.DONE

    # -- the level, the call-back -----------------------------------------------------------------------------------

    def _set_level(self, action: Action, request_id: str, now_ms: int) -> Refusal | Taken:
        rules, parties = self._case.rules, self._case.parties
        set_db = self._case.levels.of(parties.agent_uniqueid)
        step_db = rules.louder_step_db if action is Action.LOUDER else -rules.louder_step_db
        level_db = min(max(set_db + step_db, 0.0), rules.louder_most_db)
        if level_db == set_db:
            if action is Action.SOFTER or self._told_limit:
                return Refusal.AT_LIMIT
            self._told_limit = True
            self._prompts.say(Prompt.VOLUME_AT_LIMIT, action, now_ms)
            return Taken.DONE
        self._levels[request_id] = level_db
        self._case.do(SetLoudness(request_id, parties.agent_channel, level_db))
        return Taken.WAITS

    def _call_back(self, now_ms: int) -> Refusal | Taken:
        if not self._case.has_number:
            return Refusal.NO_NUMBER
        if self._case.call_back_asked:
            return Refusal.ALREADY
        self._case.ask_call_back("the agent asks for a call-back", now_ms)
        self._prompts.say(Prompt.CALL_BACK_AGREED, Action.CALLBACK, now_ms)
        return Taken.DONE

    # -- what follows -----------------------------------------------------------------------------------------------

    def carried(self, action: Action, request_id: str, now_ms: int) -> None:
        """Asterisk has done what was asked of it."""
        level_db = self._levels.pop(request_id, None)
        if level_db is not None:
            self._case.levels.set(self._case.parties.agent_uniqueid, level_db)
            self._case.tell(StepKind.GAIN, now_ms, f"{level_db:g} dB to caller", "on the agent's word")
        if self.refuse(action) is not None or self._holding.waits:
            return
        if action is Action.WRAPUP:
            self._prompts.say(Prompt.ANYTHING_ELSE, action, now_ms)
        elif action is Action.LOUDER:
            self._prompts.say(Prompt.HEAR_ME_NOW, action, now_ms)

    def said(self, wish: Wish, outcome: Outcome, now_ms: int) -> None:
        """A prompt of an action is over, said or not."""
        self._prompts.over()
        heard = outcome in (Outcome.REACHED, Outcome.UNKNOWN)
        if wish.prompt == Prompt.ANYTHING_ELSE and heard:
            self.anything_else.asked(now_ms)
        elif wish.prompt == Prompt.ASK_SUPERVISOR:
            self.consultation.announced(now_ms, heard=heard)

    def next_deadline(self) -> int | None:
        """When to call `proceed`, epoch ms."""
        due = (self.consultation.next_deadline(), self.anything_else.next_deadline())
        return min((at for at in due if at is not None), default=None)

    def proceed(self, now_ms: int) -> None:
        """Do what is due."""
        self.consultation.proceed(now_ms)
        self.anything_else.proceed(now_ms)
