"""The ladder at an agent: silence is timed, judged, asked about, told to the agent, or ended by a goodbye."""

from callflow.core import commands
from callflow.core.assist.case import Case
from callflow.core.assist.facts import Outcome
from callflow.core.assist.rules import Prompt
from callflow.core.assist.speaker import Purpose, Speaker, Wish
from callflow.core.assist.states import Input, State
from callflow.core.assist.steps import StepKind
from callflow.core.assist.voices import Voices, ear_settings
from callflow.core.events import WindowJudged
from callflow.core.heard import Heard
from callflow.core.profile import Assist, Rung
from callflow.core.screening import gain

TAP_AFTER_MS = 1000
"""Most callers answer sooner: only a longer silence is worth a tap."""
ANSWER_TIMEOUT_MS = 1500
LATE_TAP_MS = 2500
"""A tap that cannot be had is known after 4 s: the listening time lasts so much longer if that is not known yet."""
LOWERED_MS = 1500
"""From then on Asterisk's own ear listens for low sounds, at least so long."""
MOST_DROPPED = 2
NOTICE_MS = 3000
VOICES = (Heard.SPEECH, Heard.QUIET)
SILENCES = (None, Heard.DIGITAL_SILENCE, Heard.COMFORT_NOISE, Heard.NO_MEDIA, Heard.ONE_WAY_SUSPECTED, Heard.TONE)
"""Nobody is there. Noise, music and lost packets are doubts: the agent is told, and nobody is hung up on."""


class Silence:
    """Knows the places on both ladders. `part` is called when the last rung hangs up."""

    def __init__(self, case: Case, voices: Voices, speaker: Speaker) -> None:
        self._case, self._voices, self._speaker = case, voices, speaker
        ladders, rules = case.procedures.ladders, case.rules
        self._silent: tuple[Rung, ...] = ladders[rules.ladder].rungs
        self._quiet: tuple[Rung, ...] = ladders[rules.quiet_ladder].rungs
        self._silent_place = self._quiet_place = 0
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
        self._gain_db = 0.0
        self._level_dbov: float | None = None
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
        self._tapped = self._tapped and self._case.state is State.GREETING
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
            self.without_tap(now_ms)

    def without_tap(self, now_ms: int) -> None:
        """Asterisk's own ear serves alone: from here any low sound counts as the caller's voice."""
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
                self._after_gain(now_ms, "Asterisk did not answer in time")

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
        quiet, level = self._case.profile.quiet, window.level_dbov
        self._level_dbov, self._voice_heard = level, True
        if gain.is_clear(level, self._gain_db, quiet):
            self._case.go(Input.CLEAR)
            return
        wanted = gain.gain_for(level, window.noise_dbov, quiet)
        rung = self._quiet[self._quiet_place] if self._quiet_place < len(self._quiet) else None
        if rung is not None and rung.raise_gain:
            self._quiet_place += 1
            if wanted > self._gain_db and not self._case.pretends:
                self._raise(wanted, now_ms)
                return
        self._next_quiet(now_ms)

    def _raise(self, gain_db: float, now_ms: int) -> None:
        case = self._case
        case.go(Input.RAISE_GAIN)
        target = gain.target_for(self._level_dbov, gain_db, case.profile.quiet)
        how = case.profile.quiet.gain
        case.do(commands.SetGain(case.caller_ear, case.parties.caller_channel, gain_db, how, target))
        self._at = now_ms + ANSWER_TIMEOUT_MS

    def gain_set(self, gain_db: float, now_ms: int) -> None:
        """The agent hears the caller louder from here."""
        if self._case.state is not State.RAISING:
            return
        self._gain_db = gain_db
        self._case.tell(StepKind.GAIN, now_ms, f"{gain_db:g} dB", "the caller's voice is low")
        if gain.is_clear(self._level_dbov, gain_db, self._case.profile.quiet):
            self._at = None
            self._case.go(Input.CLEAR)
        else:
            self._after_gain(now_ms, "")

    def gain_refused(self, reason: str, now_ms: int) -> None:
        """The caller must be asked instead."""
        if self._case.state is State.RAISING:
            self._after_gain(now_ms, reason)

    def _after_gain(self, now_ms: int, refused: str) -> None:
        self._at = None
        if refused:
            self._case.tell(StepKind.GAIN, now_ms, "", f"not raised: {refused}")
        self._next_quiet(now_ms)

    # -- rungs ------------------------------------------------------------------------------------------------------

    def _next_quiet(self, now_ms: int) -> None:
        while self._quiet_place < len(self._quiet) and self._quiet[self._quiet_place].raise_gain:
            self._quiet_place += 1
        if self._quiet_place >= len(self._quiet) or not self._case.speaks:
            self.tell_agent(now_ms, "the caller's voice is too low", quiet=True)
            return
        rung = self._quiet[self._quiet_place]
        if rung.then == "hang_up":  # callflow hangs up on nobody whose voice it has heard
            self.tell_agent(now_ms, "the caller's voice stays too low", quiet=True)
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
        caller, agent = self._voices.caller, self._voices.agent
        wish = Wish(Purpose.LADDER, rung.prompt or "", caller, round(rung.prompt_s * 1000), "the caller is not heard")
        self._wish = wish
        self._speaker.ask(wish, now_ms)
        if self._case.rules.agent_hears:
            self._speaker.ask(Wish(Purpose.NOTICE, wish.prompt, agent, wish.prompt_ms, "agent_hears"), now_ms)

    def _last(self, rung: Rung, now_ms: int, why: str) -> None:
        case = self._case
        if case.profile.assist is not Assist.ACT:
            self.tell_agent(now_ms, why or "the caller does not answer")
        elif self._voice_heard:
            self.tell_agent(now_ms, "a low voice was heard before")
        elif self._unreached:
            self.tell_agent(now_ms, "the caller may not have heard the question", doubt=True)
        else:
            self.last_rung = rung
            case.go(Input.LAST_RUNG)

    def asked(self, wish: Wish, outcome: Outcome, now_ms: int) -> None:
        """The prompt of a rung is over; of one that was left, nothing follows."""
        case = self._case
        if case.state is not State.ASKING or wish is not self._wish:
            return
        rungs, place = (self._quiet, self._quiet_place) if self._low else (self._silent, self._silent_place)
        rung = rungs[place]
        if outcome in (Outcome.DROPPED, Outcome.STOPPED):
            self._dropped += 1
            if self._dropped > MOST_DROPPED:
                self.tell_agent(now_ms, "there was no pause for a prompt")
                return
            case.go(Input.AGAIN)
        else:
            self._unreached += outcome in (Outcome.UNKNOWN, Outcome.NOT_ATTACHED)
            if self._low:
                self._quiet_place += 1
            else:
                self._silent_place += 1
            self._listen_ms = round(rung.listen_s * 1000)
            case.go(Input.ASKED)
        self._listen(now_ms, now_ms)

    def tell_agent(self, now_ms: int, why: str, *, quiet: bool = False, doubt: bool = False) -> None:
        """The agent is told how it stands with the caller; nothing more is said to the caller."""
        case = self._case
        self.stop()
        case.go(Input.TELL)
        case.close_tap()
        silent_ms = max(0, now_ms - self._silent_from)
        if doubt:
            case.tell(StepKind.DOUBT, now_ms, "hang_up", why)
        kind, prompt = (StepKind.QUIET, Prompt.CALLER_IS_QUIET) if quiet else (StepKind.SILENT, Prompt.CALLER_IS_SILENT)
        case.tell(kind, now_ms, why=why or "no sound from the caller", lasted_ms=silent_ms)
        self._speaker.ask(
            Wish(Purpose.NOTICE, prompt.value, self._voices.agent, NOTICE_MS, "the agent is told"), now_ms
        )
