"""What was heard, and what of it: the tap is asked, and the answer says who is there and how well they are heard.

Two kinds of question: a *verdict* ends a stretch of listening; a *look* comes at once, when a sound has just begun, and
only hastens things. A voice that is clear, with our gain counted in, ends the screening; one that is too low moves the
call to the quiet ladder. While the tap is live, a sound that only Asterisk's ear took for speech is looked at too: the
tap may explain it as noise or a tone; what it cannot explain is a caller.
"""

from callflow.core import commands, events
from callflow.core.call_record import Kind
from callflow.core.heard import Heard
from callflow.core.screening.ear import Judgement
from callflow.core.screening.raising import ANSWER_TIMEOUT_MS, Raising
from callflow.core.screening.states import Input, Result, State

LOOK_TIMEOUT_MS = 200
LOOK_EVERY_MS = 200
LOOK_MARGIN_DB = 12.0
"""A look measures little of a voice: its loudest syllable was seen 11 dB above the level of the whole."""
WEIGH_MS = 800
"""So much of a voice is measured before its level counts."""
HEAR_OUT_MS = 2000
"""A caller who is about to be asked to speak up is first let finish."""
VOICE = (Heard.SPEECH, Heard.QUIET)
EXPLAINED_MS = 400
"""With less of the line in its ear the tap cannot say that a sound is noise: it takes a voice for one at first."""
PERHAPS_MS = 96
"""With so much that would be voice if it stood alone, neither."""
MOST_VAIN = 3
"""So often in a rung the listening time begins anew after a voice that came to nothing: nobody listens for ever."""
TONE_MS = 256
"""With less of a tone in its ear the tap cannot be sure of it: the first moment of a vowel has been taken for one."""
NOTHING_DBOV = -66.0
"""What is fainter is no voice, and is not what Asterisk's ear took for speech."""


def _has_voice(window: events.WindowJudged) -> bool:
    return window.heard in VOICE and (window.level_dbov is None or window.level_dbov >= NOTHING_DBOV)


def _is_echo(window: events.WindowJudged) -> bool:
    """Our own prompt has come back, loud enough for Asterisk's ear; at first a voice beside it is taken for it, too."""
    noise_dbov = window.noise_dbov
    return window.heard is Heard.COMFORT_NOISE and noise_dbov is not None and noise_dbov >= NOTHING_DBOV


def _explains(window: events.WindowJudged, *, before_hang_up: bool) -> bool:
    """The tap has heard the sound, too, and it was no voice: noise, a tone, or our own prompt come back."""
    match window.heard:
        case Heard.TONE:
            return window.tone_ms >= TONE_MS or not before_hang_up
        case Heard.COMFORT_NOISE:
            return _is_echo(window) and (window.voice_ms == 0 or window.heard_ms >= EXPLAINED_MS)
        case Heard.NOISE:
            return window.heard_ms >= EXPLAINED_MS and window.voice_ms < PERHAPS_MS
    return False


class Weighing(Raising):
    """A call whose sounds are judged. Above it stand `_listen`, `_silence` and `_confirm`."""

    _ask_id = 0
    _verdict_asked = False
    _look_asked = False
    """A look has not been answered yet."""
    _vain = 0
    """How often in this rung a voice came to nothing."""
    _voiced = False
    """The call came to WEIGHING by a voice, not by the end of its listening time."""
    _unexplained: Judgement | None = None
    """A sound that only Asterisk's ear took for speech; it counts unless the tap explains it."""
    _judged_at = 0
    """When it was judged so, by our own clock."""
    _echoing = False
    """The tap has explained a sound while this prompt was said."""
    _window_at = 0
    _trust_at: int | None = None
    _verified_at: int | None = None
    """When the last verdict came, with evidence that a sound would have been heard; None without."""

    # -- sounds ---------------------------------------------------------------------------------------------------

    def _judged(self, sound: Judgement, now_ms: int) -> None:
        """A click is noted and changes nothing; a voice is a caller, once it has been weighed."""
        self._tell(Kind.SPEECH if sound.speech else Kind.CLICK, sound.at_ms, sound.what, f"{sound.ear}: {sound.why}")
        if not sound.speech:
            self._clicked()
        elif not self._ears.tapped or self.state is State.ARMING:
            self._heard(Result.SPOKE, sound.at_ms, now_ms)
        elif self.state is not State.RAISING:
            self._voice_began(sound, now_ms)

    def _voice_began(self, sound: Judgement, now_ms: int) -> None:
        if sound.ear != "tap":
            if self._echoing and sound.told_ms < self._window_at:
                return  # its window is over, but others like it were our own prompt come back
            if self._unexplained is None:
                self._unexplained, self._judged_at = sound, now_ms
            self._trust_at = now_ms + LOOK_TIMEOUT_MS
        else:
            self._voice_at = self._voice_at or sound.at_ms
            if self.state is State.WEIGHING:
                self._voiced = True
            elif not self._low_is_known:
                self._weigh(sound.at_ms, now_ms)
        self._look(now_ms)

    @property
    def _low_is_known(self) -> bool:
        """While we ask for a louder voice, or say goodbye for want of one: only a clear voice changes anything now."""
        return self._climb.quiet and (self._climb.last or self.state is State.SPEAKING)

    def _weigh(self, at_ms: int, now_ms: int) -> None:
        """Stop speaking, and measure the voice."""
        self._go(Input.VOICE)
        self._voiced = True
        self._verdict_asked = False
        self._stop_prompt(now_ms)
        self._voice_at = at_ms
        self._look_at = now_ms + LOOK_EVERY_MS
        up_next = self._climb.next_quiet
        raises = up_next is not None and up_next.raise_gain
        self._state_at = now_ms + (WEIGH_MS if raises else HEAR_OUT_MS)

    def _look(self, now_ms: int) -> None:
        """Ask now and, while there is a voice, again and again: it may become clear at any moment."""
        self._ask()
        self._look_at = None if self._voice_at is None else now_ms + LOOK_EVERY_MS

    # -- questions ------------------------------------------------------------------------------------------------

    def _ask(self, *, verdict: bool = False) -> None:
        """Ask what has been heard; only the newest question is waited for, and a look never replaces a verdict."""
        if self._verdict_asked and not verdict:
            return
        self._ask_id += 1
        self._verdict_asked, self._look_asked = verdict, not verdict
        self._do(commands.JudgeWindow(self.arrived.call_id, self.arrived.channel, self._ask_id, verdict))

    def _ask_verdict(self, now_ms: int) -> None:
        self._ask(verdict=True)
        self._state_at = now_ms + ANSWER_TIMEOUT_MS

    def _weighing_over(self, now_ms: int) -> None:
        """The voice has been measured long enough, or no answer has come: then Asterisk's ear is left."""
        if self._verdict_asked:
            self.window_judged(events.WindowJudged(self.arrived.call_id, self._ask_id), now_ms)
        else:
            self._ask_verdict(now_ms)

    def _looks_due(self, now_ms: int) -> bool:
        """Do what is due about looks; True when something was."""
        if self._trust_at is not None and now_ms >= self._trust_at and self._unexplained is not None:
            self._heard(Result.SPOKE, self._unexplained.at_ms, now_ms)
            return True
        if self._look_at is not None and now_ms >= self._look_at:
            self._look(now_ms)
            return True
        return False

    def answered(self, event: events.WindowJudged | events.GainSet | events.GainRefused, now_ms: int) -> None:
        """Take in what came of a question or a gain."""
        match event:
            case events.WindowJudged():
                self.window_judged(event, now_ms)
            case events.GainSet():
                self.gain_set(event.gain_db, now_ms)
            case events.GainRefused():
                self.gain_refused(event.reason, now_ms)

    def window_judged(self, window: events.WindowJudged, now_ms: int) -> None:
        """The answer: a clear voice, one too low, or none."""
        if window.ask_id != self._ask_id:
            return
        verdict, self._verdict_asked, self._look_asked = self._verdict_asked, False, False
        sound, self._unexplained, self._trust_at = self._unexplained, None, None
        if verdict:
            self._verified_at = now_ms if window.verified else None
            self.journal.judged(window, now_ms)
        if _has_voice(window):
            self._voice(window, verdict, sound, now_ms)
        elif sound is not None and not _explains(window, before_hang_up=self._climb.last):
            self._sounded(sound, window, verdict, now_ms)
        else:
            self._echoing = self._echoing or (sound is not None and self.state is State.SPEAKING)
            if verdict:
                self._no_voice(window, now_ms)
            elif self.state is State.CONFIRMING:
                self._clicked()
                self._confirm(now_ms)

    # -- answers --------------------------------------------------------------------------------------------------

    def _voice(self, window: events.WindowJudged, verdict: bool, sound: Judgement | None, now_ms: int) -> None:
        self._noise_dbov = window.noise_dbov
        if self._clear(window.level_dbov, 0.0 if verdict else LOOK_MARGIN_DB):
            if not verdict:
                self.journal.judged(window, now_ms)
            self._fit_gain(window.level_dbov)
            self._heard(Result.SPOKE, self._voice_at or now_ms, now_ms)
        elif self._low_is_known:
            if verdict:
                self._unmoved(now_ms)
        elif self.state is not State.WEIGHING:
            self._weigh(sound.at_ms if sound else now_ms, now_ms)
            if verdict:
                self._too_low(window.level_dbov, now_ms)
        elif verdict:
            self._too_low(window.level_dbov, now_ms)

    def _sounded(self, sound: Judgement, window: events.WindowJudged, verdict: bool, now_ms: int) -> None:
        """Asterisk's ear took a sound for speech, and the tap cannot say that it was none: a caller, or soon one."""
        early = not verdict and now_ms < self._judged_at + EXPLAINED_MS
        if early and window.heard is Heard.TONE:
            self._unexplained, self._look_at = sound, self._judged_at + EXPLAINED_MS
            return
        if verdict or self._low_is_known or not (window.heard is Heard.NOISE or _is_echo(window)):
            self._heard(Result.SPOKE, sound.at_ms, now_ms)
            return
        self._unexplained = sound
        if self.state is State.WEIGHING:
            self._voiced = True
        else:
            self._weigh(sound.at_ms, now_ms)

    def _no_voice(self, window: events.WindowJudged, now_ms: int) -> None:
        """Noise is a doubt; a voice that came to nothing is one too, where the next thing is the hang-up."""
        if self._is_doubt(window):
            self._go(Input.DOUBT)
            self._conclude(Result.PASSED, now_ms, f"{window.heard}, and so perhaps a caller")
        elif self.state is State.WEIGHING and self._voiced:
            if self._climb.last or not self._ears.tapped:
                self._heard(Result.SPOKE, self._voice_at or now_ms, now_ms)
            elif self._vain == MOST_VAIN:
                self._go(Input.DOUBT)
                self._conclude(Result.PASSED, now_ms, "something like a voice, again and again")
            else:
                self._vain += 1
                self._voice_at = self._look_at = None
                self._listen(Input.NO_VOICE, now_ms)
        else:
            self._unmoved(now_ms)

    def _is_doubt(self, window: events.WindowJudged) -> bool:
        match window.heard:
            case Heard.NOISE:
                loud = window.noise_dbov is None or window.noise_dbov >= self.profile.noise_above_dbov
                return loud and self.profile.on_noise == "agent"
            case Heard.TONE:
                return self.profile.on_tone == "agent"
        return False

    def _unmoved(self, now_ms: int) -> None:
        """Nothing was heard that changes the way up."""
        if self.state is State.CONFIRMING:
            self._confirm(now_ms)
        else:
            self._silence(now_ms)

    # -- what stands above ----------------------------------------------------------------------------------------

    def _clicked(self) -> None:
        raise NotImplementedError

    def _listen(self, after: Input, now_ms: int) -> None:
        raise NotImplementedError

    def _silence(self, now_ms: int) -> None:
        raise NotImplementedError

    def _confirm(self, now_ms: int) -> None:
        raise NotImplementedError
