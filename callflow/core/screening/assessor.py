"""What was heard: takes sounds and findings, and answers clear, low, none, doubt, or ask again. It knows no ladder.

Two kinds of question go to the tap: a *verdict* ends a stretch of listening; a *look* comes at once, when a sound has
just begun, and only hastens things. While the tap is live, a sound that only Asterisk's ear took for speech is looked
at too: the tap may explain it as noise or a tone; what it cannot explain is a caller.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from callflow.core.events import WindowJudged
from callflow.core.heard import Heard
from callflow.core.profile import Profile
from callflow.core.screening.gain import is_clear
from callflow.core.screening.talk_detect import EarName, Sound

LOOK_TIMEOUT_MS = 200
LOOK_EVERY_MS = 200
LOOK_MARGIN_DB = 12.0
"""A look measures little of a voice: its loudest syllable was seen 11 dB above the level of the whole."""
EXPLAINED_MS = 400
"""With less of the line in its ear the tap cannot say that a sound is noise: it takes a voice for noise at first."""
PERHAPS_MS = 96
"""With so much that would be voice if it stood alone, neither."""
TONE_MS = 256
"""With less of a tone in its ear the tap cannot be sure of it: the first moment of a vowel has been taken for one."""
ECHO_MOST_MS = 400
"""Our own prompt comes back so soon: a sound that begins later after its end is none of it."""
JUST_BEGUN_MS = 2400
"""With less of a sound in its ear the tap cannot tell music from noise."""
NOTHING_DBOV = -66.0
"""What is fainter is no voice, and is not what Asterisk's ear took for speech."""
VOICE = (Heard.SPEECH, Heard.QUIET)


class Answer(Enum):
    """The present assessment of the caller."""

    CLEAR = "clear"
    """A caller who can be understood."""
    LOW = "low"
    """A voice that is too low."""
    NONE = "none"
    """Nobody."""
    DOUBT = "doubt"
    """Noise or a tone that is left to a person."""
    ON_HOLD = "on hold"
    """Music: the caller has put us on hold."""
    JUST_BEGUN = "just begun"
    """Noise so far, which may turn out to be music."""
    ASK_AGAIN = "ask again"
    """A voice may be under way: measure it."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """An answer; `window` is the finding that decided, None where Asterisk's ear did."""

    answer: Answer
    at_ms: int
    """When the voice began."""
    window: WindowJudged | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """What the answer depends on besides the sound."""

    gain_db: float
    """Our gain, which comes behind the tap."""
    prompting: bool
    """A prompt is being played."""
    measuring: bool
    """A voice or a silence is being judged already."""
    only_clear: bool
    """Low voices are known; only a clear one changes anything."""
    before_hang_up: bool
    """After this silence the caller is hung up on."""


class Question(Enum):
    """What the tap was asked last, and has not answered yet."""

    LOOK = "look"
    VERDICT = "verdict"


class Assessor:
    """Judges the sounds of one tapped call. `ask` issues a question: its number, and whether it is a verdict."""

    def __init__(self, profile: Profile, ask: Callable[[int, bool], None]) -> None:
        self._profile = profile
        self._issue = ask
        self._number = 0
        self._open: Question | None = None
        self._unexplained: Sound | None = None
        """A sound that only Asterisk's ear took for speech; it counts unless the tap explains it."""
        self._judged_at = 0
        """When it was judged so, by our own clock."""
        self._counts_at: int | None = None
        """When it counts, if no look has been answered."""
        self._look_at: int | None = None
        self._voice_at: int | None = None
        """When the voice under way began."""
        self._window_at = 0
        self._echoing = False
        """The tap has explained a sound while this prompt was said."""
        self._perhaps_at: int | None = None
        """When the tap last told of what may be a voice, beside an echo."""
        self._noise: WindowJudged | None = None
        """Of this window, the answer that called noise what Asterisk's ear took for speech."""

    @property
    def pending(self) -> bool:
        """A sound is not explained yet, or a look not answered."""
        return self._unexplained is not None or self._open is Question.LOOK

    @property
    def next_deadline(self) -> int | None:
        """When `expire` must be called, epoch ms."""
        return min((at for at in (self._counts_at, self._look_at) if at is not None), default=None)

    # -- what the owner does ----------------------------------------------------------------------------------------

    def begin_window(self, now_ms: int, *, prompt: bool = False) -> None:
        """What is heard from now on is judged together; with a `prompt`, what was heard before is forgotten."""
        self._window_at = now_ms
        self._noise = None
        if prompt:
            self._echoing = False
            self.forget_voice()

    def perhaps(self, now_ms: int) -> None:
        """The tap tells of what may be a voice: one that is no echo like those before."""
        self._perhaps_at = now_ms

    def forget_voice(self) -> None:
        """The voice under way has come to nothing."""
        self._voice_at = self._look_at = None

    def measure(self, at_ms: int, now_ms: int) -> None:
        """A voice that began at `at_ms` is measured: it is looked at again and again, as it may become clear."""
        self._voice_at = at_ms
        self._look_at = now_ms + LOOK_EVERY_MS

    def rest(self) -> None:
        """The voice is known now; it is looked at no more."""
        self._look_at = None

    def ask_verdict(self) -> None:
        """Ask what this window was; the newest question alone is waited for."""
        self._ask(Question.VERDICT)

    def give_up(self, call_id: str, moment: Moment, now_ms: int) -> Assessment | None:
        """The verdict has not come in time: nothing was heard, as far as anybody can tell."""
        return self.judge(WindowJudged(call_id, self._number), moment, now_ms)

    # -- what is heard ----------------------------------------------------------------------------------------------

    def hear(self, sound: Sound, moment: Moment, now_ms: int) -> Assessment | None:
        """Take in a sound that an ear took for speech."""
        if sound.ear is EarName.TAP:
            self._voice_at = self._voice_at or sound.at_ms
            measured = moment.measuring or not moment.only_clear
            if measured and not moment.measuring:
                self._open = None
            self._look(now_ms)
            return Assessment(Answer.ASK_AGAIN, sound.at_ms) if measured else None
        if self._echoing and sound.received_ms < self._window_at and not self._may_be_more(sound, moment):
            return None  # its window is over, but others like it were our own prompt come back
        if self._unexplained is None:
            self._unexplained, self._judged_at = sound, now_ms
        self._look(now_ms)
        return None

    def judge(self, window: WindowJudged, moment: Moment, now_ms: int) -> Assessment | None:
        """Take in the answer to a question; None where it changes nothing, or comes too late."""
        if window.ask_id != self._number:
            return None
        verdict = self._open is Question.VERDICT
        sound, self._unexplained = self._unexplained, None
        self._open = self._counts_at = None
        if _has_voice(window):
            return self._voice(window, sound, moment, now_ms, verdict=verdict)
        if sound is not None and not self._explains(sound, window, moment):
            return self._not_explained(sound, window, moment, now_ms, verdict=verdict)
        self._echoing = self._echoing or (sound is not None and moment.prompting)
        if sound is not None and window.heard is Heard.NOISE and moment.before_hang_up and not moment.prompting:
            self._noise = window
        if not verdict:
            return None
        if self._noise is not None and self._profile.on_noise == "agent":
            return Assessment(Answer.DOUBT, self._voice_at or now_ms, self._noise)  # however short it was
        answer = Answer.DOUBT if self._is_doubt(window) else Answer.NONE
        if window.heard is Heard.MUSIC:
            answer = Answer.ON_HOLD
        elif answer is Answer.DOUBT and window.heard is Heard.NOISE and 0 < window.lasting_ms < JUST_BEGUN_MS:
            answer = Answer.JUST_BEGUN
        return Assessment(answer, self._voice_at or now_ms, window)

    def judge_noise(self, window: WindowJudged, at_ms: int) -> Assessment:
        """What a probe found to be noise: a doubt, or a caller where noise is taken for silence."""
        return Assessment(Answer.DOUBT if self._is_doubt(window) else Answer.CLEAR, at_ms, window)

    def expire(self, now_ms: int) -> Assessment | None:
        """A look is due, or has not been answered in time: then the word is with Asterisk's ear."""
        if self._counts_at is not None and now_ms >= self._counts_at and self._unexplained is not None:
            sound, self._unexplained, self._counts_at = self._unexplained, None, None
            return Assessment(Answer.CLEAR, sound.at_ms)
        if self._look_at is not None and now_ms >= self._look_at:
            self._look(now_ms)
        return None

    # -- answers ----------------------------------------------------------------------------------------------------

    def _voice(
        self, window: WindowJudged, sound: Sound | None, moment: Moment, now_ms: int, *, verdict: bool
    ) -> Assessment | None:
        margin_db = 0.0 if verdict else LOOK_MARGIN_DB
        at_ms = self._voice_at or (sound.at_ms if sound else now_ms)
        if is_clear(window.level_dbov, moment.gain_db, self._profile.quiet, margin_db):
            return Assessment(Answer.CLEAR, self._voice_at or now_ms, window)
        if verdict:
            return Assessment(Answer.LOW, at_ms, window)
        if moment.only_clear or moment.measuring:
            return None
        return Assessment(Answer.ASK_AGAIN, sound.at_ms if sound else now_ms)

    def _not_explained(
        self, sound: Sound, window: WindowJudged, moment: Moment, now_ms: int, *, verdict: bool
    ) -> Assessment | None:
        """A caller, or soon one: the tap cannot say that the sound was none."""
        sure_at = self._judged_at + EXPLAINED_MS
        if not verdict and now_ms < sure_at and window.heard is Heard.TONE:
            self._unexplained, self._look_at = sound, sure_at
            return None
        if verdict or moment.only_clear or not (window.heard is Heard.NOISE or _is_echo(window)):
            return Assessment(Answer.CLEAR, sound.at_ms)
        self._unexplained = sound
        return Assessment(Answer.ASK_AGAIN, sound.at_ms)

    def _may_be_more(self, sound: Sound, moment: Moment) -> bool:
        """Before a hang-up: the tap has told of something beside the echo while this sound lasted."""
        return moment.before_hang_up and self._perhaps_at is not None and self._perhaps_at >= sound.received_ms

    def _explains(self, sound: Sound, window: WindowJudged, moment: Moment) -> bool:
        """The tap has heard the sound, too, and it was no voice: noise, a tone, or our own prompt come back."""
        match window.heard:
            case Heard.TONE:
                return window.tone_ms >= TONE_MS or not moment.before_hang_up
            case Heard.COMFORT_NOISE:
                if not moment.prompting and sound.received_ms > self._window_at + ECHO_MOST_MS:
                    return False
                return _is_echo(window) and (window.voice_ms == 0 or window.heard_ms >= EXPLAINED_MS)
            case Heard.NOISE | Heard.MUSIC:
                return window.heard_ms >= EXPLAINED_MS and window.voice_ms < PERHAPS_MS
        return False

    def _is_doubt(self, window: WindowJudged) -> bool:
        match window.heard:
            case Heard.NOISE:
                loud = window.noise_dbov is None or window.noise_dbov >= self._profile.noise_above_dbov
                return loud and self._profile.on_noise == "agent"
            case Heard.TONE:
                return self._profile.on_tone == "agent"
        return False

    # -- questions --------------------------------------------------------------------------------------------------

    def _look(self, now_ms: int) -> None:
        """Ask now and, while there is a voice, again and again; a look never replaces a verdict."""
        self._look_at = None if self._voice_at is None else now_ms + LOOK_EVERY_MS
        if self._unexplained is not None:
            self._counts_at = now_ms + LOOK_TIMEOUT_MS
        if self._open is not Question.VERDICT:
            self._ask(Question.LOOK)

    def _ask(self, question: Question) -> None:
        self._number += 1
        self._open = question
        self._issue(self._number, question is Question.VERDICT)


def _has_voice(window: WindowJudged) -> bool:
    return window.heard in VOICE and (window.level_dbov is None or window.level_dbov >= NOTHING_DBOV)


def _is_echo(window: WindowJudged) -> bool:
    """Our own prompt has come back, loud enough for Asterisk's ear; at first a voice beside it is taken for it, too."""
    noise_dbov = window.noise_dbov
    return window.heard is Heard.COMFORT_NOISE and noise_dbov is not None and noise_dbov >= NOTHING_DBOV
