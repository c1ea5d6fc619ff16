"""What the line does to a voice before the model hears it: DC, clipping, sleep; and what is never a voice."""

import numpy as np
import pytest

from callflow.core.heard import Heard
from callflow.hearing import Hearing
from callflow.hearing.dc import remove_dc
from callflow.hearing.frames import FRAME
from tests.hearing.callers import Samples, listen, noise, pcm, silence, voice


def _with_dc(samples: Samples, share: float) -> Samples:
    return pcm(samples / 32768 + share)


@pytest.mark.parametrize("share", [0.01, 0.03, -0.1, 0.1])
@pytest.mark.parametrize("dbov", [-26.0, -46.0])
def test_dc_changes_neither_the_verdict_nor_the_level(hearing: Hearing, share: float, dbov: float) -> None:
    without, found = (listen(hearing, one).verdict() for one in (voice(dbov), _with_dc(voice(dbov), share)))
    assert found.heard is without.heard
    assert found.level_dbov == pytest.approx(without.level_dbov, abs=1.0)


def test_a_dead_line_with_dc_is_dead(hearing: Hearing) -> None:
    assert listen(hearing, _with_dc(silence(), 0.1)).verdict().heard is Heard.DIGITAL_SILENCE


def test_noise_with_dc_keeps_its_level(hearing: Hearing) -> None:
    found = listen(hearing, _with_dc(noise(-45), 0.1)).verdict()
    assert found.heard is Heard.NOISE
    assert found.noise_dbov == pytest.approx(-45, abs=0.5)


def test_the_offset_is_known_from_the_first_frame_and_followed() -> None:
    frames = np.full((2, FRAME), 3000, dtype=np.int16)
    known, before = np.array([False, True]), np.array([0.0, 0.05], dtype=np.float32)
    heard, after = remove_dc(frames, known, before)
    assert np.abs(heard[0]).max() < 1e-6
    assert 0.05 < after[1] < 3000 / 32768
    assert heard[1][-1] < heard[1][0], "it follows within the frame"


def test_a_lost_packet_is_silence_and_not_a_line_at_zero() -> None:
    frames = np.full((1, FRAME), 3000, dtype=np.int16)
    frames[0, 64:224] = 0
    offset = np.array([3000 / 32768], dtype=np.float32)
    heard, after = remove_dc(frames, np.array([True]), offset)
    assert np.abs(heard).max() < 1e-6
    assert after == pytest.approx(offset)
    nothing, same = remove_dc(np.zeros((1, FRAME), dtype=np.int16), np.array([True]), offset)
    assert not nothing.any()
    assert same == pytest.approx(offset)


def test_an_overdriven_phone_is_heard(hearing: Hearing) -> None:
    said = voice(-26) / 32768
    found = listen(hearing, pcm(np.clip(said * 30 / np.abs(said).max(), -1, 1))).verdict()
    assert found.heard is Heard.SPEECH
    assert found.speech_ms > 600


def test_the_model_remembers_over_a_sleep(hearing: Hearing) -> None:
    listener = listen(hearing, voice(-26, 1.0))
    before = hearing._memory.rows["model"][listener.row].copy()
    for _ in range(100):
        listener.feed(silence(0.02))
        hearing.run([listener])
    after = hearing._memory.rows["model"][listener.row]
    assert before.any()
    assert after.any(), "two seconds of nothing do not wipe what it heard before"


def test_a_silent_frame_is_never_a_voice(hearing: Hearing) -> None:
    listener = listen(hearing, np.concatenate((voice(-20, 1.5), silence(1.0))))
    history = hearing._memory.rows["history"][listener.row]
    silent = (history["level_dbov"] < -70) & (np.arange(history.size) < listener.frames)
    assert silent.any()
    assert not history["voice"][silent].any()


def _thump(hz: float, fall: float) -> Samples:
    """A knock on a table, three times in three seconds."""
    at = np.arange(1600) / 8000
    made = np.zeros(24000)
    for start in (2000, 9000, 17000):
        made[start : start + at.size] += 0.3 * np.sin(2 * np.pi * hz * at) * np.exp(-at * fall)
    return pcm(made + noise(-68) / 32768)


@pytest.mark.parametrize("hz", [80.0, 150.0, 220.0, 300.0])
@pytest.mark.parametrize("fall", [20.0, 45.0, 70.0])
def test_a_thump_is_no_voice(hearing: Hearing, hz: float, fall: float) -> None:
    listener = listen(hearing, _thump(hz, fall))
    assert listener.speaking is None
    assert listener.verdict().heard in (Heard.NOISE, Heard.TONE)


@pytest.mark.parametrize("base_hz", [50.0, 60.0, 133.3, 220.0])
def test_a_buzz_is_no_voice(hearing: Hearing, base_hz: float) -> None:
    at = np.arange(24000) / 8000
    made = sum(np.sin(2 * np.pi * base_hz * n * at + n * n) / n for n in range(1, int(3400 / base_hz)))
    on = (at % 1.0) < 0.5
    listener = listen(hearing, pcm(0.03 * made * on + noise(-65) / 32768))
    assert listener.verdict().heard not in (Heard.SPEECH, Heard.QUIET)


@pytest.mark.parametrize(("from_hz", "to_hz", "stands_still"), [(180.0, 380.0, False), (220.0, 220.0, True)])
def test_the_level_of_what_is_cut_off_tells_nothing_where_the_sound_moves(
    hearing: Hearing, from_hz: float, to_hz: float, stands_still: bool
) -> None:
    """An overdriven voice keeps its level as hum does."""
    phase = 2 * np.pi * np.cumsum(np.linspace(from_hz, to_hz, 8000)) / 8000
    listener = listen(hearing, pcm(0.3 * np.sign(np.sin(phase)) + noise(-60, 1.0) / 32768))
    kept = int(hearing._memory.rows["level_kept"][listener.row])
    assert (kept > 20) is stands_still, kept


@pytest.mark.parametrize("hz", [50.0, 60.0, 133.3])
def test_overdriven_hum_is_no_voice(hearing: Hearing, hz: float) -> None:
    at = np.arange(24000) / 8000
    made = sum(np.sin(2 * np.pi * hz * n * at + n * n) / n for n in range(1, int(3400 / hz)))
    listener = listen(hearing, pcm(0.5 * np.clip(30 * made, -1.0, 1.0) + noise(-50) / 32768))
    assert listener.speaking is None
    assert listener.verdict().heard not in (Heard.SPEECH, Heard.QUIET)
