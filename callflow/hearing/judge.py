"""The verdict on a listening window: speech and its level, music, noise, a tone, or nothing at all."""

from typing import NamedTuple

import numpy as np

from callflow.core.heard import Heard
from callflow.hearing.finding import Finding
from callflow.hearing.frames import FRAME, FRAME_MS, Floats
from callflow.hearing.leading_voice import leading_level, mean_dbov
from callflow.hearing.memory import KEPT_FRAMES, Records
from callflow.hearing.music import NOT_MUSIC, music_score
from callflow.hearing.second_look import SecondLook
from callflow.hearing.small_arrays import percentile, sustained
from callflow.hearing.tape import Samples
from callflow.hearing.tones import Flags

NOTHING_DBOV = -66.0
"""A window whose loudest frame is below this holds nothing that could be a caller."""

_VOICE = 0.5
_LIKEST_SHARE = 0.6  # of the likeliest frame: where the model hardly knows a voice, these are its frames
_SUSTAINED = 4  # frames: the shortest syllables have so many with voice
_SUSTAINED_VOICE = 0.4
_STILL_VOICE = 0.3  # what was certain while it was spoken; less is left where it turned out to be a tone
_LOUDEST = 8
_CONTRAST_DB = 5.0  # a voice stands out from its line; steady noise that resembles one does not
_FLOOR_PERCENTILE = 15
_FAINTEST_DBOV = -75.0

_DOUBT = 0.08  # less voice than this is none
_SECOND_VOICE = 0.45
_TONES = 0.05  # share of frames that are tones from which there is no second look
_SECOND_DBOV = -58.0  # what is fainter is not looked at again
_SURE_VOICE = 0.75  # what is less sure and then keeps its level within so many dB for so many frames is a hum
_STILL_FRAMES, _STILL_DB, _NEAR_TOP_DB = 10, 3.0, 5.0
_OVERDRIVEN_DBOV = -22.0  # from here on it may be an overdriven phone: its voice stands still, too
_STILL_SHARE = 0.7  # with more of its loud frames known to be no voice (0 exactly), neither
_RUN_FRAMES, _RUN_DB = 6, 20.0  # a word lasts so long near its loudest frame; a thump does not

_MUSIC = 0.0
_MOSTLY_VOICE = 0.4  # share of frames with voice that music hardly ever has
_MUSIC_OVER_VOICE, _PER_VOICE = 2.0, 6.0  # the surer the voice, the more it takes to call it music
_MUSIC_IN_DOUBT = 0.9  # how much more voice a second look must find for each point of music

_NOTHING = (Heard.DIGITAL_SILENCE, Heard.COMFORT_NOISE)
_STEADY_PERCENTILE = 75  # a click or two do not make a loud line
_IDLE = 16  # A-law's nothing is +8 and -8, on a line with DC around its offset
_LEAST_NOISE_DBOV = -96.0


class Stretch(NamedTuple):
    """What a listener remembers of a window and of some time before it, oldest first."""

    records: Records
    magnitudes: Floats
    samples: Samples
    begins: int
    """Frame in which the window begins."""


class Judge:
    """Judges the windows of all listeners."""

    def __init__(self, second_look: SecondLook) -> None:
        self._second_look = second_look

    def verdict(self, stretch: Stretch, *, spoke: bool) -> Finding:
        """What the window was; `spoke`: a voice was certain while it was spoken."""
        window = stretch.records[stretch.begins :]
        if window.size == 0:
            return Finding(Heard.DIGITAL_SILENCE, None, _LEAST_NOISE_DBOV, 0, 0, "nothing has come yet")
        level, voice, tones = window["level_dbov"], window["voice"], window["tone"]
        loudest_dbov = float(level.max())
        if loudest_dbov < NOTHING_DBOV and not spoke:
            return _no_talker(window, *_nothing(stretch.samples[stretch.begins * FRAME :]))
        likeness, at = _voice_of(voice)
        if likeness < _SURE_VOICE and _stands_still(level, at):
            likeness = 0.0
        spoke &= likeness >= _STILL_VOICE or window.size >= KEPT_FRAMES
        stands_out = spoke or (likeness >= _DOUBT and _contrast_db(voice, level) >= _CONTRAST_DB)
        is_voice = spoke or (likeness >= _SUSTAINED_VOICE and stands_out)
        music = self._music(stretch)
        if is_voice and music <= _MUSIC_OVER_VOICE + _PER_VOICE * max(0.0, likeness - _SUSTAINED_VOICE):
            return _talker(window, stretch.magnitudes[stretch.begins :])
        if not is_voice and stands_out and _could_be_a_word(level, voice, tones, at):
            samples = _without_dc(stretch.samples[stretch.begins * FRAME :])
            more = likeness + self._second_look.voice(samples, level, at, _SUSTAINED)
            if more >= _SECOND_VOICE + _MUSIC_IN_DOUBT * max(0.0, music):
                return _talker(window, stretch.magnitudes[stretch.begins :])
        if window["echo"].any():
            return _no_talker(window, Heard.COMFORT_NOISE, "only our own prompt come back")
        if music > _MUSIC and not tones.mean() > _TONES:
            return _no_talker(window, Heard.MUSIC, f"music up to {loudest_dbov:.0f} dBov")
        if tones.any():
            return _no_talker(window, Heard.TONE, f"tones for {_ms(tones)} ms, no voice")
        return _no_talker(window, Heard.NOISE, f"sound up to {loudest_dbov:.0f} dBov without a voice in it")

    @staticmethod
    def _music(stretch: Stretch) -> float:
        """The score of music over the whole stretch; not asked where most of the sound is clearly a voice."""
        voice, level = stretch.records["voice"], stretch.records["level_dbov"]
        if np.count_nonzero(voice >= _VOICE) > _MOSTLY_VOICE * voice.size or stretch.records["echo"].any():
            return NOT_MUSIC
        return music_score(_without_dc(stretch.samples), level, voice)


def _talker(window: Records, magnitudes: Floats) -> Finding:
    """A voice, with the level of the one that leads.

    Whether that is too low, the profile of the call says (core/screening/gain.py).
    """
    voice = window["voice"]
    spoken = voice >= min(_VOICE, _LIKEST_SHARE * voice.max())
    found = leading_level(spoken, window["level_dbov"], magnitudes, window["echo"])
    others = "" if found.other_dbov is None else f", over others at {found.other_dbov:.0f} dBov"
    return Finding(
        Heard.SPEECH,
        round(found.level_dbov, 1),
        round(found.noise_dbov, 1),
        voice.size * FRAME_MS,
        _ms(spoken),
        f"a voice for {_ms(spoken)} ms{others}",
        other_dbov=None if found.other_dbov is None else round(found.other_dbov, 1),
    )


def _voice_of(voice: Floats) -> tuple[float, int]:
    """The largest mean probability of some frames in a row, and where they begin."""
    if voice.size < _SUSTAINED:
        return 0.0, 0
    means = sustained(voice, _SUSTAINED)
    at = int(means.argmax())
    return float(means[at]), at


def _contrast_db(voice: Floats, level_dbov: Floats) -> float:
    """How far the frames likest to a voice stand above the quiet parts of the line."""
    likest = np.argsort(voice, kind="stable")[-_LOUDEST:]
    floor = max(percentile(level_dbov, _FLOOR_PERCENTILE), _FAINTEST_DBOV)
    return mean_dbov(level_dbov[likest]) - floor


def _could_be_a_word(level_dbov: Floats, voice: Floats, tones: Flags, at: int) -> bool:
    """Some sound lasts as long as a word; it is no machine's, and does not stand still."""
    if level_dbov.size < _RUN_FRAMES or tones.mean() > _TONES or level_dbov[at : at + _SUSTAINED].max() < _SECOND_DBOV:
        return False
    near = level_dbov >= np.sort(level_dbov)[-2] - _RUN_DB
    if np.mean(voice[near] == 0.0) > _STILL_SHARE and level_dbov.max() < _OVERDRIVEN_DBOV:
        return False
    return bool(sustained(near, _RUN_FRAMES).max() > 1 - 1e-6)


def _stands_still(level_dbov: Floats, at: int) -> bool:
    """The loudest sound of the window hardly changes its level from here on, for as long as no voice does."""
    first = max(0, min(at + 1, level_dbov.size - _STILL_FRAMES))
    part = level_dbov[first : first + _STILL_FRAMES]
    if part.size < _STILL_FRAMES or np.ptp(part) > _STILL_DB:
        return False
    return bool(np.sort(level_dbov)[-2] - _NEAR_TOP_DB < part.mean() < _OVERDRIVEN_DBOV)


def _no_talker(window: Records, heard: Heard, why: str) -> Finding:
    level, voice = window["level_dbov"], window["voice"]
    noise_dbov = round(max(_LEAST_NOISE_DBOV, percentile(level, _STEADY_PERCENTILE)), 1)
    tone_ms = 0 if heard in _NOTHING else _ms(window["tone"])
    return Finding(heard, None, noise_dbov, window.size * FRAME_MS, _ms(voice >= _VOICE), why, tone_ms)


def _nothing(samples: Samples) -> tuple[Heard, str]:
    """Idle codes hardly change from sample to sample; made-up noise does."""
    spread = int(samples.max()) - int(samples.min())
    if spread <= _IDLE and np.count_nonzero(np.diff(np.abs(samples))) < samples.size / 100:
        return Heard.DIGITAL_SILENCE, "every sample is nothing"
    return Heard.COMFORT_NOISE, f"nothing above {NOTHING_DBOV:g} dBov"


def _without_dc(samples: Samples) -> Floats:
    """-1 to 1; lost packets stay zero."""
    filled = samples != 0
    offset = np.float32(np.median(samples[filled])) if filled.any() else np.float32(0.0)
    without: Floats = (samples.astype(np.float32) - offset * filled) / np.float32(32768)
    return without


def _ms(frames: Flags) -> int:
    return int(np.count_nonzero(frames)) * FRAME_MS
