"""Sounds that AMI tells of before FastAGI hands the caller over."""

from callflow.core import events
from callflow.core.screening.early import KEEP_MS, MAX_CHANNELS, EarlySounds
from tests.core.driver import START_MS, UNIQUEID, Driver


def test_a_caller_who_spoke_before_the_late_hand_over_is_a_caller() -> None:
    call = Driver().link_up()
    call.sound(900)
    call.run_for(3500)
    call.arrive().run_for(60_000)
    assert call.results == ["spoke"]
    assert call.prompts == []


def test_a_click_before_the_hand_over_saves_nobody() -> None:
    call = Driver().link_up()
    call.sound(30)
    call.run_for(500)
    call.arrive().run_for(60_000)
    assert call.results == ["silent"]


def test_a_sound_that_goes_on_over_the_hand_over_is_reported_again_by_the_ear_armed_afresh() -> None:
    call = Driver().link_up()
    call.sound(None, low=True)
    call.run_for(10)
    call.arrive().run_for(60_000)
    assert call.results == ["silent"], "an obedient Asterisk would have reported it again"


def test_sounds_of_long_ago_and_of_a_lost_link_count_for_nothing() -> None:
    old = Driver().link_up()
    old.sound(900)
    old.run_for(KEEP_MS + 2000)
    old.arrive().run_for(60_000)
    assert old.results == ["silent"]
    lost = Driver().link_up()
    lost.sound(900)
    lost.run_for(2000)
    lost.tell(events.LinkLost(lost.now, "cut"))
    lost.link_up().arrive().run_for(60_000)
    assert lost.results == ["silent"]


def test_what_is_kept_is_bounded_and_taken_once() -> None:
    early = EarlySounds()
    for number in range(2 * MAX_CHANNELS):
        early.keep(events.SoundStarted(f"{number}.1", START_MS), START_MS)
    assert early.take("0.1", START_MS) == []
    newest = f"{2 * MAX_CHANNELS - 1}.1"
    assert early.take(newest, START_MS) == [events.SoundStarted(newest, START_MS)]
    assert early.take(newest, START_MS) == []
    for at_ms in range(500):
        early.keep(events.SoundStarted(UNIQUEID, at_ms), at_ms)
    assert len(early.take(UNIQUEID, 500)) == 50
