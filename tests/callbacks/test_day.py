"""A part of a day of call-backs, with every trouble. `python -m tests.callbacks.day` plays it whole."""

import structlog

from callflow.core.callbacks.states import State
from tests.callbacks.day import play

NUMBER = 80


def test_nobody_is_called_twice_and_everybody_is_accounted_for() -> None:
    with structlog.testing.capture_logs():
        day = play(NUMBER, length_s=1500.0, seed=24)
    assert day.mistakes() == []
    assert len(day.entries) == NUMBER
    states = {entry.state for entry in day.entries}
    assert {State.DONE, State.UNKNOWN} <= states
    assert day.kills > 1
    assert day.cuts > 1
    assert day.world.lost_replies > 1
