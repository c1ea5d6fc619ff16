"""Rows Q1 to Q4, and what else the tap makes known: noise, tones, our own echo, a line that carries nothing yet."""

import pytest

from callflow.core import commands, events
from callflow.core.call_record import Kind
from callflow.core.heard import Heard
from callflow.core.profile import Profile, Quiet
from callflow.core.screening.engine import Engine
from tests.core.driver import START_MS, UNIQUEID, Driver, procedures

# With prompts of 4 s: greeting 0-4 s, listening 4-7 s, again 7-11 s, listening 11-14 s, goodbye 14-18 s, end at 20 s.
LISTENING = START_MS + 5000


def tapped(profile: Profile | None = None) -> Driver:
    """A call whose tap is live and hears digital silence, though the line has carried something."""
    engine = Engine(procedures(profiles={"default": profile or Profile()}))
    call = Driver(engine=engine, tap=True, hears=(Heard.DIGITAL_SILENCE, -96.0)).link_up().arrive("default")
    call.run_until(START_MS + 200)
    call.tell(events.MediaBegan(UNIQUEID, call.now))
    return call


@pytest.fixture
def call() -> Driver:
    return tapped().run_until(LISTENING)


def test_a_clear_voice_goes_on_at_once(call: Driver) -> None:
    call.voice(-26)
    call.run_for(0)
    assert call.results == ["spoke"]
    assert (call.final.ear, call.final.heard, call.final.level_dbov, call.final.gain_db) == ("tap", "speech", -26, 0)
    assert call.offset(commands.StopListening) == call.offset(commands.Release)


def test_a_voice_stops_the_prompt_at_once_however_low() -> None:
    call = tapped()
    call.run_until(START_MS + 2000)
    call.voice(-45, Heard.QUIET)
    assert call.offset(commands.StopPrompt) == [2000]


def test_a_low_voice_that_the_gain_makes_clear_is_told_nothing(call: Driver) -> None:
    call.voice(-46, Heard.QUIET)
    call.run_for(10_000)
    assert [c.gain_db for _, c in call.log if isinstance(c, commands.SetGain)] == [15.0]
    assert call.offset(commands.SetGain) == [5800]
    assert call.results == ["spoke"]
    assert call.prompts == ["en/greeting"]
    assert (call.final.heard, call.final.level_dbov, call.final.gain_db) == ("quiet", -46, 15)


def test_no_more_gain_than_is_needed(call: Driver) -> None:
    call.voice(-39, Heard.QUIET)
    call.run_for(10_000)
    assert call.final.gain_db == 13, "towards -26 dBov"


def test_a_voice_too_low_for_any_gain_is_asked_twice_and_told_goodbye(call: Driver) -> None:
    call.voice(-58, Heard.QUIET)
    for _ in range(40):
        call.run_for(1000)
        if not call.results:
            call.voice(-58, Heard.QUIET)
    assert call.prompts == ["en/greeting", "en/a_little_louder", "en/still_faint", "en/too_faint"]
    assert call.results == ["quiet"]
    goodbye_at = call.offset(commands.PlayPrompt)[-1]
    assert call.offset(commands.Release) == [goodbye_at + 4000 + 2000]
    assert call.offset(commands.StopPrompt) == [], "who is asked to speak up hears it to the end"


@pytest.mark.parametrize("after_s", [1, 5, 9, 12, 16, 18])
def test_a_voice_that_becomes_clear_goes_on_from_anywhere_on_the_quiet_ladder(call: Driver, after_s: int) -> None:
    call.voice(-58, Heard.QUIET)
    for _ in range(after_s):
        call.run_for(1000)
        call.voice(-58, Heard.QUIET)
    call.voice(-20)
    call.run_for(400)
    assert call.results in (["spoke"], ["rescued"])
    assert call.final.gain_db == 0, "who has come closer is not shouted at the agent"


def test_a_low_voice_in_the_last_goodbye_is_too_late(call: Driver) -> None:
    call.voice(-58, Heard.QUIET)
    while "en/too_faint" not in call.prompts:
        call.run_for(500)
        call.voice(-58, Heard.QUIET)
    call.run_for(3000)
    call.voice(-45, Heard.QUIET)
    call.run_for(10_000)
    assert call.results == ["rescued"], "with the gain it is clear"


def test_on_exhausted_agent_hands_over_instead_of_saying_goodbye() -> None:
    call = tapped(Profile(quiet=Quiet(on_exhausted="agent"))).run_until(LISTENING)
    for _ in range(40):
        if not call.results:
            call.voice(-58, Heard.QUIET)
        call.run_for(1000)
    assert call.prompts == ["en/greeting", "en/a_little_louder", "en/still_faint"]
    assert call.results == ["passed"]


def test_from_one_ladder_to_the_other_and_back_nothing_is_said_twice(call: Driver) -> None:
    call.voice(-58, Heard.QUIET)
    call.run_for(3000)
    call.hears = (Heard.DIGITAL_SILENCE, -96.0)
    while "en/can_you_hear" not in call.prompts:
        call.run_for(500)
    call.run_for(5000)
    call.voice(-58, Heard.QUIET)
    call.run_for(3000)
    call.hears = (Heard.DIGITAL_SILENCE, -96.0)
    call.run_for(60_000)
    said = ["greeting", "a_little_louder", "can_you_hear", "still_faint", "goodbye"]
    assert call.prompts == [f"en/{prompt}" for prompt in said]
    assert call.results == ["silent"]


def test_without_the_gain_the_caller_is_asked(call: Driver) -> None:
    call.obedient = False
    call.voice(-46, Heard.QUIET)
    call.run_for(800)
    call.tell(events.GainRefused(UNIQUEID, "no func_volume"))
    assert call.prompts[-1] == "en/a_little_louder"
    assert call.offset(commands.PlayPrompt)[-1] == 5800


def gains(call: Driver) -> list[tuple[float, str, float]]:
    return [(c.gain_db, c.how, c.target_dbov) for _, c in call.log if isinstance(c, commands.SetGain)]


AGC = Profile(quiet=Quiet(gain="agc"))


@pytest.mark.parametrize(("level_dbov", "gain_db", "target_dbov"), [(-39, 13, -26), (-46, 15, -31)])
def test_the_automatic_gain_raises_no_further_than_the_fixed_one(
    level_dbov: float, gain_db: float, target_dbov: float
) -> None:
    call = tapped(AGC).run_until(LISTENING)
    call.voice(level_dbov, Heard.QUIET)
    call.run_for(10_000)
    assert gains(call) == [(gain_db, "agc", target_dbov)]
    assert (call.results, call.final.gain_db) == (["spoke"], gain_db)


def test_without_the_automatic_gain_a_fixed_one_serves() -> None:
    call = tapped(AGC).run_until(LISTENING)
    call.obedient = False
    call.voice(-46, Heard.QUIET)
    call.run_for(800)
    call.tell(events.GainRefused(UNIQUEID, "no func_speex"))
    assert [how for _, how, _ in gains(call)] == ["agc", "volume"]
    call.tell(events.GainSet(UNIQUEID, 15.0))
    assert (call.results, call.prompts) == (["spoke"], ["en/greeting"])


@pytest.mark.parametrize("refused", [True, False])
def test_without_any_gain_the_caller_is_asked_within_a_second(refused: bool) -> None:
    call = tapped(AGC).run_until(LISTENING)
    call.obedient = False
    call.voice(-46, Heard.QUIET)
    call.run_for(800)
    if refused:
        call.tell(events.GainRefused(UNIQUEID, "no func_speex"))
        call.tell(events.GainRefused(UNIQUEID, "no func_volume"))
    call.run_for(1000)
    assert call.prompts == ["en/greeting", "en/a_little_louder"]


def test_a_voice_that_came_to_nothing_is_listened_for_again(call: Driver) -> None:
    call.tell(events.VoiceBegan(UNIQUEID, call.now))
    call.run_for(900)
    assert call.results == []
    call.run_until(LISTENING + 800 + 2999)
    assert call.prompts == ["en/greeting"]
    call.run_for(10)
    assert call.prompts[-1] == "en/can_you_hear"


@pytest.mark.parametrize("phase_ms", [16_000, 19_000])
def test_from_the_goodbye_on_it_is_a_doubt_and_so_a_caller(phase_ms: int) -> None:
    call = tapped().run_until(START_MS + phase_ms)
    call.tell(events.VoiceBegan(UNIQUEID, call.now))
    call.run_for(10_000)
    assert call.results == ["rescued"]


def test_a_voice_found_by_the_last_look_is_a_caller() -> None:
    call = tapped().run_until(START_MS + 19_000)
    call.hears = (Heard.SPEECH, -30.0)
    call.run_for(5000)
    assert call.results == ["rescued"]


def test_a_voice_fainter_than_any_line_is_none(call: Driver) -> None:
    call.hears = (Heard.QUIET, -90.0)
    call.run_for(60_000)
    assert call.results == ["silent"]
    assert call.offset(commands.SetGain) == []


# -- noise, tones, echo ------------------------------------------------------------------------------------------------


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
    call.answer = begun(800)
    call.run_for(5000)
    assert call.results == [], "nothing is concluded from 0.8 s"
    call.answer, call.hears = None, (Heard.MUSIC, -20.0)
    call.run_for(20_000)
    assert call.results == []
    assert call.prompts == ["en/greeting"]


@pytest.mark.parametrize(("lasting_ms", "released_ms"), [(0, 7001), (2400, 7001), (3000, 7001), (800, 10_002)])
def test_noise_that_lasts_or_has_ended_is_a_doubt_at_once(call: Driver, lasting_ms: int, released_ms: int) -> None:
    call.answer = begun(lasting_ms)
    call.run_for(30_000)
    assert call.results == ["passed"]
    assert call.offset(commands.Release) == [pytest.approx(released_ms, abs=5)]


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


# -- the tap itself ----------------------------------------------------------------------------------------------------


def test_without_a_tap_the_call_goes_on_with_asterisks_ear() -> None:
    call = Driver().link_up().arrive().run_for(60_000)
    assert call.results == ["silent"]
    assert call.final.ear == "talk_detect"
    assert ("tap", "not had: no tap here") in [(h.what, h.why) for h in call.timeline if h.kind is Kind.EAR]


def test_a_tap_that_breaks_in_mid_call_leaves_asterisks_ear(call: Driver) -> None:
    call.tell(events.TapLost(UNIQUEID, "broken"))
    call.hears = (None, None)
    call.sound(600)
    call.run_for(1000)
    assert call.results == ["spoke"]
    assert call.final.ear == "talk_detect"


def test_a_low_voice_whose_tap_is_lost_goes_to_a_person(call: Driver) -> None:
    call.voice(-58, Heard.QUIET)
    while "en/too_faint" not in call.prompts:
        call.run_for(500)
        call.voice(-58, Heard.QUIET)
    call.tell(events.TapLost(UNIQUEID, "broken"))
    assert call.results == ["unavailable"]


def test_silence_is_not_timed_before_the_line_carries_anything() -> None:
    procedures_ = procedures(profiles={"default": Profile(media_wait_s=9.0)})
    call = Driver(engine=Engine(procedures_), tap=True, hears=(Heard.DIGITAL_SILENCE, -96.0))
    call.link_up().arrive("default").run_until(START_MS + 6000)
    call.tell(events.MediaBegan(UNIQUEID, call.now))
    call.run_for(30_000)
    assert call.offset(commands.PlayPrompt)[:2] == [1, 9000], "3 s from the moment that media began"


def test_a_line_that_never_carries_anything_is_waited_for_no_longer_than_set() -> None:
    procedures_ = procedures(profiles={"default": Profile(media_wait_s=9.0)})
    call = Driver(engine=Engine(procedures_), tap=True, hears=(Heard.DIGITAL_SILENCE, -96.0))
    call.link_up().arrive("default").run_for(60_000)
    assert call.offset(commands.PlayPrompt)[:2] == [1, 12_000]
    assert call.results == ["silent"]
    assert call.final.heard == "digital_silence"


def test_a_profile_may_do_without_the_tap() -> None:
    call = tapped(Profile(ear="talk_detect"))
    assert call.offset(commands.OpenTap) == []


def test_observing_counts_any_voice_and_says_nothing() -> None:
    call = tapped(Profile.model_validate({"mode": "observe"})).run_until(LISTENING)
    call.voice(-58, Heard.QUIET)
    assert (call.final.would, call.final.result) == ("spoke", "observed")
    assert call.prompts == []
    assert call.offset(commands.SetGain) == []


# -- without a tap: two thresholds -------------------------------------------------------------------------------------


class Line:
    """A call without a tap, and a line whose sound TALK_DETECT hears at the low threshold alone, or at both."""

    def __init__(self) -> None:
        self.call = Driver().link_up().arrive()

    def thresholds(self) -> list[int]:
        return [c.threshold for _, c in self.call.log if isinstance(c, commands.ArmEar)]

    def low_set(self) -> "Line":
        """Run to the second half of the first listening time."""
        self.call.run_until(START_MS + 5600)
        assert self.thresholds() == [256, 60]
        return self


def test_the_second_half_of_a_listening_time_is_listened_to_more_closely() -> None:
    line = Line()
    line.call.run_for(60_000)
    assert line.thresholds() == [256, 60, 256, 60, 256], "and what is said is listened to as usual"
    assert line.call.results == ["silent"]


def test_a_voice_heard_at_both_thresholds_goes_on_unraised() -> None:
    line = Line().low_set()
    line.call.sound(3000)
    line.call.run_for(700)
    assert line.call.results == ["spoke"]
    assert line.call.final.gain_db == 0


def test_a_voice_heard_only_at_the_low_threshold_is_raised_and_handed_on() -> None:
    line = Line().low_set()
    line.call.sound(300, low=True)
    line.call.run_for(1300)
    line.call.sound(400, low=True)
    line.call.run_for(600)
    line.call.sound(400, low=True)
    line.call.run_for(3000)
    assert line.thresholds() == [256, 60, 256, 60, 256]
    assert line.call.results == ["spoke"]
    assert (line.call.final.heard, line.call.final.gain_db) == ("quiet", 7.5)
    assert gains(line.call) == [(7.5, "volume", -38)], "nobody knows how low it is"


def test_a_sound_that_never_pauses_is_noise_and_goes_to_a_person() -> None:
    line = Line().low_set()
    line.call.sound(300, low=True)
    line.call.run_until(START_MS + 5600 + 280 + 600 + 60)
    line.call.sound(None, low=True)
    line.call.run_for(3000)
    assert line.call.results == ["passed"]
    assert line.call.final.heard == "noise"


def test_a_short_word_and_no_more_is_a_caller_as_they_are() -> None:
    line = Line().low_set()
    line.call.sound(300, low=True)
    line.call.run_for(10_000)
    assert line.call.results == ["spoke"]
    assert (line.call.final.heard, line.call.final.gain_db) == (None, 0)


def test_a_click_at_the_low_threshold_changes_nothing() -> None:
    line = Line().low_set()
    line.call.sound(30)
    line.call.run_for(60_000)
    assert line.call.results == ["silent"]


# -- one threshold -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("below_dbov", "level_dbov", "heard", "raised"),
    [(-38, -34, "speech", False), (-30, -34, "quiet", True), (-38, -42, "quiet", True), (-45, -42, "speech", False)],
)
def test_the_profile_alone_says_from_which_level_on_a_voice_is_too_low(
    below_dbov: float, level_dbov: float, heard: str, raised: bool
) -> None:
    call = tapped(Profile(quiet=Quiet(below_dbov=below_dbov))).run_until(LISTENING)
    call.voice(level_dbov)
    call.run_for(10_000)
    assert (call.final.heard, call.final.gain_db > 0) == (heard, raised)
    assert {h.what for h in call.timeline if h.kind is Kind.HEARD} == {heard}


def test_a_caller_who_was_told_too_low_is_recorded_so_though_the_last_window_was_empty(call: Driver) -> None:
    call.voice(-58)
    while "en/too_faint" not in call.prompts:
        call.run_for(500)
        call.voice(-58)
    call.hears = (Heard.DIGITAL_SILENCE, -96.0)
    call.run_for(20_000)
    assert call.results == ["quiet"]
    assert (call.final.heard, call.final.level_dbov) == ("quiet", -58)


def test_a_sound_that_only_asterisks_ear_heard_was_decided_by_no_finding(call: Driver) -> None:
    call.run_until(START_MS + 12_000)
    call.sound(400)
    call.run_for(1000)
    assert call.results == ["spoke"]
    assert call.final.heard is None, "not the silence of the first listening time"


@pytest.mark.parametrize(("begins_ms", "stops"), [(10, [240]), (30, [260]), (600, [])])
def test_a_doubtful_voice_counts_if_its_sound_began_before_the_prompt_could_come_back(
    begins_ms: int, stops: list[int]
) -> None:
    engine = Engine(procedures(profiles={"default": Profile()}))
    call = Driver(engine=engine, tap=True, hears=(Heard.SPEECH, -46.0)).link_up().arrive("default")
    call.run_until(START_MS + begins_ms)
    call.tell(events.SoundStarted(UNIQUEID, call.now))
    call.run_for(230)
    call.tell(events.VoiceBegan(UNIQUEID, call.now - 96, certain=False))
    call.run_for(20)
    assert call.offset(commands.StopPrompt) == stops


def test_a_doubtful_voice_without_a_sound_is_left_to_the_tap() -> None:
    call = tapped()
    call.tell(events.VoiceBegan(UNIQUEID, call.now, certain=False))
    call.run_for(500)
    assert call.offset(commands.StopPrompt) == []
    call.tell(events.VoiceBegan(UNIQUEID, call.now))
    assert call.offset(commands.StopPrompt) == [700]
