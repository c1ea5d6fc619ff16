"""The owner of one assisted talk: each event and each deadline goes to the part that it concerns."""

from collections.abc import Collection

from callflow.core import events
from callflow.core.assist.actions import Action, Refusal
from callflow.core.assist.case import Case
from callflow.core.assist.commands import ReturnCaller
from callflow.core.assist.facts import HoldChecked, NameOver, Outcome, PromptOver
from callflow.core.assist.holding import Holding
from callflow.core.assist.hooks import Bridge, Hooks
from callflow.core.assist.low_voice import LowVoice
from callflow.core.assist.lulls import Lulls
from callflow.core.assist.parting import Parting
from callflow.core.assist.silence import Silence
from callflow.core.assist.speaker import Purpose, Speaker, Wish
from callflow.core.assist.states import AFTER_PARTING, UNHEARD, Input, State
from callflow.core.assist.steps import StepKind
from callflow.core.assist.talk_actions import Taken, TalkActions
from callflow.core.assist.telling import Telling
from callflow.core.assist.voice_level import VoiceLevel
from callflow.core.assist.voices import Voice, Voices, ear_settings
from callflow.core.rings.records import HeldBy
from callflow.core.rings.talk_events import TalkEnded, TalkEvent, TalkHeld, TalkResumed
from callflow.core.screening.talk_detect import TalkDetectEar


class AssistedTalk:
    """One talk from the bridge to its end, or to the end of the parted caller's call."""

    def __init__(self, case: Case, now_ms: int, *, is_agent_used: bool = False) -> None:
        """`is_agent_used`: the agent's channel may have hooks of an earlier talk."""
        self.case, self._is_agent_used = case, is_agent_used
        parties, rules = case.parties, case.rules
        settings = ear_settings(case.profile.talk_detect.threshold)
        self.voices = Voices(
            Voice(TalkDetectEar(settings), parties.caller_uniqueid, parties.caller_channel, now_ms),
            Voice(TalkDetectEar(settings), parties.agent_uniqueid, parties.agent_channel, now_ms),
        )
        self.speaker = Speaker(
            case.talk_id,
            self.voices,
            round(rules.pause_s * 1000),
            round(rules.patience_s * 1000),
            case.file_of,
            case.do,
            self._prompt_over,
            pretends=case.pretends,
        )
        self._low_voice, telling = LowVoice(case), Telling(case, self.voices, self.speaker)
        silence = self._silence = Silence(case, self.voices, self._low_voice, telling)
        self._level = VoiceLevel(case, self.voices, self._low_voice, telling)
        self._hooks = Hooks(case, self.voices, lambda: silence.threshold)  # not of self: a talk that is over is freed
        self._parting = Parting(case, self.voices, self._silence.tell_agent)
        self._lulls = Lulls(case, self.voices, self.speaker)
        self._holding = Holding(case, self.voices, self.speaker)
        self._actions = TalkActions(case, self.voices, self.speaker, self._holding)
        self._finished = False
        self._key_down = ""
        """The caller's key that was reported as pressed, and not yet as released."""
        self._own_prompt_over_ms = 0
        """A silence is timed from here: while callflow spoke on the agent's word, the agent waited."""
        case.tell(StepKind.BEGAN, now_ms)

    # -- from beginning to end --------------------------------------------------------------------------------------

    def start(self) -> None:
        """The talk has begun: the ears are set."""
        self._hooks.start(agent_too=self._is_agent_used)

    def start_held(self, held_by: Collection[HeldBy], now_ms: int) -> None:
        """The talk was found in a hold: hooks now would end the music; they wait for the end of the hold."""
        self.case.go(Input.HOLD)
        for party in held_by:
            self._holding.begin(now_ms, party, fragile=True)

    @property
    def _believes(self) -> bool:
        """Ears may be set afresh now: no music is played that this could end, and the goodbye has not begun."""
        return self._hooks.all_set and not self._holding.lasts and not self.case.parted

    def finish(self, now_ms: int) -> None:
        """Nothing more is done: prompts end, ears come off."""
        if self._finished:
            return
        self._finished = True
        case = self.case
        case.state = State.DONE
        self._holding.naming.end(now_ms)
        self.speaker.close(now_ms)
        case.close_tap()
        self._hooks.remove()
        case.tell(StepKind.ENDED, now_ms, lasted_ms=max(0, now_ms - case.began_ms))

    def abandon(self, now_ms: int) -> None:
        """An error of our own: a parted caller returns, any other talk is left alone."""
        if self.case.state in AFTER_PARTING:
            self.case.do(ReturnCaller(self.case.parties.caller_channel))
        self.finish(now_ms)

    # -- what comes in ----------------------------------------------------------------------------------------------

    def receive(self, event: object, now_ms: int) -> None:
        """Take in one event; raises IllegalInput for one that fits nowhere."""
        match event:
            case events.SoundStarted() | events.SoundEnded():
                spoke = self.voices.caller.speaking
                if (voice := self.voices.hear(event, now_ms)) is not None:
                    self._speech(voice, now_ms)
                elif self.case.nuisance and spoke and not self.voices.caller.speaking:
                    self._speech(self.voices.caller, now_ms)  # went on speaking after the agent's word
            case events.KeyPressed():
                self._key(event, now_ms)
            case events.CallerHungUp(uniqueid):
                self._hung_up(uniqueid)
            case events.EarArmed() | events.EarFailed() | events.TapOpened() | events.VoiceBegan():
                self._ear(event, now_ms)
            case HoldChecked():
                self._hold_checked(event, now_ms)
            case events.EarDeafened() | events.TapLost():
                self._ear_lost(event, now_ms)
            case events.WindowJudged():
                self._silence.judged(event, now_ms)
                self._parting.judged(event, now_ms)
                self._level.judged(event, now_ms)
            case events.GainSet(_, _, gain_db):
                self._low_voice.gain_set(gain_db, now_ms)
                self._silence.gain_set(now_ms)
                self._level.gain_set(now_ms)
            case events.GainRefused(_, reason):
                self._silence.gain_refused(reason, now_ms)
                self._level.gain_refused(reason, now_ms)
            case PromptOver():
                self.speaker.over(event)
            case NameOver():
                self._holding.naming.over(event, now_ms)
            case events.LinkLost():
                self.case.go(Input.LINK_LOST)
            case _:
                self._parting.receive(event, now_ms)
        self._proceed(now_ms)

    def talk_event(self, event: TalkEvent, now_ms: int) -> None:
        """The ring tracker tells of a hold, or of the end."""
        case = self.case
        match event:
            case TalkHeld(_, _, by_agent) if case.state not in AFTER_PARTING:
                self._held(_party(by_agent), now_ms)
            case TalkResumed(_, _, by_agent) if case.state is State.HELD:
                self._resumed(_party(by_agent), now_ms)
            case TalkEnded() if case.state not in AFTER_PARTING:
                self._holding.end(now_ms, thanks=False)
                case.go(Input.TALK_ENDED)
        self._proceed(now_ms)

    def _held(self, party: HeldBy, now_ms: int) -> None:
        """One party has put the other on hold; the other may have done so before."""
        if self._holding.is_by(party):
            return
        if not self._holding.lasts:
            self._leave_for_hold(now_ms)
        by_agent = party is HeldBy.AGENT
        if by_agent:
            self._actions.consultation.on_hold()
        self._holding.begin(now_ms, party, fragile=self._hooks.bridge is not Bridge.SIMPLE)
        self._hooks.held(now_ms, by_agent=by_agent)

    def _leave_for_hold(self, now_ms: int) -> None:
        """What is not done in a hold ends."""
        self.case.go(Input.HOLD)
        if self._hooks.bridge is Bridge.CHANGING:
            self.case.tell(StepKind.DOUBT, now_ms, "music", "the hold began while Asterisk was setting an ear")
        self._silence.stop()
        self._silence.leave_tap()  # a whisper over music is not heard if the caller's channel has a tap
        self._level.stop()
        self._parting.stop()
        self._end_nuisance()

    def _resumed(self, party: HeldBy, now_ms: int) -> None:
        """One party has taken the other back: the hold is over once neither holds."""
        self._holding.end_by(party, now_ms)
        if self._holding.lasts:
            return
        self.case.go(Input.RESUME if self.case.heard else Input.RESUME_UNHEARD)
        self._actions.consultation.resumed(now_ms)
        self.voices.caller.silent_since = self.voices.agent.silent_since = now_ms
        self._lulls.begin(now_ms)
        if not self._hooks.settled:
            self.start()

    def act(self, action: Action, request_id: str, now_ms: int) -> Refusal | Taken:
        """The agent asks for something in this talk."""
        if (refusal := self._actions.refuse(action)) is not None:
            return refusal
        if self.case.state in UNHEARD:
            self._leave_rung(now_ms, "the agent asks for something")
        if action is Action.NUISANCE:
            taken: Refusal | Taken = self._begin_nuisance(now_ms)
        else:
            taken = self._actions.act(action, request_id, now_ms)
        if action is Action.BACK:
            self._lulls.begin(now_ms)
        self._proceed(now_ms)
        return taken

    def carried(self, action: Action, request_id: str, now_ms: int) -> None:
        """Asterisk has done what an action needs."""
        if self.case.state in UNHEARD:
            self._leave_rung(now_ms, "the agent asks for something")
        self._actions.carried(action, request_id, now_ms)
        self._proceed(now_ms)

    def not_carried(self, request_id: str, error: str, now_ms: int) -> None:
        """Asterisk has refused what a request that was answered already needs."""
        self._actions.consultation.not_carried(request_id, error, now_ms)
        self._proceed(now_ms)

    def _leave_rung(self, now_ms: int, why: str) -> None:
        """The agent does something: the ladder waits, its place is kept."""
        self._silence.stop()
        self._parting.stop()
        self.case.go(Input.AGENT_SPEAKS)
        self.speaker.forget(now_ms, why)

    def _begin_nuisance(self, now_ms: int) -> Refusal | Taken:
        case = self.case
        if case.nuisance:
            return Refusal.ALREADY
        case.nuisance, case.heard = True, False
        self._level.stop()
        self.speaker.forget(now_ms, "the agent calls it a nuisance")
        self._holding.end_look_up(now_ms)
        self._silence.begin_nuisance(now_ms)
        return Taken.DONE

    def _end_nuisance(self) -> None:
        """The caller has answered, or the agent does otherwise."""
        if self.case.nuisance:
            self.case.nuisance, self.case.heard = False, True

    def _speech(self, voice: Voice, now_ms: int) -> None:
        state = self.case.state
        if voice is self.voices.caller:
            self.speaker.interrupt()
            self._caller_heard(now_ms, "the caller speaks")
            if self.case.state is State.TALKING:
                self._level.caller_speaks(now_ms)
            return
        if not self._holding.lasts:
            self.speaker.interrupt()
        if state in UNHEARD and state is not State.GREETING:
            self._leave_rung(now_ms, "the agent speaks")

    def _caller_heard(self, now_ms: int, why: str) -> None:
        case = self.case
        if case.state in AFTER_PARTING:
            self._parting.heard(now_ms, why)
            return
        if not case.heard:
            case.heard = True
            case.tell(StepKind.HEARD, now_ms, why=why)
        if case.state in UNHEARD or case.state is State.TOLD:
            case.go(Input.HEARD)
            self._talking(now_ms)

    def _talking(self, now_ms: int) -> None:
        """The caller was heard: the ladder is left for good, and the tap is not needed any more."""
        self._silence.stop()
        self._parting.stop()
        self._end_nuisance()
        self.speaker.forget(now_ms, "the caller was heard")
        self._lulls.begin(now_ms)
        self._silence.restore_ear(now_ms)
        self._silence.leave_tap()

    def _key(self, event: events.KeyPressed, now_ms: int) -> None:
        """The caller presses a key: it counts once, when it is pressed. Of a key by SIP INFO only the end is told."""
        if event.uniqueid != self.case.parties.caller_uniqueid:
            return
        is_known = event.released and event.key == self._key_down
        self._key_down = "" if event.released else event.key
        if is_known:
            return
        self._actions.anything_else.forget()
        if self._holding.lasts or self._holding.takes_key:
            self._holding.key(event.key, now_ms)
        if not self._holding.lasts:
            self._caller_heard(now_ms, f"the caller presses {event.key}")

    def _hung_up(self, uniqueid: str) -> None:
        if uniqueid == self.case.parties.caller_uniqueid:
            self.case.go(Input.HUNG_UP)

    def _ear(self, event: object, now_ms: int) -> None:
        case = self.case
        match event:
            case events.EarArmed(ear):
                self._hooks.is_set(ear)
                if case.state is State.ARMING and self._hooks.all_set:
                    self._ready(now_ms)
                self._hooks.proceed(now_ms)
            case events.EarFailed(_, reason):
                self._deaf(reason, now_ms)
            case events.TapOpened(is_whole=False) if case.state in UNHEARD:
                self._silence.lower_ear(now_ms)
            case events.TapOpened() if case.state is State.TIMING:
                self._silence.tap_opened()
            case events.TapOpened() if case.state is State.TALKING:
                self._level.tap_opened(now_ms)
            case events.VoiceBegan(certain=True) if case.state in AFTER_PARTING:
                self._caller_heard(now_ms, "the tap hears a voice")

    def _hold_checked(self, event: HoldChecked, now_ms: int) -> None:
        if event.problem:
            self._deaf(event.problem, now_ms)
        else:
            self._hooks.checked(event.check_id, now_ms, held=event.held)

    def _deaf(self, reason: str, now_ms: int) -> None:
        """An ear cannot be set: the talk is left alone."""
        if self.case.state not in AFTER_PARTING:
            self.case.tell(StepKind.DOUBT, now_ms, "ear", reason)
            self.case.go(Input.TALK_ENDED)

    def _ready(self, now_ms: int) -> None:
        self.case.go(Input.EARS_READY)
        if self.case.heard:
            self.case.go(Input.HEARD)
            self._talking(now_ms)

    def _ear_lost(self, event: events.EarDeafened | events.TapLost, now_ms: int) -> None:
        """Without a tap Asterisk's ear serves; one that has gone deaf serves nobody."""
        state = self.case.state
        if state is State.TALKING:
            self._level.stop()
        if isinstance(event, events.TapLost) and state not in AFTER_PARTING:
            if state in UNHEARD:
                self._silence.lower_ear(now_ms)
            return
        why = "the ear has gone deaf" if isinstance(event, events.EarDeafened) else "the tap was lost"
        if state is State.PARTING:
            self._parting.heard(now_ms, why)
        elif state in AFTER_PARTING:
            self._parting.doubt(why, now_ms)
        elif state in UNHEARD:
            self._silence.tell_agent(now_ms, why, doubt=True)

    def _prompt_over(self, wish: Wish, outcome: Outcome, reason: str, now_ms: int) -> None:
        why = f"{wish.why}; {reason}" if reason else wish.why
        what = f"{wish.prompt} to {'caller' if wish.to is self.voices.caller else 'agent'}"
        self.case.tell(StepKind.SAID, now_ms, what, why, outcome=outcome.value)
        match wish.purpose:
            case Purpose.LADDER:
                self._silence.asked(wish, outcome, now_ms)
            case Purpose.LULL:
                self._lulls.over(now_ms)
            case Purpose.LEVEL:
                self._lulls.over(now_ms)
                self._level.asked(wish, outcome, now_ms)
            case Purpose.ACTION | Purpose.HOLD | Purpose.NAME:
                self._lulls.over(now_ms)
                self._own_prompt_over_ms = now_ms
                if wish.purpose is Purpose.ACTION:
                    self._actions.said(wish, outcome, now_ms)
                elif wish.purpose is Purpose.NAME:
                    self._holding.naming.asked(outcome, now_ms)
            case Purpose.NOTICE:
                pass

    # -- deadlines --------------------------------------------------------------------------------------------------

    def expire(self, now_ms: int) -> None:
        """Do what is due."""
        self._hooks.proceed(now_ms)
        for voice in self.voices.expire(now_ms):
            self._speech(voice, now_ms)
        if self._believes:
            self._hooks.doubt_endless_sounds(now_ms)
        self._silence.proceed(now_ms)
        self._parting.proceed(now_ms)
        self._holding.proceed(now_ms)
        self._level.proceed(now_ms)
        self._proceed(now_ms)

    def _proceed(self, now_ms: int) -> None:
        """What follows from where everything stands now."""
        case = self.case
        if case.done:
            self.finish(now_ms)
            return
        if case.state is State.GREETING:
            self._await_greeting(now_ms)
        if case.state is State.FENCING and self._silence.last_rung is not None:
            rung, self._silence.last_rung = self._silence.last_rung, None
            self._parting.begin(rung, now_ms)
        if case.state is State.TALKING and not case.heard:
            self._caller_understood(now_ms)
        if case.state is State.TALKING and not self._holding.waits:
            self._lulls.proceed(now_ms)
        if case.state not in AFTER_PARTING:
            self._actions.proceed(now_ms)
            self.speaker.proceed(now_ms)

    def _caller_understood(self, now_ms: int) -> None:
        """The tap, or the gain, has shown a voice that the agent can understand."""
        self.case.heard = True
        self.case.tell(StepKind.HEARD, now_ms, why="the agent can understand the caller's voice")
        self._talking(now_ms)

    def _await_greeting(self, now_ms: int) -> None:
        agent = self.voices.agent
        if self._holding.waits or self._actions.outstanding:
            return
        if agent.spoke_at is not None and not agent.sounding and not self.voices.caller.sounding:
            since = max(agent.silent_since, self.voices.caller.silent_since, self._own_prompt_over_ms)
            self._silence.agent_stopped(since, now_ms)

    def next_deadline(self) -> int | None:
        """When to call `expire`, epoch ms."""
        case = self.case
        parts = (self._hooks, self.voices, self._parting, self._level)
        due = [part.next_deadline() for part in parts]
        if self._believes:
            due.append(self.voices.next_endless())
        if case.state not in AFTER_PARTING:
            due += [self._silence.next_deadline(), self._holding.next_deadline(), self._actions.next_deadline()]
            due.append(self.speaker.next_deadline())
        if case.state is State.TALKING and not self._holding.waits:
            due.append(self._lulls.next_deadline())
        return min((at for at in due if at is not None), default=None)


def _party(by_agent: bool) -> HeldBy:
    return HeldBy.AGENT if by_agent else HeldBy.CALLER
