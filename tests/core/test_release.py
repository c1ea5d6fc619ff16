"""A hang-up takes time: the ears stay on, and what is not carried out in time is none."""

import pytest

from callflow.core import commands, events
from callflow.core.heard import Heard
from tests.core.driver import START_MS, UNIQUEID, Driver, tapped

DECIDED_MS = START_MS + 20_001


def hanging_up(call: Driver, release_ms: int = 500) -> Driver:
    """A silent caller whose hang-up is under way."""
    call.release_ms = release_ms
    call.run_until(DECIDED_MS)
    assert call.results == ["silent"]
    assert call.engine.live == 1
    return call


@pytest.fixture
def call() -> Driver:
    return hanging_up(Driver().link_up().arrive())


def test_the_record_is_closed_and_the_ears_are_let_go_when_it_is_done(call: Driver) -> None:
    assert [final for _, final in call.records if final] == []
    assert call.offset(commands.StopListening) == []
    call.run_for(500)
    assert (call.final.result, call.final.ended_ms) == ("silent", DECIDED_MS + 500)
    assert call.offset(commands.StopListening) == [20_501]
    assert call.engine.live == 0


def test_a_key_before_it_is_done_saves_the_caller(call: Driver) -> None:
    call.key()
    assert call.results == ["silent", "rescued"]
    assert call.final.result == "rescued"


def test_a_sound_before_it_is_done_is_a_doubt(call: Driver) -> None:
    call.sound(30)
    assert call.results == ["silent", "unavailable"]


def test_a_voice_before_it_is_done_is_a_doubt() -> None:
    call = hanging_up(tapped())
    call.voice(-40, Heard.QUIET)
    assert call.results == ["silent", "unavailable"]


def test_a_hang_up_that_was_not_carried_out_is_none(call: Driver) -> None:
    call.tell(events.ReleaseFailed(UNIQUEID, "Asterisk did not answer"))
    assert call.results == ["silent", "unavailable"]
    assert call.final.result == "unavailable"


def test_a_hang_up_of_which_nothing_is_told_is_given_up() -> None:
    call = hanging_up(Driver().link_up().arrive(), release_ms=60_000)
    call.run_for(10_000)
    assert call.results == ["silent", "unavailable"]


@pytest.mark.parametrize(
    ("event", "result"),
    [
        (events.CallerHungUp(UNIQUEID, DECIDED_MS), "hangup"),
        (events.AgiClosed(UNIQUEID, DECIDED_MS), "taken"),
        (events.LinkLost(DECIDED_MS, "cut"), "unavailable"),
    ],
)
def test_what_else_may_end_it(call: Driver, event: events.Event, result: str) -> None:
    call.tell(event)
    assert call.final.result == result


def test_an_outcome_that_nobody_waits_for_changes_nothing() -> None:
    call = Driver().link_up().arrive().run_for(2000)
    call.tell(events.Released(UNIQUEID))
    call.tell(events.ReleaseFailed(UNIQUEID, "x"))
    assert call.engine.unexpected == {"Released": 1, "ReleaseFailed": 1}
    assert call.results == []


def test_an_answer_to_an_older_fence_counts_for_nothing() -> None:
    call = Driver(obedient=False).link_up().arrive()
    call.tell(events.EarArmed(UNIQUEID))
    for play_id, silence_ms in ((1, 3000), (2, 3000), (3, 2000)):
        call.tell(events.PromptFinished(UNIQUEID, play_id, call.now))
        call.run_for(silence_ms)
    call.sound(40)
    call.tell(events.EventsFenced(UNIQUEID, 1))
    call.run_for(250)
    assert [c.fence_id for _, c in call.log if isinstance(c, commands.FenceEvents)] == [1, 2]
    call.tell(events.EventsFenced(UNIQUEID, 1))
    call.tell(events.FenceFailed(UNIQUEID, 1, "late"))
    assert call.results == []
    assert call.engine.unexpected == {"EventsFenced": 1, "FenceFailed": 1}
    call.tell(events.EventsFenced(UNIQUEID, 2))
    call.run_for(0)
    assert call.results == ["silent"]
