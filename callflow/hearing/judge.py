"""The verdict on a listening window: speech and its level, noise, a tone, or nothing at all."""

from math import log10

import numpy as np

from callflow.core.heard import Heard
from callflow.hearing.finding import Finding
from callflow.hearing.frames import FRAME, FRAME_MS, Floats
from callflow.hearing.memory import Records
from callflow.hearing.p56 import level_of_steps
from callflow.hearing.percentile import percentile
from callflow.hearing.tape import Samples
from callflow.hearing.tones import Flags

NOTHING_DBOV = -66.0
"""A window whose loudest frame is below this holds nothing that could be a caller."""

_VOICE = 0.5
_SUSTAINED = 4  # frames: the shortest syllables have so many with voice
_SUSTAINED_VOICE = 0.4
_LOUDEST = 8
_CONTRAST_DB = 5.0  # a voice stands out from its line; steady noise that resembles one does not
_FLOOR_PERCENTILE = 15
_FAINTEST_DBOV = -75.0
_STEADY_PERCENTILE = 75  # a click or two do not make a loud line
_MEDIAN = 50
_IDLE = 8  # A-law's nothing
_LEAST_NOISE_DBOV = -96.0


def judge(records: Records, magnitudes: Floats, samples: Samples, *, spoke: bool) -> Finding:
    """What these frames were, oldest first; `spoke`: a voice has already been certain while it spoke."""
    if records.size == 0:
        return Finding(Heard.DIGITAL_SILENCE, None, _LEAST_NOISE_DBOV, 0, 0, "nothing has come yet")
    level, voice, tones = records["level_dbov"], records["voice"], records["tone"]
    if spoke or _is_voice(voice, level):
        return _talker(voice, level, records["echo"], magnitudes)
    heard, why = _no_talker(level, tones, records["echo"], samples)
    noise_dbov = round(max(_LEAST_NOISE_DBOV, percentile(level, _STEADY_PERCENTILE)), 1)
    return Finding(heard, None, noise_dbov, records.size * FRAME_MS, _ms(voice >= _VOICE), why, _ms(tones))


def _no_talker(level: Floats, tones: Flags, echo: Flags, samples: Samples) -> tuple[Heard, str]:
    if level.max() < NOTHING_DBOV:
        return _nothing(samples)
    if echo.any():
        return Heard.COMFORT_NOISE, "only our own prompt come back"
    if tones.any():
        return Heard.TONE, f"tones for {_ms(tones)} ms, no voice"
    return Heard.NOISE, f"sound up to {level.max():.0f} dBov without a voice in it"


def _is_voice(voice: Floats, level_dbov: Floats) -> bool:
    """Voice over four frames, and the frames likest to a voice stand out from the rest."""
    if voice.size < _SUSTAINED:
        return False
    sustained = np.convolve(voice, np.full(_SUSTAINED, 1 / _SUSTAINED), mode="valid").max()
    likest = np.argsort(voice, kind="stable")[-_LOUDEST:]
    floor = max(percentile(level_dbov, _FLOOR_PERCENTILE), _FAINTEST_DBOV)
    return bool(sustained >= _SUSTAINED_VOICE and _mean_dbov(level_dbov[likest]) - floor >= _CONTRAST_DB)


def _talker(voice: Floats, level_dbov: Floats, echo: Flags, magnitudes: Floats) -> Finding:
    """The active level of the frames with voice and their neighbours, less the noise in it.

    Whether that is too low, the profile of the call says (core/screening/gain.py).
    """
    spoken = voice >= _VOICE
    if not spoken.any():
        spoken[voice.argmax()] = True
    near = spoken.copy()
    near[1:] |= spoken[:-1]
    near[:-1] |= spoken[1:]
    line = ~near & ~echo  # our own prompt come back, or a voice that was taken for it, is no noise of the line
    noise = 10 ** (percentile(level_dbov[line], _MEDIAN) / 10) if line.any() else 0.0
    energy = float((10 ** (level_dbov[near] / 10)).sum()) * FRAME
    heard_dbov = level_of_steps(magnitudes[near].ravel(), energy)
    power = 10 ** ((heard_dbov if heard_dbov is not None else _mean_dbov(level_dbov[near])) / 10)
    found_dbov = 10 * log10(max(power - noise, power / 2))
    noise_dbov = max(_LEAST_NOISE_DBOV, 10 * log10(noise + 1e-12))
    return Finding(
        Heard.SPEECH,
        round(found_dbov, 1),
        round(noise_dbov, 1),
        voice.size * FRAME_MS,
        _ms(spoken),
        f"a voice for {_ms(spoken)} ms",
    )


def _nothing(samples: Samples) -> tuple[Heard, str]:
    """Idle codes hardly change from sample to sample; made-up noise does."""
    size = np.abs(samples)
    if size.max() <= _IDLE and np.count_nonzero(np.diff(size)) < samples.size / 100:
        return Heard.DIGITAL_SILENCE, "every sample is nothing"
    return Heard.COMFORT_NOISE, f"nothing above {NOTHING_DBOV:g} dBov"


def _mean_dbov(level_dbov: Floats) -> float:
    """Mean power, not below -96 dBov."""
    return max(_LEAST_NOISE_DBOV, float(10 * np.log10(np.mean(10 ** (level_dbov.astype(np.float64) / 10)))))


def _ms(frames: Flags) -> int:
    return int(np.count_nonzero(frames)) * FRAME_MS
