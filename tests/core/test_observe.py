"""Observe mode: the caller goes on at once, the would-be decision is written down, nothing is said or hung up."""

from callflow.core import commands, events
from tests.core.driver import START_MS, UNIQUEID, Driver

# Nominal prompts of 4, 4 and 7 s: the would-be hang-up comes at 4+3+4+3+7+2 = 23 s.
WOULD_MS = 23_001


def observed() -> Driver:
    return Driver().link_up().arrive(profile="watch")


def test_the_caller_goes_on_before_anything_else() -> None:
    call = observed()
    assert call.results == ["observed"]
    assert call.offset(commands.Release) == [0]


def test_nothing_is_ever_said_to_or_done_with_the_caller() -> None:
    call = observed().run_for(120_000)
    assert call.prompts == []
    assert call.results == ["observed"]
    assert call.offset(commands.StopPrompt) == []


def test_a_silent_caller_would_have_been_hung_up() -> None:
    call = observed().run_for(120_000)
    assert (call.final.result, call.final.would, call.final.heard_after_would) == ("observed", "silent", False)
    assert call.offset(commands.StopListening) == [WOULD_MS + 30_000]


def test_an_ear_that_has_never_heard_anything_claims_nothing() -> None:
    call = Driver().link_up(proven=False).arrive(profile="watch").run_for(120_000)
    assert (call.final.result, call.final.would) == ("observed", "unavailable")


def test_speech_after_the_would_be_hang_up_shows_a_false_one() -> None:
    call = observed().run_until(START_MS + WOULD_MS + 10_000)
    call.sound(900)
    call.run_for(60_000)
    assert (call.final.would, call.final.heard_after_would) == ("silent", True)
    assert call.final.heard_at_ms == START_MS + WOULD_MS + 10_000


def test_a_click_after_the_would_be_hang_up_is_no_false_one() -> None:
    call = observed().run_until(START_MS + WOULD_MS + 29_900)
    call.sound(30)
    call.run_for(60_000)
    assert (call.final.would, call.final.heard_after_would) == ("silent", False)


def test_speech_before_it_is_what_it_would_have_been() -> None:
    call = observed().run_until(START_MS + 20_000)
    call.sound(900)
    call.run_for(60_000)
    assert (call.final.would, call.final.result) == ("rescued", "observed")


def test_a_hang_up_ends_the_observation() -> None:
    call = observed().run_for(9000)
    call.tell(events.CallerHungUp(UNIQUEID, call.now))
    assert (call.final.result, call.final.would) == ("observed", None)
    assert call.engine.live == 0


def test_what_was_missed_makes_the_record_partial_and_claims_nothing() -> None:
    call = observed().run_for(9000)
    call.tell(events.LinkLost(call.now, "cut"))
    call.run_for(500)
    call.tell(events.LinkUp(call.now))
    call.tell(events.ChannelsSeen(frozenset({UNIQUEID}), call.now))
    assert call.engine.live == 1
    call.run_for(120_000)
    assert (call.final.result, call.final.would, call.final.partial) == ("observed", None, True)


def test_a_channel_missing_from_the_snapshot_has_ended() -> None:
    call = observed().run_for(9000)
    call.tell(events.LinkLost(call.now, "cut"))
    call.tell(events.LinkUp(call.now))
    call.tell(events.ChannelsSeen(frozenset(), call.now))
    assert call.final.partial
    assert call.engine.live == 0


def test_the_same_channel_screened_again_ends_the_first_observation() -> None:
    call = observed().run_for(9000)
    call.tell(events.CallArrived(f"{UNIQUEID}-2", UNIQUEID, "PJSIP/a", "support", call.now))
    assert call.final.call_id == UNIQUEID
    assert call.engine.live == 1
