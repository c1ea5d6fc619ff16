"""What the tap makes known besides voices: noise, music, tones, and our own echo."""

import pytest

from callflow.core import commands, events
from callflow.core.heard import Heard
from callflow.core.profile import Profile
from tests.core.driver import LISTENING, START_MS, UNIQUEID, Driver, tapped


def test_noise_is_a_doubt_and_goes_to_a_person(call: Driver) -> None:
    call.hears = (Heard.NOISE, -40.0)
    call.run_for(10_000)
    assert call.results == ["passed"]
    assert call.offset(commands.Release) == [7001]
    assert call.final.heard == "noise"


def test_a_site_may_say_otherwise() -> None:
    call = tapped(Profile(on_noise="silence"))
    call.hears = (Heard.NOISE, -40.0)
    call.run_for(60_000)
    assert call.results == ["silent"]


def test_the_noise_of_a_quiet_line_is_silence(call: Driver) -> None:
    call.hears = (Heard.NOISE, -60.0)
    call.run_for(60_000)
    assert call.results == ["silent"]


@pytest.mark.parametrize(("on_tone", "result"), [("silence", "silent"), ("agent", "passed")])
def test_a_tone_is_nobody_unless_a_site_says_otherwise(on_tone: str, result: str) -> None:
    call = tapped(Profile.model_validate({"on_tone": on_tone}))
    call.hears = (Heard.TONE, -20.0)
    call.sound(None)
    call.run_for(60_000)
    assert call.results == [result]


def test_music_is_listened_to_in_silence_and_then_goes_to_a_person() -> None:
    call = tapped(Profile(music_wait_s=20))
    call.hears = (Heard.MUSIC, -20.0)
    call.run_for(15_000)
    assert call.results == []
    call.run_for(15_000)
    assert call.prompts == ["en/greeting"], "music is not asked to speak up"
    assert call.results == ["passed"]
    assert call.final.heard == "music"
    (released,) = call.offset(commands.Release)
    assert 24_000 <= released <= 27_100, "20 s from the beginning of the listening time, to the end of a window"


def test_music_that_is_not_waited_for_goes_to_a_person_at_once() -> None:
    call = tapped(Profile(music_wait_s=0))
    call.hears = (Heard.MUSIC, -20.0)
    call.run_for(10_000)
    assert call.results == ["passed"]
    assert call.offset(commands.Release) == [7001]


def test_who_comes_back_from_hold_is_a_caller(call: Driver) -> None:
    call.hears = (Heard.MUSIC, -20.0)
    call.run_for(25_000)
    call.voice(-20)
    call.run_for(400)
    assert call.prompts == ["en/greeting"]
    assert call.results == ["spoke"]


def test_when_the_music_ends_the_ladder_goes_on(call: Driver) -> None:
    call.hears = (Heard.MUSIC, -20.0)
    call.run_for(25_000)
    call.hears = (Heard.DIGITAL_SILENCE, -96.0)
    call.run_for(60_000)
    assert call.prompts == ["en/greeting", "en/can_you_hear", "en/goodbye"]
    assert call.results == ["silent"]


def test_music_before_the_hang_up_is_a_doubt(call: Driver) -> None:
    while "en/goodbye" not in call.prompts:
        call.run_for(500)
    call.hears = (Heard.MUSIC, -20.0)
    call.run_for(60_000)
    assert call.results == ["passed"]


def begun(lasting_ms: int, noise_dbov: float = -40.0) -> events.WindowJudged:
    """Noise in a window of 3 s, which began so long before its end and goes on."""
    return events.WindowJudged(UNIQUEID, 0, Heard.NOISE, None, noise_dbov, "", 3000, lasting_ms=lasting_ms)


def test_a_sound_that_has_just_begun_is_listened_to_and_may_be_music(call: Driver) -> None:
    call.answer = begun(1800)
    call.run_until(START_MS + 7500)
    assert call.results == [], "nothing is concluded from 1.8 s"
    call.answer, call.hears = None, (Heard.MUSIC, -20.0)
    call.run_for(20_000)
    assert call.results == []
    assert call.prompts == ["en/greeting"]


def test_a_sound_that_has_still_just_begun_is_not_waited_for_in_silence(call: Driver) -> None:
    """The caller is asked; the next listening time has the whole of the sound."""
    call.answer = begun(300)
    call.run_until(START_MS + 8100)
    assert call.offset(commands.PlayPrompt) == [1, pytest.approx(8001, abs=5)]
    call.answer, call.hears = None, (Heard.MUSIC, -20.0)
    call.run_for(20_000)
    assert call.results == []
    assert call.prompts == ["en/greeting", "en/can_you_hear"]


@pytest.mark.parametrize("lasting_ms", [0, 2400, 3000])
def test_noise_that_lasts_or_has_ended_is_a_doubt_at_once(call: Driver, lasting_ms: int) -> None:
    call.answer = begun(lasting_ms)
    call.run_for(30_000)
    assert call.results == ["passed"]
    assert call.offset(commands.Release) == [pytest.approx(7001, abs=5)]


def test_a_caller_who_speaks_after_a_sound_has_just_begun_is_heard_at_once(call: Driver) -> None:
    call.answer = begun(800)
    call.run_for(5000)
    call.answer = None
    call.voice(-20)
    call.run_for(10)
    assert call.results == ["spoke"]


def test_noise_that_stands_for_silence_is_not_heard_out(call: Driver) -> None:
    call.answer = begun(800, noise_dbov=-60.0)
    call.run_for(60_000)
    assert call.results == ["silent"]
    assert call.prompts == ["en/greeting", "en/can_you_hear", "en/goodbye"]


def test_a_sound_that_begins_before_the_hang_up_is_a_doubt(call: Driver) -> None:
    while "en/goodbye" not in call.prompts:
        call.run_for(500)
    call.answer = begun(800)
    call.run_for(60_000)
    assert call.results == ["passed"]


def test_sound_that_the_tap_explains_as_music_is_no_caller(call: Driver) -> None:
    call.hears = (Heard.MUSIC, -20.0)
    call.run_for(1000)
    call.sound(None)
    call.run_for(10_000)
    assert call.results == []


def beginning(tone_ms: int) -> events.WindowJudged:
    """What the tap says of a sound that began a moment ago and has been a tone for so long."""
    return events.WindowJudged(UNIQUEID, 0, Heard.TONE, None, -30.0, "", 1900, 0, tone_ms)


@pytest.mark.parametrize(("at_ms", "result"), [(15_000, "rescued"), (18_500, "rescued"), (19_700, "rescued")])
def test_what_sounds_like_a_tone_for_a_moment_is_a_caller_before_the_hang_up(at_ms: int, result: str) -> None:
    call = tapped()
    call.run_until(START_MS + at_ms)
    call.answer = beginning(96)
    call.sound(1000)
    call.run_for(60_000)
    assert call.results == [result]


@pytest.mark.parametrize("at_ms", [15_000, 18_500])
def test_a_tone_that_goes_on_is_known_before_the_hang_up_too(at_ms: int) -> None:
    call = tapped()
    call.run_until(START_MS + at_ms)
    call.answer = beginning(96)
    call.sound(1000)
    call.run_for(400)
    call.answer = beginning(400)
    call.run_for(60_000)
    assert call.offset(commands.StopPrompt) == []
    assert call.results == ["silent"]


def test_a_sound_of_our_own_echo_stops_nothing() -> None:
    call = tapped()
    call.run_until(START_MS + 2000)
    call.hears = (Heard.COMFORT_NOISE, -40.0)
    call.sound(700)
    call.run_for(1000)
    assert call.offset(commands.StopPrompt) == []
    call.hears = (Heard.DIGITAL_SILENCE, -96.0)
    call.run_for(60_000)
    assert call.results == ["silent"]


def test_an_echo_that_ends_behind_its_prompt_stops_nothing_either() -> None:
    call = tapped()
    call.run_until(START_MS + 3000)
    call.hears = (Heard.COMFORT_NOISE, -40.0)
    call.sound(200)
    call.run_until(START_MS + 3900)
    call.sound(150)
    call.run_until(START_MS + 4001)
    call.hears = (Heard.DIGITAL_SILENCE, -96.0)
    call.run_for(60_000)
    assert call.results == ["silent"]


def test_what_the_tap_has_not_heard_at_all_it_cannot_explain(call: Driver) -> None:
    call.sound(400)
    call.run_for(1000)
    assert call.results == ["spoke"], "Asterisk's ear heard a caller, the tap nothing: in doubt a person"


@pytest.mark.parametrize(("heard_ms", "voice_ms"), [(100, 0), (1000, 128)])
def test_what_the_tap_cannot_explain_stops_the_prompt_at_once(heard_ms: int, voice_ms: int) -> None:
    call = tapped()
    call.run_until(START_MS + 1000)
    call.answer = events.WindowJudged(UNIQUEID, 0, Heard.NOISE, None, -40.0, "", heard_ms, voice_ms)
    call.sound(2000)
    call.run_for(300)
    assert call.offset(commands.StopPrompt) == [1280]


@pytest.mark.parametrize(("heard_ms", "voice_ms", "stopped"), [(128, 32, [1280]), (128, 0, []), (400, 32, [])])
def test_an_echo_with_a_trace_of_voice_is_none_yet(heard_ms: int, voice_ms: int, stopped: list[int]) -> None:
    call = tapped()
    call.run_until(START_MS + 1000)
    call.answer = events.WindowJudged(UNIQUEID, 0, Heard.COMFORT_NOISE, None, -22.0, "", heard_ms, voice_ms)
    call.sound(2000)
    call.run_for(300)
    assert call.offset(commands.StopPrompt) == stopped
    assert not call.results, "weighed in the quiet, not taken for a caller yet"


def test_noise_that_the_tap_has_listened_to_long_enough_stops_nothing() -> None:
    call = tapped()
    call.run_until(START_MS + 1000)
    call.answer = events.WindowJudged(UNIQUEID, 0, Heard.NOISE, None, -40.0, "", 400, 64)
    call.sound(2000)
    call.run_for(2000)
    assert call.offset(commands.StopPrompt) == []


def test_a_sound_that_might_be_a_voice_is_weighed_like_one() -> None:
    call = tapped()
    call.run_until(START_MS + 1000)
    call.answer = events.WindowJudged(UNIQUEID, 0, Heard.NOISE, None, -40.0, "", 300, 128)
    call.sound(2000)
    call.run_for(300)
    assert call.results == []
    call.answer = None
    call.voice(-48, Heard.QUIET)
    call.run_for(3000)
    assert call.results == ["spoke"]
    assert call.final.gain_db == 15.0


def test_a_look_without_an_answer_leaves_the_word_to_asterisks_ear() -> None:
    call = tapped().run_until(LISTENING)
    call.finding = lambda call_id, ask_id: events.WindowJudged(call_id, -1)  # type: ignore[method-assign]
    call.sound(400)
    call.run_for(280 + 200)
    assert call.results == ["spoke"]
