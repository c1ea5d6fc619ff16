"""An error of our own in one call: that call is handed on, and no other call or deadline notices."""

from typing import NoReturn

import pytest

from callflow.core import commands, events
from callflow.core.screening.engine import Engine
from callflow.core.screening.screening import Screening
from callflow.core.screening.states import IllegalInput, Input, State
from tests.core.driver import START_MS, UNIQUEID, Driver, procedures

OTHER = "1000.2"


def fail(*_: object) -> NoReturn:
    raise ZeroDivisionError("a step that fails")


def refuse(*_: object) -> NoReturn:
    raise IllegalInput(State.LISTENING, Input.CERTAIN)


def two() -> Driver:
    return Driver().link_up().arrive().arrive(uniqueid=OTHER)


def own(call: Driver) -> Screening:
    return call.engine._calls[UNIQUEID]


def released(call: Driver) -> list[tuple[str, str]]:
    return [(c.call_id, c.result.value) for _, c in call.log if isinstance(c, commands.Release)]


@pytest.mark.parametrize("why", [fail, refuse], ids=["error", "illegal input"])
@pytest.mark.parametrize("at_ms", [2000, 5500, 16_000, 19_000])
def test_a_deadline_that_fails_hands_its_call_on_and_no_other(
    at_ms: int, why: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = two().run_until(START_MS + at_ms)
    monkeypatch.setattr(own(call), "expire", why)
    call.run_for(60_000)
    assert released(call) == [(UNIQUEID, "unavailable"), (OTHER, "silent")]
    assert len(call.offset(commands.LogFault)) == 1
    assert call.engine.unexpected["fault in deadline"] == 1
    assert [r.result for r, final in call.records if final] == ["unavailable", "silent"]
    assert (call.engine.live, call.engine.next_deadline()) == (0, None)


def test_an_event_that_fails_hands_its_call_on(monkeypatch: pytest.MonkeyPatch) -> None:
    call = two().run_until(START_MS + 2000)
    monkeypatch.setattr(own(call), "receive", fail)
    call.key()
    assert released(call) == [(UNIQUEID, "unavailable")]
    assert call.offset(commands.StopPrompt) == [2000]
    assert call.offset(commands.StopListening) == [2000]


def test_a_call_that_cannot_even_be_begun_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Screening, "__init__", fail)
    call = Driver().link_up().arrive()
    assert released(call) == [(UNIQUEID, "unavailable")]
    assert call.engine.live == 0


def test_a_call_whose_end_cannot_be_written_down_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    call = two().run_until(START_MS + 2000)
    monkeypatch.setattr(own(call), "receive", fail)
    monkeypatch.setattr(own(call).call.journal, "save", fail)
    call.key()
    assert released(call) == [(UNIQUEID, "unavailable")]
    assert call.engine.live == 1


def test_an_observed_call_that_fails_is_let_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    call = Driver().link_up().arrive(profile="watch").run_for(2000)
    monkeypatch.setattr(own(call), "receive", fail)
    call.key()
    assert released(call) == [(UNIQUEID, "observed")]
    assert call.final.result == "observed"


def test_losing_ami_hands_everybody_on_though_one_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    call = two().run_until(START_MS + 2000)
    monkeypatch.setattr(own(call), "receive", fail)
    call.tell(events.LinkLost(call.now, "cut"))
    assert sorted(released(call)) == [(UNIQUEID, "unavailable"), (OTHER, "unavailable")]


def test_a_second_arrival_releases_the_first() -> None:
    call = Driver(Engine(procedures())).link_up().arrive().run_for(2000)
    call.tell(events.CallArrived(f"{UNIQUEID}-2", UNIQUEID, "PJSIP/a", "support", call.now))
    assert released(call) == [(UNIQUEID, "unavailable")]
    call.run_for(60_000)
    assert released(call)[1:] == [(f"{UNIQUEID}-2", "silent")]
