"""A call that the dialplan noted while callflow was away: one record, and nothing is done."""

from dataclasses import replace

import pytest

from callflow.core import commands, events
from callflow.core.call_record import Kind
from callflow.core.profile import Mode, Procedures
from callflow.core.screening.engine import Engine
from callflow.core.screening.states import Result
from callflow.settings.model import Settings

NOTED = events.CallNoted(events.CallArrived("1.1", "1.1", "PJSIP/a-1", "support", 1000, "en", "5550101"), 4000, False)


def procedures(mode: Mode = Mode.ACT) -> Procedures:
    return Settings.model_validate({"profiles": {"support": {"mode": mode}}}).procedures()


@pytest.mark.parametrize(("hung_up", "result"), [(False, Result.UNAVAILABLE), (True, Result.HANGUP)])
def test_it_is_recorded_and_nothing_is_done(hung_up: bool, result: Result) -> None:
    engine = Engine(procedures())
    saved, *told = engine.receive(replace(NOTED, hung_up=hung_up), 9000)
    assert isinstance(saved, commands.SaveCall)
    record = saved.record
    assert saved.final
    assert (record.arrived_ms, record.ended_ms, record.result, record.partial) == (1000, 4000, result, True)
    entries = [command.entry for command in told if isinstance(command, commands.AddToTimeline)]
    assert [entry.kind for entry in entries] == [Kind.ARRIVED, Kind.DECIDED]
    assert len(entries) == len(told)
    assert engine.live == 0
    assert engine.next_deadline() is None


def test_mode_off_records_none() -> None:
    assert Engine(procedures(Mode.OFF)).receive(NOTED, 9000) == []


def test_a_call_in_our_hands_is_recorded_by_its_own_end() -> None:
    engine = Engine(procedures())
    engine.receive(events.LinkUp(0), 0)
    engine.receive(NOTED.arrived, 1000)
    assert engine.receive(NOTED, 9000) == []
