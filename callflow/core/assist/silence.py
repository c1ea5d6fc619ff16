"""The ladder at an agent: silence is timed, judged, asked about, told to the agent, or ended by a goodbye."""

from callflow.core import commands
from callflow.core.assist.case import Case
from callflow.core.assist.facts import Outcome
from callflow.core.assist.low_voice import ANSWER_TIMEOUT_MS, MOST_DROPPED, VOICES, LowVoice
from callflow.core.assist.speaker import Purpose, Wish
from callflow.core.assist.states import Input, State
from callflow.core.assist.steps import StepKind
from callflow.core.assist.telling import Telling
from callflow.core.assist.voices import Voices, ear_settings
from callflow.core.events import WindowJudged
from callflow.core.heard import Heard
from callflow.core.profile import Assist, Rung

TAP_AFTER_MS = 1000
"""Most callers answer sooner: only a longer silence is worth a tap."""
LATE_TAP_MS = 2500
"""A tap that cannot be had is known after 4 s: the listening time lasts so much longer if that is not known yet."""
LOWERED_MS = 1500
"""From then on Asterisk's own ear listens for low sounds, at least so long."""
SILENCES = (None, Heard.DIGITAL_SILENCE, Heard.COMFORT_NOISE, Heard.NO_MEDIA, Heard.ONE_WAY_SUSPECTED, Heard.TONE)
"""Nobody is there. Noise, music and lost packets are doubts: the agent is told, and nobody is hung up on."""


class Silence:
    """Knows the place on the ladder for silence; a low voice that the tap finds there has its own (`low_voice`)."""

    def __init__(self, case: Case, voices: Voices, low_voice: LowVoice, telling: Telling) -> None:
        self._case, self._voices, self._low_voice, self._telling = case, voices, low_voice, telling
        ladders, rules = case.procedures.ladders, case.rules
        self._silent: tuple[Rung, ...] = ladders[rules.ladder].rungs
        self._silent_place = 0
        self._rung: Rung | None = None
        """The one that is said, or was said last."""
        self._low = False
        """The rung that is said is one of the quiet ladder."""
        self._silent_from = 0
        """When this silence began, epoch ms."""
        self._listen_ms = round(rules.silent_after_s * 1000)
        self._at: int | None = None
        self._listened_at = 0
        """The end of the listening time, epoch ms, unless nobody listens yet."""
        self._tap_at: int | None = None
        self._tapped = False
        self._opening = False
        """A tap was asked for: nobody hears a low voice yet."""
        self._asks = 0
        self._wish: Wish | None = None
        self._dropped = 0
        self._unreached = 0
        self._voice_heard = False
        self._lowered = False
        self.last_rung: Rung | None = None
        """The rung that hangs up, once the talk has come there."""

    def next_deadline(self) -> int | None:
        """When to call `proceed`, epoch ms."""
        return min((at for at in (self._at, self._tap_at) if at is not None), default=None)

    @property
    def threshold(self) -> int:
        """Of the caller's TALK_DETECT as it is set now."""
        talk_detect = self._case.profile.talk_detect
        return talk_detect.probe_threshold if self._lowered else talk_detect.threshold

    def stop(self) -> None:
        """The caller was heard, the agent speaks, or somebody is on hold."""
        self._at = self._tap_at = None

    def leave_tap(self) -> None:
        """The ladder is left for good, or for a hold: the tap is not needed any more."""
        self._tapped = self._opening = False
        self._case.close_tap()

    def restore_ear(self, now_ms: int) -> None:
        """The ladder is left for good: sounds are speech at the usual threshold again."""
        if self._lowered:
            self._lowered = False
            case = self._case
            ear = ear_settings(case.profile.talk_detect.threshold)
            case.do(commands.ArmEar(case.caller_ear, case.parties.caller_channel, ear.silence_ms, ear.threshold))
            self._voices.caller.rearmed(now_ms)

    def begin_nuisance(self, now_ms: int) -> None:
        """The agent's word for the end of the call: one question, and then it is treated as a silent call."""
        self._silent = self._case.procedures.ladders[self._case.rules.nuisance_ladder].rungs
        self._silent_place = self._dropped = self._unreached = 0
        self._voice_heard = False
        self._silent_from = now_ms
        self._low = False
        if self._case.profile.ear == "tap" and not self._tapped:  # at once: where there is none, that is known in time
            self._tapped = True
            self._case.open_tap()
        self._ask(self._silent[0], now_ms, Input.NUISANCE)

    def agent_stopped(self, since_ms: int, now_ms: int) -> None:
        """Both are silent since `since_ms`: time it."""
        self._case.go(Input.AGENT_STOPPED)
        self._silent_from = since_ms
        self._listen(since_ms, now_ms)

    def _listen(self, since_ms: int, now_ms: int) -> None:
        self._at = self._listened_at = max(now_ms, since_ms + self._listen_ms)
        if self._tapped:
            self._case.begin_window()
        elif self._case.profile.ear == "tap":
            self._tap_at = max(now_ms, since_ms + TAP_AFTER_MS)
        else:
            self.lower_ear(now_ms)

    def lower_ear(self, now_ms: int) -> None:
        """There is no tap, or not all of its audio: from here any low sound counts as the caller's voice."""
        case = self._case
        self._opening = False
        if not self._lowered:
            self._lowered = True
            if self._at is not None and case.state is State.TIMING:
                self._at = max(self._listened_at, now_ms + LOWERED_MS)
            ear = ear_settings(case.profile.talk_detect.probe_threshold)
            case.do(commands.ArmEar(case.caller_ear, case.parties.caller_channel, ear.silence_ms, ear.threshold))
            self._voices.caller.rearmed(now_ms)
        case.begin_window()

    def tap_opened(self) -> None:
        """The window begins with the first sound that the tap can hear."""
        self._opening = False
        self._case.begin_window()

    def proceed(self, now_ms: int) -> None:
        """Do what is due."""
        if self._tap_at is not None and now_ms >= self._tap_at:
            self._tap_at, self._tapped, self._opening = None, True, True
            self._case.open_tap()
        if self._at is None or now_ms < self._at:
            return
        self._at = None
        match self._case.state:
            case State.TIMING if self._opening:
                self._opening, self._at = False, now_ms + LATE_TAP_MS
            case State.TIMING:
                self._case.go(Input.LISTENED)
                self._judge(now_ms)
            case State.JUDGING:
                self.tell_agent(now_ms, "nobody told what was heard of the caller")
            case State.RAISING:
                self.gain_refused("Asterisk did not answer in time", now_ms)

    def _judge(self, now_ms: int) -> None:
        self._asks += 1
        self._case.judge_window(self._asks)
        self._at = now_ms + ANSWER_TIMEOUT_MS

    # -- answers ----------------------------------------------------------------------------------------------------

    def judged(self, window: WindowJudged, now_ms: int) -> None:
        """What was heard while both were silent."""
        case = self._case
        if case.state is not State.JUDGING or window.ask_id != self._asks:
            return
        self._at = None
        if window.heard in VOICES:
            self._voice(window, now_ms)
        elif window.heard in SILENCES:
            self._next_silent(now_ms, "" if window.heard is None else window.heard.value)
        else:
            self.tell_agent(now_ms, f"{window.heard.value}, {window.why}" if window.heard else window.why)

    def _voice(self, window: WindowJudged, now_ms: int) -> None:
        self._voice_heard = True
        self._low_voice.measured(window)
        if not self._low_voice.is_clear and self._low_voice.raise_gain(now_ms):
            self._case.go(Input.RAISE_GAIN)
            self._at = now_ms + ANSWER_TIMEOUT_MS
        else:
            self._clear_or_ask(now_ms)

    def _clear_or_ask(self, now_ms: int) -> None:
        self._at = None
        if self._low_voice.is_clear:
            self._case.go(Input.CLEAR)
        else:
            self._next_quiet(now_ms)

    def gain_set(self, now_ms: int) -> None:
        """The agent hears the caller louder from here."""
        if self._case.state is State.RAISING:
            self._clear_or_ask(now_ms)

    def gain_refused(self, reason: str, now_ms: int) -> None:
        """The caller must be asked instead."""
        if self._case.state is State.RAISING:
            self._low_voice.gain_refused(reason, now_ms)
            self._clear_or_ask(now_ms)

    # -- rungs ------------------------------------------------------------------------------------------------------

    def _next_quiet(self, now_ms: int) -> None:
        rung = self._low_voice.next_rung()
        if rung is None:
            self.tell_agent(now_ms, "the caller's voice is too low", quiet=True)
            return
        self._low = True
        self._ask(rung, now_ms)

    def _next_silent(self, now_ms: int, why: str) -> None:
        case = self._case
        if not case.speaks:
            self.tell_agent(now_ms, why)
            return
        while self._silent_place < len(self._silent):
            rung = self._silent[self._silent_place]
            if rung.then == "hang_up":
                self._last(rung, now_ms, why)
                return
            if rung.prompt is not None:
                self._low = False
                self._ask(rung, now_ms)
                return
            self._silent_place += 1  # a gain cannot be measured on somebody silent
        self.tell_agent(now_ms, why)

    def _ask(self, rung: Rung, now_ms: int, what: Input = Input.ASK) -> None:
        """Say a rung of either ladder; it is left behind once it was said."""
        self._case.go(what)
        self._rung = rung
        self._wish = self._telling.ask_caller(rung, Purpose.LADDER, "the caller is not heard", now_ms)

    def _last(self, rung: Rung, now_ms: int, why: str) -> None:
        case = self._case
        if case.profile.assist is not Assist.ACT:
            self.tell_agent(now_ms, why or "the caller does not answer")
        elif self._voice_heard:
            self.tell_agent(now_ms, "a low voice was heard before")
        elif self._unreached:
            self.tell_agent(now_ms, "the caller may not have heard the question", doubt=True)
        elif case.found and not case.nuisance:
            self.tell_agent(now_ms, "the caller may have been heard before callflow found the talk", doubt=True)
        elif case.file_of(rung.prompt or "goodbye") in case.link.unplayable:
            self.tell_agent(now_ms, "Asterisk could not play the goodbye before", doubt=True)
        else:
            self.last_rung = rung
            case.go(Input.LAST_RUNG)

    def asked(self, wish: Wish, outcome: Outcome, now_ms: int) -> None:
        """The prompt of a rung is over; of one that was left, nothing follows."""
        case = self._case
        if case.state is not State.ASKING or wish is not self._wish or self._rung is None:
            return
        if outcome in (Outcome.DROPPED, Outcome.STOPPED):
            self._dropped += 1
            if self._dropped > MOST_DROPPED:
                self.tell_agent(now_ms, "there was no pause for a prompt")
                return
            case.go(Input.AGAIN)
        else:
            self._unreached += outcome in (Outcome.UNKNOWN, Outcome.NOT_ATTACHED)
            if self._low:
                self._low_voice.asked()
            else:
                self._silent_place += 1
            self._listen_ms = round(self._rung.listen_s * 1000)
            case.go(Input.ASKED)
        self._listen(now_ms, now_ms)

    def tell_agent(self, now_ms: int, why: str, *, quiet: bool = False, doubt: bool = False) -> None:
        """The agent is told how it stands with the caller; nothing more is said to the caller."""
        case = self._case
        self.stop()
        case.go(Input.TELL)
        self.leave_tap()
        silent_ms = max(0, now_ms - self._silent_from)
        if doubt:
            case.tell(StepKind.DOUBT, now_ms, "hang_up", why)
        if quiet:
            self._telling.tell_agent(StepKind.QUIET, why, now_ms, lasted_ms=silent_ms)
        else:
            self._telling.tell_agent(StepKind.SILENT, why or "no sound from the caller", now_ms, lasted_ms=silent_ms)
