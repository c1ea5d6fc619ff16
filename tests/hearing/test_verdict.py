"""What a listener makes of a window: the closed set, the level, the onset."""

import numpy as np
import pytest

from callflow.core.heard import Heard
from callflow.hearing import Hearing
from callflow.sound import mulaw
from tests.hearing.callers import Samples, listen, noise, pcm, silence, tone, verdicts, voice

VOICES = ("en/callflow/goodbye", "en/callflow/greeting", "zh/callflow/goodbye", "zh/callflow/can_you_hear")


@pytest.mark.parametrize("name", VOICES)
@pytest.mark.parametrize("dbov", [-20.0, -26.0, -34.0, -42.0, -50.0])
def test_a_voice_is_heard_at_its_level(hearing: Hearing, name: str, dbov: float) -> None:
    listener = listen(hearing, voice(dbov, name=name))
    found = listener.verdict()
    assert found.heard is Heard.SPEECH, "how low is too low, the profile says"
    assert found.level_dbov == pytest.approx(dbov, abs=1.5)
    assert found.speech_ms > 600
    assert listener.speaking is not None


def test_a_voice_over_noise_is_measured_without_the_noise(hearing: Hearing) -> None:
    found = verdicts(hearing, [pcm((voice(-34) + noise(-49).astype(np.float64)) / 32768)])[0]
    assert found.heard is Heard.SPEECH
    assert found.level_dbov == pytest.approx(-34, abs=1.5)
    assert found.noise_dbov == pytest.approx(-49, abs=3)


@pytest.mark.parametrize("dbov", [-25.0, -40.0, -55.0])
def test_noise_is_noise(hearing: Hearing, dbov: float) -> None:
    found = verdicts(hearing, [noise(dbov)])[0]
    assert found.heard is Heard.NOISE
    assert found.level_dbov is None
    assert found.noise_dbov == pytest.approx(dbov, abs=0.5)


@pytest.mark.parametrize(
    "hz", [(440, 480), (425,), (400, 450), (480, 620), (350, 440), (1100,), (2100,), (1004,), (697, 1209), (941, 1633)]
)
def test_tones_are_tones(hearing: Hearing, hz: tuple[float, ...]) -> None:
    listener = listen(hearing, tone(*hz))
    assert listener.verdict().heard is Heard.TONE
    assert listener.speaking is None


def test_a_ringing_line_is_a_tone_and_a_voice_after_it_is_a_voice(hearing: Hearing) -> None:
    ringing = np.concatenate((silence(0.5), tone(440, 480, seconds=1.0), silence(0.3)))
    assert verdicts(hearing, [ringing])[0].heard is Heard.TONE
    assert verdicts(hearing, [np.concatenate((ringing, voice(-26, 1.5)))])[0].heard is Heard.SPEECH


@pytest.mark.parametrize(
    ("samples", "heard"),
    [
        (silence(), Heard.DIGITAL_SILENCE),
        (np.full(24000, 8, dtype=np.int16), Heard.DIGITAL_SILENCE),
        (silence(0), Heard.DIGITAL_SILENCE),
        (noise(-72), Heard.COMFORT_NOISE),
        (mulaw.decode(mulaw.encode(noise(-70))), Heard.COMFORT_NOISE),
    ],
    ids=["mu-law idle", "A-law idle", "nothing yet", "comfort noise", "comfort noise in mu-law"],
)
def test_nothing_is_nothing(hearing: Hearing, samples: Samples, heard: Heard) -> None:
    assert verdicts(hearing, [samples])[0].heard is heard


def test_clicks_are_no_voice(hearing: Hearing) -> None:
    clicks = silence()
    for at in (4000, 9000, 15000):
        clicks[at : at + 200] = noise(-15, 0.025)
    listener = listen(hearing, clicks)
    assert listener.speaking is None
    assert listener.verdict().heard is Heard.NOISE


def test_a_window_begins_afresh(hearing: Hearing) -> None:
    listener = listen(hearing, voice(-26))
    assert listener.speaking is not None
    listener.begin_window()
    assert listener.speaking is None
    for at in range(0, 24000, 160):
        listener.feed(silence(0.02))
        hearing.run([listener])
        assert listener.speaking is None or at < 3200  # the end of the last word may still be heard
    assert listener.fed_ms == 6000
    assert listener.verdict().heard is Heard.DIGITAL_SILENCE
    assert listener.verdict().speech_ms == 0


@pytest.mark.parametrize("dbov", [-26.0, -46.0])
def test_an_onset_is_told_soon_and_dated_back(hearing: Hearing, dbov: float) -> None:
    said = voice(dbov, 2.0)
    began_ms = 1000 + int(np.flatnonzero(np.abs(said) > np.abs(said).max() / 10)[0] / 8)
    onset = listen(hearing, np.concatenate((silence(1.0), said))).speaking
    assert onset is not None
    assert onset.at_ms == pytest.approx(began_ms, abs=100)
    assert 64 <= onset.confirmed_ms - onset.at_ms <= 350


def test_an_acknowledged_onset_is_told_again_if_the_voice_goes_on(hearing: Hearing) -> None:
    listener = listen(hearing, voice(-26, 1.5))
    listener.acknowledge()
    assert listener.speaking is None
    listener.feed(voice(-26, 3.0)[12000:])
    hearing.run([listener])
    assert listener.speaking is not None


def test_a_window_longer_than_is_kept_is_judged_by_its_end(hearing: Hearing) -> None:
    long = np.concatenate((noise(-30, 9.0), silence(8.5)))
    assert listen(hearing, long).verdict().heard is Heard.DIGITAL_SILENCE


@pytest.mark.parametrize("frames", range(12))
def test_a_window_may_be_judged_at_any_time(hearing: Hearing, frames: int) -> None:
    listener = listen(hearing, voice(-26, 1.0))
    listener.begin_window()
    listener.feed(voice(-26, 2.0)[8000 : 8000 + 100 * frames])
    hearing.run([listener])
    assert listener.verdict().heard in set(Heard)


@pytest.mark.parametrize("extreme", [32767, -32768])
def test_the_loudest_samples_do_no_harm(hearing: Hearing, extreme: int) -> None:
    square = np.where(np.arange(24000) // 4 % 2, extreme, -extreme - 1).astype(np.int16)
    found = listen(hearing, square).verdict()
    assert found.heard in set(Heard)
    assert np.isfinite(found.noise_dbov)


@pytest.mark.parametrize(
    ("parts", "least_ms", "most_ms"),
    [
        ((silence(2.0), noise(-30, 1.0)), 900, 1100),
        ((noise(-30, 3.0),), 2900, 3000),
        ((silence(1.0), noise(-30, 1.0), silence(1.0)), 0, 0),
        ((noise(-30, 0.5), silence(1.0), noise(-50, 1.5)), 1400, 1600),
        ((silence(1.0), noise(-30, 0.8), silence(0.4), noise(-30, 0.8)), 1900, 2100),
    ],
)
def test_how_long_noise_has_lasted(hearing: Hearing, parts: tuple[Samples, ...], least_ms: int, most_ms: int) -> None:
    found = listen(hearing, np.concatenate(parts)).verdict()
    assert found.heard is Heard.NOISE
    assert least_ms <= found.lasting_ms <= most_ms
