"""The verdict on a listening window: speech and its level, music, noise, a tone, or nothing at all."""

from typing import NamedTuple

import numpy as np

from callflow.core.heard import Heard
from callflow.hearing.finding import Finding
from callflow.hearing.frames import FRAME, FRAME_MS, Floats
from callflow.hearing.leading_voice import leading_level, mean_dbov
from callflow.hearing.measures import voice_share
from callflow.hearing.memory import KEPT_FRAMES, Records
from callflow.hearing.second_look import SecondLook
from callflow.hearing.small_arrays import percentile, sustained
from callflow.hearing.sound import Sound
from callflow.hearing.tape import Samples
from callflow.hearing.tones import Flags

NOTHING_DBOV = -66.0
"""A window whose loudest frame is below this holds nothing that could be a caller."""

_VOICE = 0.5
_LIKEST_SHARE = 0.6  # of the likeliest frame: where the model hardly knows a voice, these are its frames
_SUSTAINED = 4  # frames: the shortest syllables have so many with voice
_SURE_VOICE = 0.75
_LIKELY_VOICE = 0.4  # where the sound cannot be measured
_DOUBT = 0.04  # less voice than this is none
_LOUDEST = 8
_CONTRAST_DB = 3.0  # a voice stands out from its line; steady noise that resembles one does not
_FLOOR_PERCENTILE = 15
_FAINTEST_DBOV = -75.0
_LEADS = 0.35  # share of the energy that is voice where somebody speaks over music
_TONES = 0.1  # share of frames that are tones which music hardly ever has

_LASTING_DB, _REST_FRAMES = 25.0, 16  # a sound has ended after half a second in which nothing comes so near it

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
        sound = Sound(stretch.samples, stretch.records, stretch.begins + at)
        spoke &= likeness >= _SURE_VOICE or window.size >= KEPT_FRAMES
        stands_out = likeness >= _DOUBT and _contrast_db(voice, level) >= _CONTRAST_DB
        is_sure = spoke or (stands_out and likeness >= _SURE_VOICE)
        if is_sure and (voice_share(level, voice) >= _LEADS or sound.music <= 0):
            return _talker(window, stretch.magnitudes[stretch.begins :])
        if (is_sure or stands_out) and self._is_voice(sound, likeness):
            return _talker(window, stretch.magnitudes[stretch.begins :])
        if window["echo"].any():
            return _no_talker(window, Heard.COMFORT_NOISE, "only our own prompt come back")
        if sound.music > 0 and not tones.mean() > _TONES:
            return _no_talker(window, Heard.MUSIC, f"music up to {loudest_dbov:.0f} dBov")
        if tones.any():
            return _no_talker(window, Heard.TONE, f"tones for {_ms(tones)} ms, no voice")
        return _no_talker(window, Heard.NOISE, f"sound up to {loudest_dbov:.0f} dBov without a voice in it")

    def _is_voice(self, sound: Sound, likeness: float) -> bool:
        """Whether a sound in doubt is a voice; the model is asked a second time where that may decide it."""
        if not sound.is_measurable:
            return likeness >= _LIKELY_VOICE
        level_dbov = sound.records["level_dbov"]
        least, most = sound.voice(0.0), sound.voice(1.0)
        enough = max(0.0, sound.music)
        if least > enough or most <= enough:
            return least > enough
        return sound.voice(self._second_look.voice(sound.samples, level_dbov, sound.at, _SUSTAINED)) > enough


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


def _no_talker(window: Records, heard: Heard, why: str) -> Finding:
    level, voice = window["level_dbov"], window["voice"]
    noise_dbov = round(max(_LEAST_NOISE_DBOV, percentile(level, _STEADY_PERCENTILE)), 1)
    tone_ms = 0 if heard in _NOTHING else _ms(window["tone"])
    lasting_ms = _lasting(level) * FRAME_MS if heard is Heard.NOISE else 0
    return Finding(heard, None, noise_dbov, window.size * FRAME_MS, _ms(voice >= _VOICE), why, tone_ms, lasting_ms)


def _lasting(level_dbov: Floats) -> int:
    """Frames since the sound began that still goes on; 0 where it has ended."""
    loud = np.flatnonzero(level_dbov > max(float(np.sort(level_dbov)[-2:][0]) - _LASTING_DB, NOTHING_DBOV))
    if not loud.size or level_dbov.size - loud[-1] > _REST_FRAMES:
        return 0
    begins = np.flatnonzero(np.diff(loud, prepend=-2 * _REST_FRAMES) > _REST_FRAMES)
    return int(level_dbov.size - loud[begins[-1]])


def _nothing(samples: Samples) -> tuple[Heard, str]:
    """Idle codes hardly change from sample to sample; made-up noise does."""
    spread = int(samples.max()) - int(samples.min())
    if spread <= _IDLE and np.count_nonzero(np.diff(np.abs(samples))) < samples.size / 100:
        return Heard.DIGITAL_SILENCE, "every sample is nothing"
    return Heard.COMFORT_NOISE, f"nothing above {NOTHING_DBOV:g} dBov"


def _ms(frames: Flags) -> int:
    return int(np.count_nonzero(frames)) * FRAME_MS
