"""One screened call: every fact that reaches it and every deadline go to the part that they concern.

The call itself holds the state and the conclusion. The rungs climb the ladder, the assessor says what was heard, the
certainty guards the hang-up; raising and probe deal with voices that are too low.
"""

from dataclasses import replace

from callflow.core import commands, events
from callflow.core.call_record import Kind
from callflow.core.heard import Heard
from callflow.core.profile import QUIET_LADDER, Ladder, Procedures, Profile
from callflow.core.screening.assessor import VOICE, Answer, Assessment, Assessor, Moment
from callflow.core.screening.call import Call
from callflow.core.screening.certainty import Certainty
from callflow.core.screening.ears import Ears
from callflow.core.screening.gain import label
from callflow.core.screening.ladder import LadderPosition
from callflow.core.screening.link import Link
from callflow.core.screening.probe import Pace, Probe
from callflow.core.screening.raising import Raising
from callflow.core.screening.rungs import ANSWER_TIMEOUT_MS, Rungs
from callflow.core.screening.states import IllegalInput, Input, Result, State
from callflow.core.screening.talk_detect import EarName, Sound

MEASURE_MS = 800
"""So much of a voice is measured before its level counts."""
HEAR_OUT_MS = 2000
"""A caller who is about to be asked to speak up is first let finish."""
MAX_INCONCLUSIVE_VOICES = 3
"""Most restarts of a rung's listening time after false voice detections, so that listening always ends."""
KEY_BEFORE_MS = 100
"""A key released so soon may have been pressed in a menu before, which has sent the caller here."""
HELD_BACK = (State.LISTENING, State.PROBING, State.PAUSING)
"""A sound that is not judged yet holds back the end of these."""
MEASURING = (State.JUDGING, State.MEASURING, State.WEIGHING)


class Screening:
    """Owns one call and its parts."""

    def __init__(
        self, arrived: events.CallArrived, profile: Profile, ladder: Ladder, procedures: Procedures, link: Link
    ) -> None:
        ears = Ears(profile)
        place = LadderPosition(ladder, procedures.ladders.get(profile.quiet.ladder, QUIET_LADDER))
        language = procedures.choose_language(profile, arrived.language)
        self.call = call = Call(arrived, profile, language, lambda: (ears.name, place.number))
        self._default_language = procedures.default_language
        self._link = link
        do = call.do
        ask = commands.JudgeWindow
        assessor = Assessor(profile, lambda number, verdict: do(ask(arrived.call_id, arrived.channel, number, verdict)))
        self._ears, self._ladder, self._assessor, self._probe = ears, place, assessor, Probe(call, ears)
        self._rungs = Rungs(call, place, ears, assessor, self._probe, link)
        self._raising = Raising(call, place, self._rungs.begin)
        self._certainty = Certainty(call, link, lambda: ears.decide_at is not None or assessor.pending)

    @property
    def done(self) -> bool:
        """Nothing more will come of this call."""
        return self.call.state is State.DONE

    def start(self, now_ms: int) -> None:
        """The first thing: write the call down and arm the ears."""
        call = self.call
        call.over_at = now_ms + ANSWER_TIMEOUT_MS
        call.falls_silent(now_ms)
        call.begin()
        self._probe.arm()
        if self._ears.wants_tap:
            call.do(commands.OpenTap(call.id, call.arrived.uniqueid, call.channel))

    def screened_again(self, at_ms: int, now_ms: int) -> None:
        """Another screening of the same channel has begun: this one is over, and its connection given back."""
        self.call.tell(Kind.TAKEN, at_ms)
        result = Result.UNAVAILABLE if self.call.conduct.acts else Result.TAKEN
        self.call.conclude(Input.SCREENED_AGAIN, result, now_ms, "screened again")

    # -- time -------------------------------------------------------------------------------------------------------

    def next_deadline(self) -> int | None:
        """When `expire` must be called, epoch ms; a sound not yet judged holds back the end of listening."""
        decide_at = self._ears.decide_at
        held_back = decide_at is not None and self.call.state in HELD_BACK
        over_at = None if held_back else self.call.over_at
        due = (decide_at, self._assessor.next_deadline, self._probe.due_at, over_at, self.call.speak_by)
        return min((at for at in due if at is not None), default=None)

    def expire(self, now_ms: int) -> None:
        """A deadline has passed: a sound is speech, a look is due, or time is over: the state's, or that of silence."""
        look_at, probe_at, over_at = self._assessor.next_deadline, self._probe.due_at, self.call.over_at
        if sound := self._ears.expire(now_ms):
            self._sound(sound, now_ms)
        elif look_at is not None and now_ms >= look_at:
            self._assessed(self._assessor.expire(now_ms), now_ms)
        elif probe_at is not None and now_ms >= probe_at:
            self._probe.begin()
        elif any(at is not None and now_ms >= at for at in (over_at, self.call.speak_by)):
            self._time_over(now_ms)

    def _time_over(self, now_ms: int) -> None:
        call = self.call
        match call.state:
            case State.ARMING:
                self._ear_failed("Asterisk did not answer in time", now_ms)
            case State.SPEAKING:
                self._rungs.prompt_over(now_ms)
            case State.LISTENING | State.PROBING:
                self._rungs.listened(now_ms)
            case State.TRYING:
                self._probe.begin_pacing(now_ms)
            case State.PACING:
                self._paced(now_ms)
            case State.MEASURING:
                call.go(Input.MEASURED)
                self._assessor.ask_verdict()
                call.over_at = now_ms + ANSWER_TIMEOUT_MS
            case State.JUDGING | State.WEIGHING:
                self._assessed(self._assessor.give_up(call.id, self._moment, now_ms), now_ms)
            case State.RAISING:
                self._raising.has_timed_out(now_ms)
                self._too_low(call.journal.level_dbov, call.journal.heard_at_ms or now_ms, now_ms)
            case State.PAUSING if call.speak_by is None or now_ms < call.speak_by:
                self._certainty.begin(now_ms)
            case State.WATCHING:
                call.end(Input.WATCHED, now_ms, "observed to the end")
            case _:
                self._certainty.doubt("Asterisk did not answer in time", now_ms)

    # -- facts ------------------------------------------------------------------------------------------------------

    def receive(self, event: events.Event, now_ms: int) -> None:
        """Take in one fact about this call; raises IllegalInput where the table of states has no place for it."""
        match event:
            case events.SoundStarted() | events.SoundEnded() | events.VoiceBegan():
                self._hear(event, now_ms)
            case events.EarArmed() | events.TapOpened() | events.TapLost() | events.MediaBegan():
                self._ear_changed(event, now_ms)
            case events.EarFailed():
                self._ear_failed(event.reason, now_ms)
            case events.EarDeafened():
                self._certainty.doubt("the caller's packets come, and no sound of them reaches an ear", now_ms)
            case events.WindowJudged():
                self._assessed(self._assessor.judge(event, self._moment, now_ms), now_ms)
            case events.GainSet() | events.GainRefused():
                self._gain_answered(event, now_ms)
            case events.KeyPressed():
                self._key_pressed(event, now_ms)
            case events.PromptFinished():
                self._rungs.prompt_finished(event.play_id, event.at_ms, now_ms)
            case events.PromptFailed():
                default = self._default_language
                self._rungs.prompt_failed(event.play_id, event.reason, default, event.at_ms, now_ms)
            case events.EventsFenced():
                self._fenced(event, now_ms)
            case events.FenceFailed():
                self._certainty.expect(event.fence_id)
                self._certainty.doubt(event.reason, now_ms)
            case events.Released():
                self.call.end(Input.RELEASED, now_ms, "the hang-up was carried out")
            case events.ReleaseFailed():
                self._certainty.not_released(event.reason, now_ms)
            case _:
                self._lost(event, now_ms)

    def _lost(self, event: events.Event, now_ms: int) -> None:
        """The caller, the channel or the link is gone; an observed call outlasts the last two."""
        call = self.call
        survives = call.conduct.survives
        match event:
            case events.CallerHungUp():
                call.tell(Kind.HUNG_UP, event.at_ms, "caller")
                call.conclude(Input.HUNG_UP, Result.HANGUP, now_ms, "the caller hung up")
            case events.AgiClosed() if Input.TAKEN not in survives:
                call.tell(Kind.TAKEN, event.at_ms)
                call.conclude(Input.TAKEN, Result.TAKEN, now_ms, "the call was taken elsewhere")
            case events.LinkLost():
                call.journal.partial = True
                call.tell(Kind.LINK_LOST, now_ms, "ami", event.reason)
                if Input.LINK_LOST not in survives:
                    call.conclude(Input.LINK_LOST, Result.UNAVAILABLE, now_ms, "the ear was lost")

    def _key_pressed(self, event: events.KeyPressed, now_ms: int) -> None:
        """A key is a sign of life like speech."""
        if event.released and now_ms < self.call.arrived.at_ms + KEY_BEFORE_MS:
            return
        self.call.tell(Kind.KEY, event.at_ms, event.key)
        self._heard(Result.KEY, event.at_ms, now_ms)

    def _fenced(self, event: events.EventsFenced, now_ms: int) -> None:
        if self._certainty.fenced(event.fence_id, now_ms):
            if self._ears.tapped or self._link.may_go_deaf:
                self._assessor.ask_verdict()
            else:
                self._certainty.confirm(None, now_ms, quiet=self._ladder.quiet)

    # -- the ears ---------------------------------------------------------------------------------------------------

    def _ear_changed(self, event: events.Event, now_ms: int) -> None:
        """Without the tap the call goes on with Asterisk's ear, which cannot say that a voice is too low."""
        call = self.call
        if sound := self._ears.hear(event, now_ms):
            self._sound(sound, now_ms)
        match event:
            case events.EarArmed():
                self._ear_armed(now_ms)
            case events.TapOpened():
                call.tell(Kind.EAR, now_ms, EarName.TAP, "listening")
            case events.TapLost():
                call.tell(Kind.EAR, now_ms, EarName.TAP, f"not had: {event.reason}")
                if self._ladder.quiet and self._ladder.last:
                    self._certainty.doubt("the ear that heard a low voice was lost", now_ms)
                elif (since := self._ears.speech_since) is not None:
                    self._heard(Result.SPOKE, since, now_ms)
            case events.MediaBegan():
                self._rungs.media_began(now_ms)

    def _ear_armed(self, now_ms: int) -> None:
        """Asterisk listens to the caller: begin the first rung, or go on after it was set anew."""
        call = self.call
        if not self._ears.armed():
            raise IllegalInput(call.state, Input.EAR_ARMED)
        if call.state is State.ARMING:
            self._ears.forget()
            call.go(Input.EAR_ARMED)
            call.tell(Kind.EAR, now_ms, EarName.TALK_DETECT, "armed")
            self._rungs.begin(now_ms)

    def _ear_failed(self, reason: str, now_ms: int) -> None:
        """Nobody can be heard for certain without Asterisk's own ear, so nobody is judged."""
        call = self.call
        call.tell(Kind.EAR, now_ms, EarName.TALK_DETECT, f"not armed: {reason}")
        call.journal.partial = call.journal.partial or not call.conduct.acts
        call.conclude(Input.EAR_FAILED, Result.UNAVAILABLE, now_ms, "no ear")

    # -- what is heard ----------------------------------------------------------------------------------------------

    @property
    def _moment(self) -> Moment:
        state, ladder = self.call.state, self._ladder
        low_is_known = ladder.quiet and (ladder.last or state is State.SPEAKING)
        return Moment(
            gain_db=self.call.journal.gain_db,
            prompting=state is State.SPEAKING,
            measuring=state in MEASURING,
            only_clear=low_is_known or state is State.RAISING,
            before_hang_up=ladder.last,
        )

    def _hear(self, event: events.Event, now_ms: int) -> None:
        """One of the ears has something to say."""
        if isinstance(event, events.VoiceBegan) and not event.certain:
            self._assessor.perhaps(now_ms)
        sound = self._ears.hear(event, now_ms)
        if self.call.state is State.RELEASING and (sound is not None or self._ears.decide_at is not None):
            self._certainty.doubt("a sound began while the hang-up was under way", now_ms)
        elif sound is not None:
            self._sound(sound, now_ms)

    def _sound(self, sound: Sound, now_ms: int) -> None:
        """A click is noted and changes nothing; speech is a caller, once the tap has had its say."""
        call = self.call
        if sound.speech and call.state in (State.PROBING, State.PACING):
            self._probe.hear(sound, now_ms)
            return
        kind = Kind.SPEECH if sound.speech else Kind.CLICK
        call.tell(kind, sound.at_ms, sound.length, f"{sound.ear}: {sound.why}")
        if not sound.speech:
            self._certainty.explained()
        elif call.conduct.any_voice or not self._ears.tapped or call.state is State.ARMING:
            self._heard(Result.SPOKE, sound.at_ms, now_ms)
        elif call.state is not State.RAISING:
            self._assessed(self._assessor.hear(sound, self._moment, now_ms), now_ms)

    def _assessed(self, assessment: Assessment | None, now_ms: int) -> None:
        """Go where the answer leads."""
        if assessment is None:
            self._certainty.explained()
            return
        call, answer = self.call, assessment.answer
        window = assessment.window and self._noted(assessment.window, now_ms)
        level_dbov = window.level_dbov if window else None
        if call.conduct.any_voice and answer in (Answer.CLEAR, Answer.LOW, Answer.ASK_AGAIN):
            self._heard(Result.SPOKE, now_ms, now_ms)
        elif answer is Answer.CLEAR:
            self._raising.fit(level_dbov)
            self._heard(Result.SPOKE, assessment.at_ms, now_ms, by_finding=window is not None)
        elif answer is Answer.LOW and not self._moment.only_clear:
            self._too_low(level_dbov, assessment.at_ms, now_ms)
        elif answer is Answer.ASK_AGAIN:
            self._measure(assessment.at_ms, now_ms)
        elif answer is Answer.ON_HOLD:
            self._rungs.on_hold(now_ms)
        elif answer is Answer.JUST_BEGUN and self._rungs.may_listen_on:
            self._rungs.listen_on(now_ms)
        elif answer is Answer.JUST_BEGUN and self._rungs.may_ask:
            self._rungs.silence(now_ms)
        elif answer in (Answer.DOUBT, Answer.JUST_BEGUN) and window is not None:
            call.conclude(Input.DOUBT, Result.PASSED, now_ms, f"{window.heard}, and so perhaps a caller")
        else:
            self._nobody(assessment, now_ms)

    def _noted(self, window: events.WindowJudged, now_ms: int) -> events.WindowJudged:
        """The finding as it is written down: the profile alone says from which level on a voice is too low."""
        if window.heard in VOICE:
            self._raising.note(window)
            if window.level_dbov is not None:
                window = replace(window, heard=label(window.level_dbov, self.call.profile.quiet))
        self.call.journal.judged(window, now_ms)
        return window

    def _measure(self, at_ms: int, now_ms: int) -> None:
        """Stop speaking, and measure the voice."""
        call = self.call
        if call.state in (State.MEASURING, State.WEIGHING):
            return
        judging = call.state is State.JUDGING
        call.go(Input.VOICE)
        if judging:
            return  # the verdict has been asked already
        call.stop_prompt(now_ms)
        self._assessor.measure(at_ms, now_ms)
        up_next = self._ladder.next_quiet
        raises = up_next is not None and up_next.raise_gain
        call.over_at = call.within_silence(now_ms + (MEASURE_MS if raises else HEAR_OUT_MS))

    def _nobody(self, assessment: Assessment, now_ms: int) -> None:
        """Nothing was heard that changes the way up; from the last rung on a voice that came to nothing is a doubt."""
        call, rungs = self.call, self._rungs
        if call.state is State.CONFIRMING:
            self._certainty.confirm(assessment.window, now_ms, quiet=self._ladder.quiet)
        elif call.state is not State.WEIGHING or assessment.answer is Answer.LOW:
            rungs.silence(now_ms)
        elif self._ladder.last or not self._ears.tapped:
            self._heard(Result.SPOKE, assessment.at_ms, now_ms)
        elif rungs.inconclusive_voices == MAX_INCONCLUSIVE_VOICES:
            call.conclude(Input.DOUBT, Result.PASSED, now_ms, "something like a voice, again and again")
        else:
            rungs.inconclusive_voices += 1
            self._assessor.forget_voice()
            rungs.listen(Input.INCONCLUSIVE, now_ms)

    def _heard(self, how: Result, at_ms: int, now_ms: int, *, by_finding: bool = False) -> None:
        """The caller is there: nothing more is said and nobody is hung up on."""
        call, journal = self.call, self.call.journal
        watched = call.state is State.WATCHING
        journal.heard_after_would = journal.heard_after_would or watched
        if call.conduct.acts or journal.heard_at_ms is None:
            journal.heard_at_ms = at_ms
        if call.conduct.acts and not by_finding and journal.heard not in VOICE:
            journal.heard = None  # an earlier finding has not decided this
        result = Result.RESCUED if self._rungs.last_begun else how
        call.conclude(Input.HEARD, result, now_ms, "heard after all" if watched else "the caller was heard")

    # -- voices that are too low ------------------------------------------------------------------------------------

    def _too_low(self, level_dbov: float | None, at_ms: int, now_ms: int) -> None:
        self.call.journal.heard_at_ms = at_ms
        self._assessor.rest()
        self._raising.too_low(level_dbov, now_ms, tapped=self._ears.tapped)

    def _gain_answered(self, event: events.GainSet | events.GainRefused, now_ms: int) -> None:
        """Judge again, with the gain counted in: the tap hears the sound before it."""
        journal = self.call.journal
        at_ms = journal.heard_at_ms or now_ms
        clear: bool | None = None
        match event:
            case events.GainSet():
                clear = self._raising.is_set(event.gain_db, now_ms)
            case events.GainRefused() if self._raising.is_refused(event.reason, now_ms):
                clear = False
        if clear:
            self._heard(Result.SPOKE, at_ms, now_ms, by_finding=True)
        elif clear is False:
            self._too_low(journal.level_dbov, at_ms, now_ms)

    def _paced(self, now_ms: int) -> None:
        """Steady is noise, what comes and goes a low voice; after nothing more the caller goes on as they are."""
        pace, at_ms = self._probe.pace(), self.call.journal.heard_at_ms or now_ms
        if pace is Pace.NOTHING:
            self._heard(Result.SPOKE, at_ms, now_ms)
            return
        heard = Heard.NOISE if pace is Pace.STEADY else Heard.QUIET
        window = events.WindowJudged(self.call.id, 0, heard, why=f"{pace.value}, below the usual threshold")
        if pace is Pace.STEADY:
            self._assessed(self._assessor.judge_noise(window, at_ms), now_ms)
        else:
            self._noted(window, now_ms)
            self._too_low(None, at_ms, now_ms)
