"""One screened call: every fact that reaches it, every deadline, and what becomes of it."""

from callflow.core import events
from callflow.core.call_record import Kind
from callflow.core.screening.climbing import Climbing
from callflow.core.screening.states import IllegalInput, Input, Result, State

KEY_BEFORE_MS = 100
"""A key released so soon may have been pressed in a menu before, which has sent the caller here."""


class Screening(Climbing):
    """Acts on one call: `receive`, `expire` and `next_deadline` are what the engine calls."""

    def next_deadline(self) -> int | None:
        """When `expire` must be called, epoch ms; a sound not yet judged holds back silence."""
        decide_at = self._ears.decide_at
        held_back = decide_at is not None and self.state in (State.LISTENING, State.PAUSING)
        due = (decide_at, self._trust_at, self._look_at, self._probe_at, None if held_back else self._state_at)
        return min((at for at in due if at is not None), default=None)

    def expire(self, now_ms: int) -> None:
        """A deadline has passed: a sound is speech, a look is due, or the state's time is over."""
        if judgement := self._ears.expire(now_ms):
            self._judged(judgement, now_ms)
        elif self._looks_due(now_ms) or self._probe_due(now_ms):
            pass
        elif self._state_at is not None and now_ms >= self._state_at:
            self._time_over(now_ms)

    def receive(self, event: events.Event, now_ms: int) -> None:
        """Take in one fact about this call; raises IllegalInput where the table of states has no place for it."""
        match event:
            case events.EarArmed():
                self.ear_armed(now_ms)
            case events.EarFailed():
                self.ear_failed(event.reason, now_ms)
            case events.SoundStarted() | events.SoundEnded():
                self.ear_told(event, now_ms)
            case events.VoiceBegan() | events.TapOpened() | events.TapLost() | events.MediaBegan():
                self.ear_told(event, now_ms)
                self.tap_told(event, now_ms)
            case events.EarDeafened():
                self.doubt("the caller's packets come, and no sound of them reaches us", now_ms)
            case events.WindowJudged() | events.GainSet() | events.GainRefused():
                self.answered(event, now_ms)
            case events.KeyPressed():
                self.key_pressed(event, now_ms)
            case events.PromptFinished():
                self.prompt_finished(event, now_ms)
            case events.PromptFailed():
                self.prompt_failed(event, now_ms)
            case events.EventsFenced():
                self.fenced(now_ms)
            case events.FenceFailed():
                self.unfenced(event.reason, now_ms)
            case events.CallerHungUp():
                self.hung_up(event.at_ms, now_ms)
            case events.AgiClosed():
                self.taken(event.at_ms, now_ms)
            case events.LinkLost():
                self.link_lost(event.reason, now_ms)

    # -- facts ----------------------------------------------------------------------------------------------------

    def key_pressed(self, event: events.KeyPressed, now_ms: int) -> None:
        """A key is a sign of life like speech."""
        if event.released and now_ms < self.arrived.at_ms + KEY_BEFORE_MS:
            return
        self._tell(Kind.KEY, event.at_ms, event.key)
        self._heard(Result.KEY, event.at_ms, now_ms)

    def ear_armed(self, now_ms: int) -> None:
        """Asterisk listens to the caller: begin the first rung, or go on after it was set anew."""
        if not self._arms_awaited:
            raise IllegalInput(self.state, Input.EAR_ARMED)
        self._arms_awaited -= 1
        if self.state is not State.ARMING:
            return
        self._ears.forget()
        self._go(Input.EAR_ARMED)
        self._tell(Kind.EAR, now_ms, "talk_detect", "armed")
        self._begin_rung(now_ms)

    def ear_failed(self, reason: str, now_ms: int) -> None:
        """Nobody can be heard for certain without Asterisk's own ear, so nobody is judged."""
        self._go(Input.EAR_FAILED)
        self._tell(Kind.EAR, now_ms, "talk_detect", f"not armed: {reason}")
        self._conclude(Result.UNAVAILABLE, now_ms, "no ear")

    def ear_told(self, event: events.Event, now_ms: int) -> None:
        """One of the ears has something to say."""
        if judgement := self._ears.hear(event, now_ms):
            self._judged(judgement, now_ms)

    def tap_told(self, event: events.Event, now_ms: int) -> None:
        """Without the tap the call goes on with Asterisk's ear, which cannot say that a voice is too low."""
        match event:
            case events.TapOpened():
                self._tell(Kind.EAR, now_ms, "tap", "listening")
            case events.TapLost():
                self._tell(Kind.EAR, now_ms, "tap", f"not had: {event.reason}")
                if self._climb.quiet and self._climb.last:
                    self.doubt("the ear that heard a low voice was lost", now_ms)
                elif (since := self._ears.speech_since) is not None:
                    self._heard(Result.SPOKE, since, now_ms)
            case events.MediaBegan():
                if self.state is State.LISTENING and self._listen_from is not None and self._listen_from > now_ms:
                    self._begin_window(now_ms)
                    self._listen_since(now_ms)

    def prompt_finished(self, event: events.PromptFinished, now_ms: int) -> None:
        """The prompt has ended by itself: its rung's listening time begins."""
        if event.play_id != self._play_id:
            return
        self._playing = False
        self._tell(Kind.PROMPT_ENDED, event.at_ms, self._climb.rung.prompt or "")
        self._listen(Input.PROMPT_ENDED, now_ms)

    def prompt_failed(self, event: events.PromptFailed, now_ms: int) -> None:
        """Try the default language once; a caller who cannot be spoken to goes on to a person."""
        if event.play_id != self._play_id:
            return
        self._playing = False
        self._tell(Kind.PROMPT_FAILED, event.at_ms, self._climb.rung.prompt or "", event.reason)
        if self.journal.language != self._default_language:
            self.journal.language = self._default_language
            self._say(self._climb.rung, now_ms)
            return
        self._go(Input.PROMPT_FAILED)
        self._conclude(Result.UNAVAILABLE, now_ms, "the prompt could not be played")

    def fenced(self, now_ms: int) -> None:
        """No event is on its way any more: the last look before the hang-up."""
        self._only_confirming()
        if self._ears.decide_at is not None:
            self._fence_again = True
            return
        self._fenced = True
        if not self._verdict_asked and not self._look_asked and self._unexplained is None:
            self._confirm(now_ms)

    def unfenced(self, reason: str, now_ms: int) -> None:
        """The fence has failed, if there still is one."""
        self._only_confirming()
        self.doubt(reason, now_ms)

    def _only_confirming(self) -> None:
        if self.state is not State.CONFIRMING:
            raise IllegalInput(self.state, Input.CERTAIN)

    def doubt(self, reason: str, now_ms: int) -> None:
        """Nobody can tell whether the caller was heard just now: not hung up."""
        self._go(Input.DOUBT)
        self._conclude(Result.UNAVAILABLE, now_ms, reason)

    def link_lost(self, reason: str, now_ms: int) -> None:
        """AMI is gone: whoever is being screened goes on to a person."""
        self.journal.partial = True
        self._go(Input.LINK_LOST)
        self._tell(Kind.LINK_LOST, now_ms, "ami", reason)
        self._conclude(Result.UNAVAILABLE, now_ms, "the ear was lost")

    def hung_up(self, at_ms: int, now_ms: int) -> None:
        """The caller's channel is gone."""
        self._go(Input.HUNG_UP)
        self._tell(Kind.HUNG_UP, at_ms, "caller")
        self._conclude(Result.HANGUP, now_ms, "the caller hung up")

    def taken(self, at_ms: int, now_ms: int) -> None:
        """A fax tone, a redirect or a transfer took the channel out of our hands."""
        self._go(Input.TAKEN)
        self._tell(Kind.TAKEN, at_ms)
        self._conclude(Result.TAKEN, now_ms, "the call was taken elsewhere")

    def screened_again(self, at_ms: int, now_ms: int) -> None:
        """The dialplan sent the same channel in a second time: the first screening is over."""
        self.taken(at_ms, now_ms)

    def _time_over(self, now_ms: int) -> None:
        match self.state:
            case State.LISTENING:
                self._listened(now_ms)
            case State.WEIGHING:
                self._weighing_over(now_ms)
            case State.RAISING:
                self._not_raised("Asterisk did not answer in time", now_ms)
            case State.PAUSING:
                self._go(Input.PAUSE_OVER)
                self._ask_and_fence(now_ms)
            case State.CONFIRMING:
                self.doubt("Asterisk did not answer in time", now_ms)
            case State.ARMING:
                self.ear_failed("Asterisk did not answer in time", now_ms)
            case State.SPEAKING:
                self._go(Input.PROMPT_FAILED)
                self._conclude(Result.UNAVAILABLE, now_ms, "the prompt did not end")
