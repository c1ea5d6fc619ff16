"""What an agent's actions do in a talk: prompts on the agent's word, the level, the supervisor, the end."""

from enum import Enum, auto

from callflow.core.assist.actions import Action, Refusal
from callflow.core.assist.case import Case
from callflow.core.assist.commands import Consult, SetLoudness
from callflow.core.assist.facts import Outcome
from callflow.core.assist.holding import Holding
from callflow.core.assist.rules import Prompt
from callflow.core.assist.speaker import Purpose, Speaker, Wish
from callflow.core.assist.states import State
from callflow.core.assist.steps import StepKind
from callflow.core.assist.voices import Voices
from callflow.core.profile import Assist

PROMPT_MS = 6000
ANSWER_MS = 3000
"""A caller who says nothing for so long after `anything_else` wants nothing else."""
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
        self._case, self._voices, self._speaker, self._holding = case, voices, speaker, holding
        self._level_db = 0.0
        """The caller hears the agent so much louder."""
        self._levels: dict[str, float] = {}
        """Levels that Asterisk has yet to set, by request."""
        self._told_limit = False
        self._called_back = False
        self._supervisor: str | None = None
        """The request whose consultation begins when its prompt is over."""
        self._asked_at: int | None = None
        """`anything_else` was over then, and nobody has answered yet."""
        self.outstanding = 0
        """Prompts of actions that wait or are being said."""

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
        self._asked_at = None
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
                return self._ask_supervisor(request_id, now_ms)
            case _:
                self._case.closed_as = action.value.partition(":")[2] or self._case.closed_as
                self._say(SAYS[action], action, now_ms)
        return Taken.DONE

    def _say(self, prompt: Prompt, action: Action, now_ms: int) -> None:
        self.outstanding += 1
        why = f"the agent asks for {action}"
        self._speaker.ask(Wish(Purpose.ACTION, prompt.value, self._voices.caller, PROMPT_MS, why), now_ms)

    # -- the level --------------------------------------------------------------------------------------------------

    def _set_level(self, action: Action, request_id: str, now_ms: int) -> Refusal | Taken:
        rules = self._case.rules
        step_db = rules.louder_step_db if action is Action.LOUDER else -rules.louder_step_db
        level_db = min(max(self._level_db + step_db, 0.0), rules.louder_most_db)
        if level_db == self._level_db:
            if action is Action.SOFTER or self._told_limit:
                return Refusal.AT_LIMIT
            self._told_limit = True
            self._say(Prompt.VOLUME_AT_LIMIT, action, now_ms)
            return Taken.DONE
        self._levels[request_id] = level_db
        self._case.do(SetLoudness(request_id, self._case.parties.agent_channel, level_db))
        return Taken.WAITS

    def carried(self, action: Action, request_id: str, now_ms: int) -> None:
        """Asterisk has done what was asked of it."""
        level_db = self._levels.pop(request_id, None)
        if level_db is not None:
            self._level_db = level_db
            self._case.tell(StepKind.GAIN, now_ms, f"{level_db:g} dB to caller", "on the agent's word")
        if self.refuse(action) is not None or self._holding.waits:
            return
        if action is Action.WRAPUP:
            self._say(Prompt.ANYTHING_ELSE, action, now_ms)
        elif action is Action.LOUDER:
            self._say(Prompt.HEAR_ME_NOW, action, now_ms)

    # -- call-back and supervisor -----------------------------------------------------------------------------------

    def _call_back(self, now_ms: int) -> Refusal | Taken:
        case = self._case
        if not any(mark.isdigit() for mark in case.parties.caller_number):
            return Refusal.NO_NUMBER
        if self._called_back:
            return Refusal.ALREADY
        self._called_back = True
        case.tell(StepKind.CALLBACK_ASKED, now_ms, why="the agent asks for a call-back")
        self._say(Prompt.CALL_BACK_AGREED, Action.CALLBACK, now_ms)
        return Taken.DONE

    def _ask_supervisor(self, request_id: str, now_ms: int) -> Refusal | Taken:
        if not self._case.profile.supervisor:
            return Refusal.NO_SUPERVISOR
        if self._supervisor is not None:
            return Refusal.ALREADY
        self._supervisor = request_id
        self._say(Prompt.ASK_SUPERVISOR, Action.SUPERVISOR, now_ms)
        return Taken.DONE

    def said(self, wish: Wish, outcome: Outcome, now_ms: int) -> None:
        """A prompt of an action is over, said or not."""
        self.outstanding -= 1
        case = self._case
        heard = outcome in (Outcome.REACHED, Outcome.UNKNOWN)
        if wish.prompt == Prompt.ANYTHING_ELSE and heard:
            self._asked_at = now_ms
        if wish.prompt == Prompt.ASK_SUPERVISOR and self._supervisor is not None and not case.parted and not case.done:
            exten, _, context = case.profile.supervisor.partition("@")
            case.do(Consult(self._supervisor, case.parties.agent_channel, exten, context))
            self._supervisor = None
            self._holding.announced = heard

    # -- anything else? ---------------------------------------------------------------------------------------------

    def answered(self) -> None:
        """The caller has pressed a key."""
        self._asked_at = None

    def next_deadline(self) -> int | None:
        """When to call `proceed`, epoch ms."""
        quiet_since = self._voices.quiet_since(caller_only=False)
        if self._asked_at is None or quiet_since is None:
            return None
        return max(self._asked_at, quiet_since) + ANSWER_MS

    def proceed(self, now_ms: int) -> None:
        """A caller who wants nothing else is bidden goodbye; one who speaks, or whose agent does, is left alone."""
        asked_at, voices = self._asked_at, self._voices
        if asked_at is None:
            return
        spoke_at = max(voices.caller.spoke_at or 0, voices.agent.spoke_at or 0)
        if spoke_at > asked_at or self._holding.waits or self._case.state is not State.TALKING:
            self._asked_at = None
        elif (due := self.next_deadline()) is not None and now_ms >= due:
            self._asked_at = None
            self._say(Prompt.WELCOME_AGAIN, Action.WRAPUP, now_ms)
