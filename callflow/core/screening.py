"""One screened call climbing its ladder: what it was told, what it hears, what it wants done next."""

from callflow.core import commands as do
from callflow.core import events as it
from callflow.core.ear import Ear, Judgement
from callflow.core.profile import Ladder, Procedures, Profile, Rung
from callflow.core.record import CallRecord, Happening, Kind
from callflow.core.states import Input, Result, State, next_state
from callflow.core.talk_detect import TalkDetectEar

ARM_TIMEOUT_MS = 1000
FENCE_TIMEOUT_MS = 1000
FENCE_MS = 30
"""How long Asterisk may take to put an event in line for AMI (measured): the fence begins so much early."""


class Screening:
    """Acts on one call. `commands` fills up as events come in; the engine drains it after each."""

    def __init__(
        self, arrived: it.CallArrived, profile: Profile, ladder: Ladder, procedures: Procedures, now_ms: int
    ) -> None:
        self.arrived = arrived
        self.profile = profile
        self.state = State.ARMING
        self.result: Result | None = None
        self.would: Result | None = None
        self.partial = False
        self.commands: list[do.Command] = []
        self._rungs = ladder.rungs
        self._rung = 0
        self._ear: Ear = TalkDetectEar(profile.talk_detect)
        self._state_at: int | None = now_ms + ARM_TIMEOUT_MS
        self._procedures = procedures
        self._language = procedures.choose_language(profile, arrived.language)
        self._play_id = 0
        self._playing = False
        self._seq = 0
        self._heard_at: int | None = None
        self._heard_after_would = False
        self._fence_again = False

    # -- what the engine calls ------------------------------------------------------------------------------------

    @property
    def done(self) -> bool:
        """Nothing more will come of this call."""
        return self.state is State.DONE

    def start(self, now_ms: int) -> None:
        """The first thing: write the call down and arm the ear."""
        a = self.arrived
        self._tell(Kind.ARRIVED, a.at_ms, a.profile, f"{self.profile.mode} with ladder {self.profile.ladder}")
        self._save(now_ms, final=False)
        self._do(self._ear.arm(a.call_id, a.channel))

    def next_deadline(self) -> int | None:
        """When `expire` must be called, epoch ms; a sound not yet judged holds back silence."""
        decide_at = self._ear.decide_at
        if decide_at is None:
            return self._state_at
        if self._state_at is None or self.state in (State.LISTENING, State.PAUSING):
            return decide_at
        return min(decide_at, self._state_at)

    def expire(self, now_ms: int) -> None:
        """A deadline has passed: the sound is speech, or the state's time is over."""
        if judgement := self._ear.expire(now_ms):
            self._judged(judgement, now_ms)
        elif self._state_at is not None and now_ms >= self._state_at:
            self._time_over(now_ms)

    def receive(self, event: it.Event, now_ms: int) -> None:
        """Take in one fact about this call; raises IllegalInput where the table of states has no place for it."""
        match event:
            case it.EarArmed():
                self.ear_armed(now_ms)
            case it.EarFailed():
                self.ear_failed(event.reason, now_ms)
            case it.SoundStarted() | it.SoundEnded():
                if judgement := self._ear.hear(event, now_ms):
                    self._judged(judgement, now_ms)
            case it.KeyPressed():
                self.key_pressed(event, now_ms)
            case it.PromptFinished():
                self.prompt_finished(event, now_ms)
            case it.PromptFailed():
                self.prompt_failed(event, now_ms)
            case it.EventsFenced():
                self.fenced(now_ms)
            case it.FenceFailed():
                self.doubt(event.reason, now_ms)
            case it.CallerHungUp():
                self.hung_up(event.at_ms, now_ms)
            case it.AgiClosed():
                self.taken(event.at_ms, now_ms)
            case it.LinkLost():
                self.link_lost(event.reason, now_ms)

    def key_pressed(self, event: it.KeyPressed, now_ms: int) -> None:
        """A key is a sign of life like speech."""
        self._tell(Kind.KEY, event.at_ms, event.key)
        self._heard(Result.KEY, event.at_ms, now_ms)

    def ear_armed(self, now_ms: int) -> None:
        """Asterisk listens to the caller: begin the first rung."""
        self._go(Input.EAR_ARMED)
        self._ear.forget()
        self._tell(Kind.EAR, now_ms, self._ear.name, "armed")
        self._begin_rung(now_ms)

    def ear_failed(self, reason: str, now_ms: int) -> None:
        """Nobody can be heard without an ear, so nobody is judged."""
        self._go(Input.EAR_FAILED)
        self._tell(Kind.EAR, now_ms, self._ear.name, f"not armed: {reason}")
        self._conclude(Result.UNAVAILABLE, now_ms, "no ear")

    def prompt_finished(self, event: it.PromptFinished, now_ms: int) -> None:
        """The prompt has ended by itself: its rung's listening time begins."""
        if event.play_id != self._play_id:
            return
        self._playing = False
        self._tell(Kind.PROMPT_ENDED, event.at_ms, self._rungs[self._rung].prompt or "")
        self._listen(Input.PROMPT_ENDED, now_ms)

    def prompt_failed(self, event: it.PromptFailed, now_ms: int) -> None:
        """Try the default language once; a caller who cannot be spoken to goes on to a person."""
        if event.play_id != self._play_id:
            return
        self._playing = False
        self._tell(Kind.PROMPT_FAILED, event.at_ms, self._rungs[self._rung].prompt or "", event.reason)
        if self._language != self._procedures.default_language:
            self._language = self._procedures.default_language
            self._say(self._rungs[self._rung], now_ms)
            return
        self._go(Input.PROMPT_FAILED)
        self._conclude(Result.UNAVAILABLE, now_ms, "the prompt could not be played")

    def fenced(self, now_ms: int) -> None:
        """No event is on its way any more: the last look before the hang-up."""
        if self._ear.decide_at is not None:
            self._fence_again = True
        else:
            self._go(Input.CERTAIN)
            self._conclude(Result.SILENT, now_ms, "nobody was heard to the end of the ladder")

    def doubt(self, reason: str, now_ms: int) -> None:
        """Nobody can tell whether the caller was heard just now: not hung up."""
        self._go(Input.DOUBT)
        self._conclude(Result.UNAVAILABLE, now_ms, reason)

    def link_lost(self, reason: str, now_ms: int) -> None:
        """AMI is gone: whoever is being screened goes on to a person."""
        self.partial = True
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

    def turn_away(self, result: Result, now_ms: int, why: str) -> None:
        """Hand the caller on without screening."""
        a = self.arrived
        self._tell(Kind.ARRIVED, a.at_ms, a.profile)
        self.state = State.DONE
        Screening._conclude(self, result, now_ms, why)

    def screened_again(self, at_ms: int, now_ms: int) -> None:
        """The dialplan sent the same channel in a second time: the first screening is over."""
        self.taken(at_ms, now_ms)

    # -- climbing -------------------------------------------------------------------------------------------------

    def _begin_rung(self, now_ms: int) -> None:
        rung = self._rungs[self._rung]
        if rung.prompt is None:
            self._listen(Input.ONLY_LISTEN, now_ms)
        else:
            self._say(rung, now_ms)

    def _say(self, rung: Rung, now_ms: int) -> None:
        self._play_id += 1
        self._playing = True
        prompt = rung.prompt or ""
        self._tell(Kind.SAID, now_ms, prompt, f"rung {self._rung + 1} of {len(self._rungs)} in {self._language}")
        self._save(now_ms, final=False)
        self._state_at = now_ms + int(2000 * rung.prompt_s) + 5000
        file = self.profile.prompts.get(prompt, prompt)
        self._do(do.PlayPrompt(self.arrived.call_id, self._play_id, file, self._language))

    def _listen(self, after: Input, now_ms: int) -> None:
        self._go(after)
        self._state_at = now_ms + int(1000 * self._rungs[self._rung].listen_s)

    def _time_over(self, now_ms: int) -> None:
        match self.state:
            case State.LISTENING:
                self._silence(now_ms)
            case State.PAUSING:
                self._go(Input.PAUSE_OVER)
                self._fence()
                self._state_at = now_ms + FENCE_TIMEOUT_MS
            case State.CONFIRMING:
                self.doubt("Asterisk did not answer in time", now_ms)
            case State.ARMING:
                self.ear_failed("Asterisk did not answer in time", now_ms)
            case State.SPEAKING:
                self._go(Input.PROMPT_FAILED)
                self._conclude(Result.UNAVAILABLE, now_ms, "the prompt did not end")

    def _silence(self, now_ms: int) -> None:
        rung = self._rungs[self._rung]
        if rung.listen_s:
            self._tell(Kind.SILENCE, now_ms, f"{rung.listen_s:g} s")
        match rung.then:
            case "next":
                self._go(Input.STILL_SILENT)
                self._rung += 1
                self._begin_rung(now_ms)
            case "pass_on":
                self._go(Input.SILENT_PASS_ON)
                self._conclude(Result.PASSED, now_ms, "nobody was heard; the ladder hands over to a person")
            case "hang_up":
                self._go(Input.SILENT_PAUSE)
                self._tell(Kind.PAUSE, now_ms, f"{rung.pause_s:g} s")
                self._state_at = now_ms + max(0, int(1000 * rung.pause_s) - FENCE_MS)

    def _fence(self) -> None:
        self._fence_again = False
        self._do(do.FenceEvents(self.arrived.call_id))

    # -- hearing --------------------------------------------------------------------------------------------------

    def _judged(self, sound: Judgement, now_ms: int) -> None:
        """A click is noted and changes nothing; speech is a caller."""
        if sound.speech:
            self._tell(Kind.SPEECH, sound.at_ms, sound.what, sound.why)
            self._heard(Result.SPOKE, sound.at_ms, now_ms)
            return
        self._tell(Kind.CLICK, sound.at_ms, sound.what, sound.why)
        if self._fence_again:
            self._fence()

    def _heard(self, how: Result, at_ms: int, now_ms: int) -> None:
        """The caller is there: nothing more is said and nothing is hung up."""
        self._go(Input.HEARD)
        self._heard_at = at_ms
        rescued = self._rungs[self._rung].then == "hang_up"
        self._conclude(Result.RESCUED if rescued else how, now_ms, "the caller was heard")

    # -- outcome --------------------------------------------------------------------------------------------------

    def _conclude(self, result: Result, now_ms: int, why: str) -> None:
        """Give the call back with `result`, once, and write down why."""
        self._state_at = None
        self.result = result
        gone = result in (Result.HANGUP, Result.TAKEN)
        if self._playing and not gone:
            self._playing = False
            self._do(do.StopPrompt(self.arrived.call_id, self.arrived.channel))
            self._tell(Kind.PROMPT_STOPPED, now_ms, self._rungs[self._rung].prompt or "")
        self._tell(Kind.DECIDED, now_ms, result, why)
        self._save(now_ms, final=True)
        if not gone:
            self._do(do.Release(self.arrived.call_id, self.arrived.channel, result))

    def _go(self, what: Input) -> None:
        self.state = next_state(self.state, what)

    def _do(self, command: do.Command) -> None:
        self.commands.append(command)

    def _tell(self, kind: Kind, at_ms: int, what: str = "", why: str = "") -> None:
        if self.arrived.check:
            return
        self._seq += 1
        self._do(do.TellHappening(self.arrived.call_id, Happening(self._seq, at_ms, kind, what, why)))

    def _save(self, now_ms: int, *, final: bool) -> None:
        if self.arrived.check:
            return
        self._do(do.SaveCall(self.record(now_ms if final else None), final))

    def record(self, ended_ms: int | None) -> CallRecord:
        """The call as it stands; `ended_ms` None while it lasts."""
        a = self.arrived
        return CallRecord(
            call_id=a.call_id,
            uniqueid=a.uniqueid,
            channel=a.channel,
            profile=a.profile,
            mode=self.profile.mode,
            ladder=self.profile.ladder,
            ear=self._ear.name,
            language=self._language,
            caller_number=a.caller_number,
            caller_name=a.caller_name,
            dialled=a.dialled,
            arrived_ms=a.at_ms,
            ended_ms=ended_ms,
            result=self.result,
            would=self.would,
            rung=self._rung + 1,
            heard_at_ms=self._heard_at,
            heard_after_would=self._heard_after_would,
            partial=self.partial,
        )
