"""Sounds in doubt: a whisper is a voice; thumps, handling, breath and hum are none, however they fall."""

from collections.abc import Callable

import numpy as np
import pytest

from callflow.core.heard import Heard
from callflow.hearing import Hearing
from callflow.hearing.frames import FRAME
from callflow.hearing.measures import measure, voice_share
from callflow.hearing.memory import FRAME_RECORD, Records
from callflow.hearing.sound import MUSIC, NOT_MUSIC, VOICE, Sound
from tests.bench.hearing import line, sounds
from tests.bench.hearing.body_sounds import thumps
from tests.bench.hearing.recordings import band
from tests.bench.hearing.voice_changes import whispered
from tests.hearing.callers import Samples, music, noise, pcm, prompt, verdicts

SIZE = 24000
TIMES = 24
NAMES = ("en/callflow/goodbye", "en/callflow/can_you_hear", "zh/callflow/goodbye", "zh/callflow/can_you_hear")


def _whisper(number: int) -> Samples:
    """A second of a prompt in a whisper, 15 dB above the noise of the line."""
    random = np.random.default_rng(number)
    said = band(prompt(NAMES[number % len(NAMES)]))
    start = int(random.integers(0, max(1, said.size - 8000)))
    heard = np.zeros(SIZE)
    part = whispered(said[start : start + 8000], random)
    heard[6000 : 6000 + part.size] = line.at_level(part, -35, active=True)
    return pcm(heard + line.at_level(sounds.NOISES["pink"](SIZE, random), -50))


def test_a_whisper_is_a_voice(hearing: Hearing) -> None:
    found = [one.heard for one in verdicts(hearing, map(_whisper, range(TIMES)))]
    assert found.count(Heard.SPEECH) >= TIMES - 1


@pytest.mark.parametrize(
    "make", [thumps, sounds.hum_in_mid_window, sounds.handling, sounds.breath], ids=lambda make: str(make.__name__)
)
def test_what_is_made_without_a_voice_is_none(hearing: Hearing, make: sounds.Sound) -> None:
    def made(number: int) -> Samples:
        random = np.random.default_rng(number)
        sound = line.at_level(make(SIZE, random), random.uniform(-58, -25), active=True)
        return pcm(sound + line.at_level(sounds.NOISES["white"](SIZE, random), -75))

    found = [one.heard for one in verdicts(hearing, map(made, range(TIMES)))]
    assert found.count(Heard.SPEECH) == 0


def _sound(samples: Samples, change: Callable[[Records], None] = lambda records: None) -> Sound:
    frames = samples.size // FRAME
    heard = (samples[: frames * FRAME] / 32768).astype(np.float32)
    records = np.zeros(frames, dtype=FRAME_RECORD)
    records["level_dbov"] = 10 * np.log10(np.mean(np.square(heard.reshape(-1, FRAME)), axis=1) + 1e-12)
    change(records)
    return Sound(samples[: frames * FRAME], records, 0)


def _rest(records: Records) -> None:
    records["level_dbov"][20:60] = -80.0


def _mostly_voice(records: Records) -> None:
    records["voice"][:60] = 0.9


def _echo(records: Records) -> None:
    records["echo"][3] = True


def test_music_scores_above_noise() -> None:
    assert _sound(music()).music > 0 > _sound(noise(-30)).music


@pytest.mark.parametrize("change", [_rest, _mostly_voice, _echo])
def test_what_rests_or_speaks_or_echoes_is_no_music(change: Callable[[Records], None]) -> None:
    assert _sound(music(), change).music == NOT_MUSIC


def test_too_little_is_not_measured() -> None:
    assert _sound(music(seconds=1.9)).music == NOT_MUSIC
    assert not _sound(noise(-30, 0.9)).is_measurable
    assert not _sound(noise(-30), _echo).is_measurable


def test_the_surer_the_second_look_the_surer_the_voice() -> None:
    sound = _sound(noise(-30))
    assert sound.voice(1.0) > sound.voice(0.3) > sound.voice(0.0)


def test_the_share_of_a_voice_is_that_of_its_energy() -> None:
    level = np.array([-20.0, -20.0, -60.0, -60.0], dtype=np.float32)
    assert voice_share(level, np.array([1, 0, 0, 0], dtype=np.float32)) == pytest.approx(0.5, abs=0.01)
    assert voice_share(level, np.array([0, 0, 1, 1], dtype=np.float32)) < 0.001


@pytest.mark.parametrize("samples", [np.zeros(94 * FRAME), np.zeros(31 * FRAME), noise(-30, 1.0) / 32768])
def test_every_weight_has_a_measure(samples: np.ndarray) -> None:
    heard = samples[: samples.size // FRAME * FRAME].astype(np.float32)
    frames = heard.size // FRAME
    found = measure(heard, np.full(frames, -90.0, np.float32), np.zeros(frames, np.float32), frames - 1)
    assert all(np.isfinite(value) for value in found.values())
    assert found.keys() >= MUSIC.weights.keys()
    assert found.keys() | {"second look"} == VOICE.weights.keys()
