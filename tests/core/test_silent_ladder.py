"""Rows S1 to S3: what is said when, and who is never hung up."""

import pytest

from callflow.core import commands, events
from callflow.core.call_record import Kind
from callflow.core.screening.engine import Engine
from tests.core.driver import START_MS, UNIQUEID, Driver, procedures

# With prompts of 4 s and 1 ms for the ear: greeting 0-4 s, again at 7-11 s, goodbye 14-18 s, hang-up at 20 s.
PHASES = {
    "greeting": 2001,
    "first listening": 5500,
    "second prompt": 8000,
    "second listening": 12_500,
    "goodbye": 16_000,
    "pause": 18_500,
    "last ms of the pause": 20_000,
}


@pytest.fixture
def call() -> Driver:
    return Driver().link_up().arrive()


def test_a_silent_caller_is_asked_twice_told_goodbye_and_hung_up(call: Driver) -> None:
    call.run_for(60_000)
    assert call.prompts == ["en/greeting", "en/can_you_hear", "en/goodbye"]
    assert call.offset(commands.PlayPrompt) == [1, 7001, 14_001]
    assert call.results == ["silent"]
    assert call.offset(commands.Release) == [20_001]
    assert call.final.rung == 3
    assert call.engine.live == 0
    assert call.engine.next_deadline() is None


@pytest.mark.parametrize("phase", PHASES)
def test_a_caller_who_speaks_at_any_moment_goes_on(call: Driver, phase: str) -> None:
    call.run_until(START_MS + PHASES[phase])
    call.sound(600)
    call.run_for(60_000)
    assert call.results == ["rescued" if PHASES[phase] > 14_001 else "spoke"]
    assert call.offset(commands.Release) == [PHASES[phase] + 280]


@pytest.mark.parametrize("phase", PHASES)
def test_a_key_at_any_moment_is_a_sign_of_life(call: Driver, phase: str) -> None:
    call.run_until(START_MS + PHASES[phase])
    call.key()
    call.run_for(60_000)
    assert call.results == ["rescued" if PHASES[phase] > 14_001 else "key"]
    assert call.offset(commands.Release) == [PHASES[phase]]


@pytest.mark.parametrize("phase", PHASES)
def test_a_click_is_not_speech_and_does_not_move_the_ladder(call: Driver, phase: str) -> None:
    call.run_until(START_MS + PHASES[phase])
    call.sound(30)
    call.run_for(60_000)
    assert call.results == ["silent"]
    late = call.offset(commands.Release)[0] - 20_001
    assert 0 <= late <= 30 + 160 + 30, "silence waits only until the click has been judged"
    assert call.offset(commands.PlayPrompt)[0] == 1


@pytest.mark.parametrize("phase", PHASES)
def test_a_phone_that_stops_sending_in_mid_word_has_spoken(call: Driver, phase: str) -> None:
    call.run_until(START_MS + PHASES[phase])
    call.sound(None)
    call.run_for(60_000)
    assert call.results in (["spoke"], ["rescued"])


def test_clipped_syllables_add_up_to_speech(call: Driver) -> None:
    call.run_until(START_MS + 5000)
    for _ in range(3):
        call.sound(60)
        call.run_for(400)
    assert call.results == ["spoke"]


def test_clicks_far_apart_do_not_add_up(call: Driver) -> None:
    for _ in range(9):
        call.sound(30)
        call.run_for(2001)
    call.run_for(60_000)
    assert call.results == ["silent"]


def test_the_playing_prompt_is_stopped_before_the_caller_is_given_back(call: Driver) -> None:
    call.run_until(START_MS + 2001)
    call.key()
    kinds = [type(c) for _, c in call.log[-6:]]
    assert kinds.index(commands.StopPrompt) < kinds.index(commands.SaveCall) < kinds.index(commands.Release)


def test_nothing_is_stopped_when_nothing_plays(call: Driver) -> None:
    call.run_until(START_MS + PHASES["first listening"])
    call.key()
    assert call.offset(commands.StopPrompt) == []


@pytest.mark.parametrize("phase", PHASES)
def test_a_caller_who_hangs_up_is_recorded_and_left_alone(call: Driver, phase: str) -> None:
    call.run_until(START_MS + PHASES[phase])
    call.tell(events.CallerHungUp(UNIQUEID, call.now))
    call.run_for(60_000)
    assert call.results == []
    assert call.final.result == "hangup"
    assert call.offset(commands.StopPrompt) == []


@pytest.mark.parametrize("phase", PHASES)
def test_losing_ami_hands_everybody_on_at_once(call: Driver, phase: str) -> None:
    call.run_until(START_MS + PHASES[phase])
    call.tell(events.LinkLost(call.now, "cut"))
    assert call.results == ["unavailable"]
    assert call.final.partial
    call.run_for(60_000)
    assert call.results == ["unavailable"]


def test_a_call_that_arrives_without_ami_goes_on_at_once() -> None:
    call = Driver().arrive()
    assert call.results == ["unavailable"]
    assert call.final.result == "unavailable"


def test_a_call_taken_by_fax_or_transfer_is_recorded(call: Driver) -> None:
    call.run_for(1000)
    call.tell(events.AgiClosed(UNIQUEID, call.now))
    assert call.final.result == "taken"
    assert call.results == []


def test_without_an_ear_nobody_is_judged() -> None:
    call = Driver(obedient=False).link_up().arrive()
    call.tell(events.EarFailed(UNIQUEID, "no such function"))
    assert call.results == ["unavailable"]


def test_an_ear_that_never_answers_is_given_up() -> None:
    call = Driver(obedient=False).link_up().arrive()
    call.run_for(5000)
    assert call.results == ["unavailable"]
    assert call.offset(commands.Release) == [1000]


def test_an_ear_that_has_never_heard_anything_hangs_nobody_up() -> None:
    call = Driver().link_up(proven=False).arrive().run_for(60_000)
    assert call.results == ["unavailable"]
    assert call.prompts[-1] == "en/goodbye"


def test_the_self_test_is_repeated_until_a_sound_is_heard() -> None:
    call = Driver().link_up(proven=False).run_for(65_000)
    assert call.offset(commands.ProveEar) == [0, 30_000, 60_000]
    assert call.offset(commands.Warn) == [30_000, 60_000], "the first test has had its time"
    call.tell(events.SoundStarted("another", call.now))
    call.run_for(120_000)
    assert len(call.offset(commands.ProveEar)) == 3


def test_a_new_link_proves_its_ear_anew_without_a_word_of_warning() -> None:
    call = Driver().link_up()
    call.tell(events.LinkLost(call.now, "cut"))
    call.link_up(proven=False).run_for(1000)
    assert len(call.offset(commands.ProveEar)) == 2
    assert call.offset(commands.Warn) == []


def test_the_self_test_call_is_heard_and_leaves_no_record() -> None:
    call = Driver().link_up(proven=False).arrive(profile="check", check="1")
    call.run_for(100)
    call.sound(None)
    call.run_for(1000)
    assert call.results == ["spoke"]
    assert call.records == []
    assert call.prompts == []


def test_a_fence_that_fails_hangs_nobody_up() -> None:
    call = Driver().link_up().arrive().run_until(START_MS + 19_980)
    assert call.offset(commands.FenceEvents) == [19_971]
    call.tell(events.FenceFailed(UNIQUEID, 1, "no answer"))
    assert call.results == ["unavailable"]


def test_a_sound_behind_the_fence_is_judged_before_the_hang_up() -> None:
    call = Driver(obedient=False).link_up().arrive()
    call.tell(events.EarArmed(UNIQUEID))
    for play_id, silence_ms in ((1, 3000), (2, 3000), (3, 2000)):
        call.tell(events.PromptFinished(UNIQUEID, play_id, call.now))
        call.run_for(silence_ms)
    assert call.offset(commands.FenceEvents) == [7970]
    call.sound(40)
    call.tell(events.EventsFenced(UNIQUEID, 1))
    assert call.results == []
    call.run_for(250)
    assert len(call.offset(commands.FenceEvents)) == 2, "a click: ask once more"
    call.sound(500)
    call.tell(events.EventsFenced(UNIQUEID, 2))
    call.run_for(5000)
    assert call.results == ["rescued"]


def test_a_prompt_that_never_ends_is_given_up() -> None:
    call = Driver(obedient=False).link_up().arrive()
    call.tell(events.EarArmed(UNIQUEID))
    call.run_for(60_000)
    assert call.results == ["unavailable"]
    assert call.offset(commands.Release) == [13_000]


def test_a_missing_prompt_falls_back_to_the_default_language_once() -> None:
    call = Driver(obedient=False).link_up().arrive(language="zh")
    call.tell(events.EarArmed(UNIQUEID))
    call.tell(events.PromptFailed(UNIQUEID, 1, call.now, "no file"))
    assert call.prompts == ["zh/greeting", "en/greeting"]
    call.tell(events.PromptFailed(UNIQUEID, 2, call.now, "no file"))
    assert call.results == ["unavailable"]


@pytest.mark.parametrize(
    ("channel", "spoken"), [("zh", "zh"), ("zh_CN", "zh"), ("cn", "zh"), ("en_GB", "en"), ("fr", "en"), ("", "en")]
)
def test_the_channel_chooses_the_language(channel: str, spoken: str) -> None:
    call = Driver().link_up().arrive(language=channel).run_for(10)
    assert call.prompts == [f"{spoken}/greeting"]


def test_a_site_may_change_the_ladder_and_pass_silent_callers_on() -> None:
    call = Driver().link_up().arrive(profile="gentle").run_for(60_000)
    assert call.prompts == ["en/greeting"]
    assert call.results == ["passed"]
    assert call.offset(commands.Release) == [1 + 4000 + 4000 + 1000]


def test_off_does_nothing_and_keeps_nothing() -> None:
    call = Driver().link_up().arrive(profile="off")
    assert call.results == ["off"]
    assert call.records == []
    assert call.timeline == []


def test_an_unknown_profile_is_screened_as_default_and_reported_once() -> None:
    call = Driver().link_up().arrive(profile="sales").arrive(profile="sales", uniqueid="1000.2").run_for(10)
    assert call.prompts == ["en/greeting"] * 2
    assert len(call.offset(commands.Warn)) == 1


def test_more_calls_than_allowed_go_on_unscreened() -> None:
    call = Driver(engine=Engine(procedures(max_calls=1))).link_up().arrive().arrive(uniqueid="1000.2")
    assert call.results == ["unavailable"]
    assert call.engine.live == 1


@pytest.mark.parametrize(("late_s", "check", "results"), [(0.4, "", []), (0.41, "", ["unavailable"]), (9, "x", [])])
def test_while_callflow_is_late_further_callers_go_on_unscreened(late_s: float, check: str, results: list[str]) -> None:
    call = Driver().link_up().arrive(late_s=late_s, check=check)
    assert call.results == results
    if results:
        assert any("late by 0.4 s: [limits] max_lag_s" in entry.why for entry in call.timeline)
        assert call.arrive(uniqueid="1000.2").engine.live == 1, "the next is screened"


def test_late_answers_and_strangers_change_nothing(call: Driver) -> None:
    call.run_for(1000)
    call.tell(events.PromptFinished(UNIQUEID, 99, call.now))
    call.tell(events.EventsFenced(UNIQUEID, 1))
    call.tell(events.EarArmed(UNIQUEID))
    call.tell(events.EarArmed("9.9"))
    call.tell(events.SoundEnded("9.9", call.now, 500))
    assert call.engine.unexpected == {"EventsFenced": 1, "EarArmed": 2}
    call.run_for(60_000)
    assert call.results == ["silent"]


def test_the_timeline_tells_what_was_said_heard_and_decided(call: Driver) -> None:
    call.run_until(START_MS + 16_000)
    call.sound(700)
    call.run_for(1000)
    kinds = [h.kind for h in call.timeline]
    assert kinds[:5] == [Kind.ARRIVED, Kind.EAR, Kind.SAID, Kind.EAR, Kind.PROMPT_ENDED], "armed, then no tap"
    assert kinds[-3:] == [Kind.SPEECH, Kind.PROMPT_STOPPED, Kind.DECIDED]
    assert [h.seq for h in call.timeline] == list(range(1, len(kinds) + 1))
    assert call.final.heard_at_ms == START_MS + 16_000
