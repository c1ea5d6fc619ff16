"""Rows A1 and A2: which calls put a caller on the list, by the rules of the call's profile."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callflow.core.callbacks.entry import Reason
from callflow.core.callbacks.raising import Raising, Wanted
from callflow.core.callbacks.rules import CallbackProfile, CallbackRules
from callflow.core.rings.records import Outcome
from callflow.core.screening.states import Result
from tests.publishing import samples
from tests.store.samples import T0, live_call

NUMBER = "13855550101"
RULES = CallbackRules(
    profiles={
        "default": CallbackProfile(),
        "sales": CallbackProfile(short_calls=2, short_call_s=10, window_h=1, after_hang_up=False),
        "never": CallbackProfile(short_calls=0),
    }
)


def told(raising: Raising, calls: list[tuple[float, float]], profile: str, result: Result) -> list[Wanted]:
    """Calls of one caller: begin and length in seconds."""
    found = []
    for number, (at_s, lasted_s) in enumerate(calls):
        began_ms = T0 + round(1000 * at_s)
        record = replace(
            live_call(f"176986.{number}", began_ms),
            caller_number=NUMBER,
            profile=profile,
            result=result,
            ended_ms=began_ms + round(1000 * lasted_s),
        )
        found += raising.receive(record, True)
    return found


@pytest.mark.parametrize(
    ("profile", "calls", "raised"),
    [
        ("default", [(at, 59) for at in range(0, 500, 100)], 1),
        ("default", [(at, 59) for at in range(0, 400, 100)], 0),
        ("default", [(at, 60) for at in range(0, 500, 100)], 0),
        ("default", [(at * 3600, 5) for at in (0, 6, 12, 18, 24)], 0),
        ("default", [(at * 3600, 5) for at in (0, 6, 12, 18, 23.9)], 1),
        ("sales", [(0, 9), (100, 9)], 1),
        ("sales", [(0, 9), (100, 10)], 0),
        ("sales", [(0, 9), (3700, 9)], 0),
        ("never", [(at, 5) for at in range(0, 5000, 100)], 0),
        ("unknown", [(at, 59) for at in range(0, 500, 100)], 1),
    ],
)
def test_short_calls_count_by_the_rules_of_the_profile(
    profile: str, calls: list[tuple[float, float]], raised: int
) -> None:
    found = told(Raising(RULES), calls, profile, Result.HANGUP)
    assert [wanted.reason for wanted in found] == [Reason.REPEATED] * raised
    assert all((wanted.number, wanted.profile) == (NUMBER, profile) for wanted in found)


def test_short_calls_that_were_not_screened_count_by_default() -> None:
    raising = Raising(RULES)
    found = []
    for number in range(5):
        stay = samples.stay(number, Outcome.ABANDONED_QUEUE, 4_000, T0 + number * 60_000)
        found += raising.receive(replace(stay, caller_number=NUMBER), True)
    assert [(wanted.reason, wanted.number) for wanted in found] == [(Reason.REPEATED, NUMBER)]


@pytest.mark.parametrize(
    ("result", "profile", "reasons"),
    [
        (Result.SILENT, "default", [Reason.SILENT]),
        (Result.QUIET, "default", [Reason.QUIET]),
        (Result.SPOKE, "default", []),
        (Result.UNAVAILABLE, "default", []),
        (Result.SILENT, "sales", []),
    ],
)
def test_who_was_hung_up_on_is_wanted_where_the_profile_says_so(
    result: Result, profile: str, reasons: list[Reason]
) -> None:
    assert [wanted.reason for wanted in told(Raising(RULES), [(0, 200)], profile, result)] == reasons


def test_a_call_that_lasts_and_a_caller_without_a_number_are_nobody() -> None:
    record = replace(live_call("1.1", T0), caller_number=NUMBER, result=Result.SILENT, ended_ms=T0 + 1)
    assert Raising(RULES).receive(record, False) == []
    assert Raising(RULES).receive(replace(record, caller_number=""), True) == []


@given(st.lists(st.tuples(st.floats(0, 86_000), st.floats(0.1, 120)), max_size=60))
def test_however_they_call_every_entry_takes_five_short_calls_of_its_own(calls: list[tuple[float, float]]) -> None:
    ordered = sorted(calls, key=lambda call: sum(call))
    found = told(Raising(RULES), ordered, "default", Result.HANGUP)
    short = sum(round(1000 * (at + lasted)) - round(1000 * at) < 60_000 for at, lasted in ordered)
    assert len(found) <= short // 5
    if short >= 5 and max(map(sum, ordered)) - min(map(sum, ordered)) < 86_400:
        assert found
