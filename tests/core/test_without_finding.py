"""A tap that is not there, breaks, or has nothing to hear yet."""

from callflow.core import commands, events
from callflow.core.call_record import Kind
from callflow.core.heard import Heard
from callflow.core.profile import Profile
from callflow.core.screening.engine import Engine
from tests.core.driver import LISTENING, START_MS, UNIQUEID, Driver, procedures, tapped


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
