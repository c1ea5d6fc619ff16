"""Alerts: told once, when they should be, and not otherwise."""

from dataclasses import replace
from typing import Any

import pytest

from callflow.core.call_record import CallRecord
from callflow.core.publishing.alert_rules import AlertRules
from callflow.core.publishing.alerts import DAY_MS, AlertWatch
from callflow.core.publishing.envelope import Envelope
from callflow.core.rings.records import Outcome, Stay
from callflow.core.screening.states import Result
from callflow.core.service.targets import QueueTarget, Targets
from tests.publishing import samples

T0 = samples.T0
RULES = AlertRules(trunk_min_calls=20, service_min_calls=10)


def watch(rules: AlertRules = RULES) -> AlertWatch:
    targets = Targets(queues={"default": QueueTarget()})
    return AlertWatch(rules, samples.TOPICS, "main", samples.HIDDEN, targets)


def kinds(envelopes: list[Envelope]) -> list[str]:
    return [envelope.topic.rpartition("/")[2] for envelope in envelopes]


def all_of(watching: AlertWatch, records: list[CallRecord] | list[Stay]) -> list[Envelope]:
    return [envelope for record in records for envelope in watching.receive(record)]


def test_a_silent_call_is_told_without_its_number() -> None:
    (alert,) = watch().receive(samples.call())
    assert alert.topic == "callflow/v1/lab/event/alert/silent_call"
    assert alert.call_id == "1769864703.1"
    assert "0100" not in alert.body()


def test_a_caller_who_spoke_is_no_alert() -> None:
    assert watch().receive(samples.call(result=Result.SPOKE)) == []


# -- row A1 -----------------------------------------------------------------------------------------------------------


def hangups(number: int, every_ms: int, lasted_ms: int = 8_000) -> list[CallRecord]:
    return [samples.call(n, Result.HANGUP, T0 + n * every_ms, lasted_ms) for n in range(number)]


def test_the_fifth_short_call_of_a_day_is_an_alert_and_the_sixth_is_not() -> None:
    alerts = all_of(watch(), hangups(6, 3_600_000))
    assert kinds(alerts) == ["repeat_short_calls"]
    assert alerts[0].data["calls"] == 5


def test_short_calls_over_more_than_a_day_are_none() -> None:
    assert all_of(watch(), hangups(5, DAY_MS // 4 + 1)) == []


def test_calls_of_a_minute_are_not_short() -> None:
    assert all_of(watch(), hangups(9, 60_000, lasted_ms=60_000)) == []


def test_different_callers_do_not_add_up() -> None:
    calls = [replace(call, caller_number=f"555010{n}") for n, call in enumerate(hangups(9, 60_000))]
    assert all_of(watch(), calls) == []


def test_a_call_through_a_queue_counts_once_with_its_talk() -> None:
    short = [samples.stay(n, Outcome.ABANDONED_QUEUE, 4_000, T0 + n * 60_000) for n in range(5)]
    assert "repeat_short_calls" in kinds(all_of(watch(), short))
    answered = [samples.stay(n, at_ms=T0 + n * 60_000) for n in range(9)]
    assert all_of(watch(), answered) == []


def of_call(stay: Stay, number: int, entry: int, **changes: Any) -> Stay:
    return replace(stay, call_id=f"{number}", entry_id=f"{number}-{entry}", **changes)


def test_a_call_is_as_long_as_all_of_it() -> None:
    """40 s in one queue, whose time-out sends the caller to the next, and 20 s there until they are answered."""
    told: list[Stay] = []
    for n in range(9):
        at_ms = T0 + n * 3_600_000
        told.append(of_call(samples.stay(0, Outcome.TIMEOUT, 40_000, at_ms), n, 1))
        told.append(of_call(samples.stay(0, Outcome.ABANDONED_QUEUE, 25_000, at_ms + 40_100), n, 2))
    assert all_of(watch(), told) == []


@pytest.mark.parametrize("outcome", [Outcome.TIMEOUT, Outcome.LEAVE_EMPTY, Outcome.FULL, Outcome.EXIT_KEY])
def test_a_caller_whom_the_queue_let_go_may_go_on(outcome: Outcome) -> None:
    assert all_of(watch(), [samples.stay(n, outcome, 5_000, T0 + n * 60_000) for n in range(9)]) == []


def test_a_screening_is_part_of_the_call() -> None:
    watching = watch()
    for n in range(9):
        at_ms = T0 + n * 3_600_000
        screened = samples.call(n, Result.SPOKE, at_ms, 30_000)
        stay = samples.stay(n, Outcome.ABANDONED_QUEUE, 30_000, at_ms + 30_000)
        assert all_of(watching, [screened]) == all_of(watching, [replace(stay, call_id=screened.uniqueid)]) == []


def test_a_caller_who_is_handed_on_has_no_short_call() -> None:
    """Reception answers after 5 s and hands the caller on after 20 s: into another queue, or to a direct line."""
    watching = watch()
    for n in range(9):
        at_ms = T0 + n * 3_600_000
        reception = samples.stay(n, wait_ms=5_000, at_ms=at_ms)
        joined = of_call(samples.stay(n, at_ms=at_ms + 26_000), n, 2, outcome=None, connect_ms=None, left_ms=None)
        line = replace(samples.line_offer(n), call_id=str(n), began_ms=at_ms + 26_000)
        handed_on = of_call(reception, n, 1, talk_end_ms=at_ms + 25_000, talk_ms=20_000)
        assert watching.receive(handed_on) == []
        assert watching.receive(joined if n % 2 else line) == []


def test_a_caller_without_a_number_is_nobodys_repetition() -> None:
    assert all_of(watch(), [replace(call, caller_number="") for call in hangups(9, 1000)]) == []


# -- trunks -----------------------------------------------------------------------------------------------------------


def trunk_calls(first: int, number: int, silent_every: int, at_ms: int) -> list[CallRecord]:
    made = []
    for n in range(first, first + number):
        result = Result.SILENT if n % silent_every == 0 else Result.SPOKE
        made.append(replace(samples.call(n, result, at_ms + 1000 * n, 100_000), caller_number=""))
    return made


def test_a_trunk_above_its_own_baseline_is_told_at_the_beginning_and_at_the_end() -> None:
    watching = watch()
    usual = all_of(watching, trunk_calls(0, 2000, 50, T0))
    assert "trunk_silent_rate" not in kinds(usual)
    # An hour later every second call is silent, and another hour later all is well again.
    bad = all_of(watching, trunk_calls(0, 40, 2, T0 + 3 * 3_600_000))
    well = all_of(watching, trunk_calls(0, 60, 100, T0 + 6 * 3_600_000))
    told = [alert for alert in (*bad, *well) if kinds([alert]) == ["trunk_silent_rate"]]
    assert [alert.data["state"] for alert in told] == ["raised", "cleared"]
    assert len({alert.event_id for alert in told}) == 1
    assert [alert.revision for alert in told] == [1, 2]
    assert told[0].data["baseline"] < 0.03 < told[0].data["rate"]


def test_a_trunk_that_always_was_bad_is_no_news() -> None:
    watching = watch()
    all_of(watching, trunk_calls(0, 3000, 4, T0))
    later = all_of(watching, trunk_calls(0, 100, 4, T0 + 3 * 3_600_000))
    assert "raised" not in [alert.data.get("state") for alert in later]


def test_a_few_calls_prove_nothing() -> None:
    assert "trunk_silent_rate" not in kinds(all_of(watch(), trunk_calls(0, 19, 1, T0)))


# -- service level ----------------------------------------------------------------------------------------------------


def test_a_service_level_below_its_target_is_told_once_and_cleared_once() -> None:
    late = [samples.stay(n, wait_ms=25_000, at_ms=T0 + n * 1000) for n in range(15)]
    good = [samples.stay(n, wait_ms=3_000, at_ms=T0 + 60_000 + n * 1000) for n in range(100)]
    alerts = [a for a in all_of(watch(), [*late, *good]) if kinds([a]) == ["service_level"]]
    assert [alert.data["state"] for alert in alerts] == ["raised", "cleared"]
    assert alerts[0].data["offered"] == 10
    assert alerts[0].data["service_level"] == 0.0


def test_those_who_give_up_are_held_against_those_who_are_still_talking() -> None:
    """At the opening of a day every talk lasts, and only who gave up has ended."""
    talking = [samples.stay(n, wait_ms=3_000, at_ms=T0 + n * 1000) for n in range(50)]
    talking = [replace(stay, outcome=None, talk_end_ms=None, talk_ms=None, caller_number="") for stay in talking]
    gone = [samples.stay(n, Outcome.ABANDONED_QUEUE, 30_000, T0 + n * 1000) for n in range(50, 60)]
    assert all_of(watch(), [*talking, *(replace(stay, caller_number="") for stay in gone)]) == []


def test_short_abandons_do_not_break_a_promise() -> None:
    gone = [samples.stay(n, Outcome.SHORT_ABANDON, 2_000, T0 + n * 1000) for n in range(30)]
    gone = [replace(stay, caller_number="") for stay in gone]
    assert all_of(watch(), gone) == []
