"""How loud a caller is whom Asterisk's ear hears: measured by a short tap, raised, asked to speak up if need be.

TALK_DETECT hears voices that the profile calls too low. So the caller's first words in a talk are measured, whether the
caller was screened or not. It goes on beside all else while the caller and the agent talk, and moves no talk.
"""

from enum import Enum

from callflow.core import commands
from callflow.core.assist.case import Case
from callflow.core.assist.facts import Outcome
from callflow.core.assist.low_voice import ANSWER_TIMEOUT_MS, MOST_DROPPED, VOICES, LowVoice
from callflow.core.assist.speaker import Purpose, Wish
from callflow.core.assist.steps import StepKind
from callflow.core.assist.telling import Telling
from callflow.core.assist.voices import Voices
from callflow.core.events import WindowJudged

LOOK_EVERY_MS = 1000
ENOUGH_MS, MORE_MS = 700, 1500
"""Speech that is measured before the voice is raised, and before the gain is believed: a single syllable is up to 11 dB
off the level of the whole."""
LONGEST_MS = 8000
"""A tap in which so little was said is closed, and tried again when the caller next speaks."""
MOST_TAPS = 3
TAP_TIMEOUT_MS = 6000


class Phase(Enum):
    """How far the measurement is."""

    WAITING = "for the caller to speak"
    OPENING = "the tap is asked for"
    LISTENING = "to a window of the caller's words"
    JUDGING = "what was in it is asked"
    RAISING = "the gain is being set"
    ASKING = "the caller is asked to speak up"
    KNOWN = "nothing more is measured in this talk"


TAPPED = (Phase.OPENING, Phase.LISTENING, Phase.JUDGING, Phase.RAISING, Phase.ASKING)


class VoiceLevel:
    """One per talk. What it asks of the tap is a look, which costs Asterisk nothing."""

    def __init__(self, case: Case, voices: Voices, low: LowVoice, telling: Telling) -> None:
        self._case, self._voices, self._low, self._telling = case, voices, low, telling
        self._phase = Phase.WAITING
        self._taps = 0
        self._at: int | None = None
        self._window_at = 0
        self._until = 0
        """When this tap has been open for long enough, epoch ms."""
        self._asks = 2_000_000
        """Ids of questions: apart from those of the ladder and of the parting."""
        self._acted = False
        """The gain was raised, or the caller asked."""
        self._wish: Wish | None = None
        self._dropped = 0

    def next_deadline(self) -> int | None:
        """When to call `proceed`, epoch ms."""
        return self._at

    def caller_speaks(self, now_ms: int) -> None:
        """The caller speaks, and is heard by the agent: the tap is worth opening."""
        if self._phase is Phase.WAITING and self._case.profile.ear == "tap":
            self._phase, self._taps, self._at = Phase.OPENING, self._taps + 1, now_ms + TAP_TIMEOUT_MS
            self._case.open_tap()

    def stop(self) -> None:
        """The talk goes another way: the tap is closed, and a caller of whom nothing is known is measured later."""
        if self._phase in TAPPED:
            self._case.close_tap()
            is_known = self._acted or self._taps >= MOST_TAPS
            self._phase = Phase.KNOWN if is_known else Phase.WAITING
        self._at = self._wish = None

    def tap_opened(self, now_ms: int) -> None:
        """The window begins with the first sound that the tap can hear."""
        if self._phase is Phase.OPENING:
            self._listen(now_ms)

    def _listen(self, now_ms: int) -> None:
        self._until = now_ms + LONGEST_MS
        self._begin_window(now_ms)

    def _begin_window(self, now_ms: int) -> None:
        self._phase, self._window_at, self._at = Phase.LISTENING, now_ms, now_ms + LOOK_EVERY_MS
        self._case.do(commands.BeginWindow(self._case.window_ear))

    # -- deadlines --------------------------------------------------------------------------------------------------

    def proceed(self, now_ms: int) -> None:
        """Do what is due."""
        if self._at is None or now_ms < self._at:
            return
        match self._phase:
            case Phase.LISTENING if now_ms < self._until:
                self._look(now_ms)
            case Phase.RAISING:
                self.gain_refused("Asterisk did not answer in time", now_ms)
            case _:
                self.stop()

    def _look(self, now_ms: int) -> None:
        """Ask for the level; an agent's voice in the window may have come back from the caller's phone as an echo.

        The caller may be too low for Asterisk's ear by now: it was set lower on the ladder.
        """
        agent = self._voices.agent
        if agent.sounding or agent.silent_since > self._window_at:
            self._begin_window(now_ms)
            return
        self._asks += 1
        self._phase, self._at = Phase.JUDGING, now_ms + ANSWER_TIMEOUT_MS
        self._case.judge_window(self._asks, verdict=False)

    # -- answers ----------------------------------------------------------------------------------------------------

    def judged(self, window: WindowJudged, now_ms: int) -> None:
        """The tap has told how loud the caller was."""
        if self._phase is not Phase.JUDGING or window.ask_id != self._asks:
            return
        if window.heard in VOICES and window.voice_ms >= (MORE_MS if self._acted else ENOUGH_MS):
            self._low.measured(window)
            self._decide(now_ms)
        else:
            self._phase, self._at = Phase.LISTENING, now_ms + LOOK_EVERY_MS

    def _decide(self, now_ms: int) -> None:
        low = self._low
        if not low.is_clear and low.raise_gain(now_ms):
            self._phase, self._at = Phase.RAISING, now_ms + ANSWER_TIMEOUT_MS
        elif low.is_clear:
            low.fit()
            self._end()
        else:
            self._ask(now_ms)

    def gain_set(self, now_ms: int) -> None:
        """The agent hears the caller louder: measured once more, for longer."""
        if self._phase is not Phase.RAISING:
            return
        if self._low.is_clear:
            self._acted = True
            self._listen(now_ms)
        else:
            self._ask(now_ms)

    def gain_refused(self, reason: str, now_ms: int) -> None:
        """The caller must be asked instead."""
        if self._phase is Phase.RAISING:
            self._low.gain_refused(reason, now_ms)
            self._ask(now_ms)

    def _ask(self, now_ms: int) -> None:
        rung = self._low.next_rung()
        if rung is None:
            self._tell_agent("the caller's voice is too low", now_ms)
            return
        self._phase, self._at = Phase.ASKING, None
        self._wish = self._telling.ask_caller(rung, Purpose.LEVEL, "the caller's voice is too low", now_ms)

    def asked(self, wish: Wish, outcome: Outcome, now_ms: int) -> None:
        """The prompt is over: the caller's next words are measured."""
        if self._phase is not Phase.ASKING or wish is not self._wish:
            return
        self._acted = True
        if outcome not in (Outcome.DROPPED, Outcome.STOPPED):
            self._low.asked()
        else:
            self._dropped += 1
            if self._dropped > MOST_DROPPED:
                self._tell_agent("the caller's voice is too low, and there was no pause to say so", now_ms)
                return
        self._listen(now_ms)

    def _tell_agent(self, why: str, now_ms: int) -> None:
        self._end()
        self._telling.tell_agent(StepKind.QUIET, why, now_ms)

    def _end(self) -> None:
        self._case.close_tap()
        self._phase, self._at = Phase.KNOWN, None
