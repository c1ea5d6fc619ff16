"""Music is told from voices, noise and tones; a voice over it is still a voice."""

import numpy as np
import pytest

from callflow.core.heard import Heard
from callflow.hearing import Hearing
from tests.hearing.callers import Samples, listen, music, noise, pcm, silence, voice


def test_music_ismusic(hearing: Hearing) -> None:
    found = listen(hearing, music()).verdict()
    assert found.heard is Heard.MUSIC
    assert found.level_dbov is None
    assert found.why.startswith("music up to")


def test_music_is_known_by_what_came_before_the_window_too(hearing: Hearing) -> None:
    played, listener = music(seconds=5.0), listen(hearing, music(seconds=4.0))
    listener.begin_window()
    listener.feed(played[32000:36000])
    hearing.run([listener])
    assert listener.verdict().heard is Heard.MUSIC


def test_a_voice_over_music_is_a_voice(hearing: Hearing) -> None:
    both = pcm((voice(-24, 4.0).astype(np.float64) + music(-36)) / 32768)
    assert listen(hearing, both).verdict().heard is Heard.SPEECH


@pytest.mark.parametrize("sound", [noise(-30), silence(), np.concatenate((noise(-30, 1.0), silence(2.0)))])
def test_noise_and_silence_are_nomusic(hearing: Hearing, sound: Samples) -> None:
    assert listen(hearing, sound).verdict().heard is not Heard.MUSIC
