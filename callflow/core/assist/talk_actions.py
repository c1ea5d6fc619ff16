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
CONSULT_MS = 5000
"""So long after Asterisk was asked for the transfer the caller is on hold, or the transfer has not begun."""
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
        self._passed_on = False
        """There is no supervisor to ask, and the caller was told what happens instead."""
        self._consulting: str | None = None
        """The request whose consultation Asterisk is to begin; the caller is not on hold yet."""
        self._hold_by: int | None = None
        self._consults = False
        """The caller is on hold while the agent asks the supervisor."""
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
        if not self._has_number:
            return Refusal.NO_NUMBER
        if self._called_back:
            return Refusal.ALREADY
        self._put_on_list("the agent asks for a call-back", now_ms)
        self._say(Prompt.CALL_BACK_AGREED, Action.CALLBACK, now_ms)
        return Taken.DONE

    @property
    def _has_number(self) -> bool:
        return any(mark.isdigit() for mark in self._case.parties.caller_number)

    def _put_on_list(self, why: str, now_ms: int) -> None:
        if not self._called_back:
            self._called_back = True
            self._case.tell(StepKind.CALLBACK_ASKED, now_ms, why=why)

    def _ask_supervisor(self, request_id: str, now_ms: int) -> Refusal | Taken:
        """The caller hears that they will hear from us: from the supervisor now, or by a call-back."""
        if self._supervisor is not None or self._consulting is not None or self._passed_on:
            return Refusal.ALREADY
        if self._case.profile.supervisor:
            self._supervisor = request_id
        elif not self._has_number:  # nothing can be promised
            self._tell_agent("the profile names no supervisor, and the caller's number is not known", now_ms)
            return Refusal.NO_SUPERVISOR
        else:
            self._passed_on = True
            self._put_on_list("the profile names no supervisor", now_ms)
        self._say(Prompt.ASK_SUPERVISOR, Action.SUPERVISOR, now_ms)
        if self._passed_on:
            self._tell_agent("the profile names no supervisor", now_ms)
        return Taken.DONE

    def _tell_agent(self, why: str, now_ms: int) -> None:
        """By whisper: a code has no other answer."""
        notice = Wish(Purpose.NOTICE, Prompt.NO_SUPERVISOR.value, self._voices.agent, PROMPT_MS, why)
        self._speaker.ask(notice, now_ms)

    def on_hold(self) -> None:
        """The consultation has begun, if there was to be one."""
        self._consults = self._consulting is not None
        self._consulting = self._hold_by = None

    def resumed(self, now_ms: int) -> None:
        """A supervisor who was busy, did not answer, or sent the agent back has not taken the caller over."""
        if self._consults:
            self._consults = False
            self._tell_agent("the agent has the caller back", now_ms)

    def not_carried(self, request_id: str, error: str, now_ms: int) -> None:
        """Asterisk has refused what this request needs."""
        if request_id == self._consulting:
            self._not_consulted(error, now_ms)

    def _not_consulted(self, why: str, now_ms: int) -> None:
        """The caller was told that they will hear from us, and there is no transfer: a call-back keeps that word."""
        self._consulting = self._hold_by = None
        self._holding.announced = False
        self._passed_on = self._has_number
        if self._has_number:
            self._put_on_list(why, now_ms)
        self._tell_agent(why, now_ms)

    def said(self, wish: Wish, outcome: Outcome, now_ms: int) -> None:
        """A prompt of an action is over, said or not."""
        self.outstanding -= 1
        case = self._case
        heard = outcome in (Outcome.REACHED, Outcome.UNKNOWN)
        if wish.prompt == Prompt.ANYTHING_ELSE and heard:
            self._asked_at = now_ms
        if wish.prompt == Prompt.ASK_SUPERVISOR and self._supervisor is not None and not case.parted and not case.done:
            exten, _, context = case.profile.supervisor.partition("@")
            self._consulting, self._supervisor = self._supervisor, None
            self._hold_by = now_ms + CONSULT_MS
            self._holding.announced = heard
            case.do(Consult(self._consulting, case.parties.agent_channel, exten, context))

    # -- anything else? ---------------------------------------------------------------------------------------------

    def answered(self) -> None:
        """The caller has pressed a key."""
        self._asked_at = None

    def next_deadline(self) -> int | None:
        """When to call `proceed`, epoch ms."""
        return min((at for at in (self._hold_by, self._goodbye_at()) if at is not None), default=None)

    def _goodbye_at(self) -> int | None:
        quiet_since = self._voices.quiet_since(caller_only=False)
        if self._asked_at is None or quiet_since is None:
            return None
        return max(self._asked_at, quiet_since) + ANSWER_MS

    def proceed(self, now_ms: int) -> None:
        """Do what is due."""
        if self._hold_by is not None and now_ms >= self._hold_by:
            self._not_consulted("Asterisk has not begun the transfer", now_ms)
        self._bid_goodbye(now_ms)

    def _bid_goodbye(self, now_ms: int) -> None:
        """A caller who wants nothing else is bidden goodbye; one who speaks, or whose agent does, is left alone."""
        asked_at, voices = self._asked_at, self._voices
        if asked_at is None:
            return
        spoke_at = max(voices.caller.spoke_at or 0, voices.agent.spoke_at or 0)
        if spoke_at > asked_at or self._holding.waits or self._case.state is not State.TALKING:
            self._asked_at = None
        elif (due := self._goodbye_at()) is not None and now_ms >= due:
            self._asked_at = None
            self._say(Prompt.WELCOME_AGAIN, Action.WRAPUP, now_ms)
