"""Music is told from voices, noise and tones; a voice over it is still a voice."""

import numpy as np
import pytest

from callflow.core.heard import Heard
from callflow.hearing import Hearing
from callflow.hearing.music import NOT_MUSIC, WEIGHTS, measures, music_score
from tests.hearing.callers import Samples, at_rms, listen, noise, pcm, silence, voice

CHORDS = ((60, 64, 67), (57, 60, 64), (65, 69, 72), (55, 59, 62))


def _music(dbov: float = -25.0, seconds: float = 4.0) -> Samples:
    """A plucked accompaniment: chords with a melody above them, a note every quarter of a second."""
    made, step, random = np.zeros(round(seconds * 8000)), 2000, np.random.default_rng(3)
    for number, start in enumerate(range(0, made.size, step)):
        chord = CHORDS[number // 4 % len(CHORDS)]
        for key in (*chord, chord[random.integers(3)] + 12):
            hz, at = 440 * 2 ** ((key - 69) / 12), np.arange(min(3 * step, made.size - start)) / 8000
            partials = sum(np.sin(2 * np.pi * hz * n * at) / n**1.5 for n in range(1, 6))
            made[start : start + at.size] += partials * np.exp(-3 * at)
    return at_rms(made, dbov)


def test_music_is_music(hearing: Hearing) -> None:
    found = listen(hearing, _music()).verdict()
    assert found.heard is Heard.MUSIC
    assert found.level_dbov is None
    assert found.why.startswith("music up to")


def test_music_is_known_by_what_came_before_the_window_too(hearing: Hearing) -> None:
    music, listener = _music(seconds=5.0), listen(hearing, _music(seconds=4.0))
    listener.begin_window()
    listener.feed(music[32000:36000])
    hearing.run([listener])
    assert listener.verdict().heard is Heard.MUSIC


def test_a_voice_over_music_is_a_voice(hearing: Hearing) -> None:
    both = pcm((voice(-24, 4.0).astype(np.float64) + _music(-36)) / 32768)
    assert listen(hearing, both).verdict().heard is Heard.SPEECH


@pytest.mark.parametrize("sound", [noise(-30), silence(), np.concatenate((noise(-30, 1.0), silence(2.0)))])
def test_noise_and_silence_are_no_music(hearing: Hearing, sound: Samples) -> None:
    assert listen(hearing, sound).verdict().heard is not Heard.MUSIC


def test_a_short_or_resting_sound_is_not_judged() -> None:
    frames = 94
    samples, voiced = (
        (_music(seconds=3.1)[: frames * 256] / 32768).astype(np.float32),
        np.zeros(frames, dtype=np.float32),
    )
    level = np.full(frames, -25.0, dtype=np.float32)
    assert music_score(samples, level, voiced) > 0
    assert music_score(samples[: 40 * 256], level[:40], voiced[:40]) == NOT_MUSIC
    level[20:60] = -80.0
    assert music_score(samples, level, voiced) == NOT_MUSIC


def test_every_measure_has_a_weight() -> None:
    frames = 94
    found = measures(
        np.zeros(frames * 256, dtype=np.float32), np.full(frames, -90.0, np.float32), np.zeros(frames, np.float32)
    )
    assert found.keys() == WEIGHTS.keys()
    assert all(np.isfinite(value) for value in found.values())
