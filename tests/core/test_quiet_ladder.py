"""Rows Q1 to Q4: a voice too low to understand is raised, asked to speak up, and told goodbye."""

import pytest

from callflow.core import commands, events
from callflow.core.call_record import Kind
from callflow.core.heard import Heard
from callflow.core.profile import Profile, Quiet
from callflow.core.screening.engine import Engine
from tests.core.driver import LISTENING, START_MS, UNIQUEID, Driver, gains, procedures, tapped


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
    call.tell(events.GainSet(UNIQUEID, UNIQUEID, 15.0))
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
    call.run_until(LISTENING + 2999)
    assert call.prompts == ["en/greeting"], "for 4 s after the greeting, no longer"
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
