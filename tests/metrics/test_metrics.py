"""Metrics: each call once, at its end; known labels from 0; no flood of names; nothing of a person."""

from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from callflow.adapters.http.record_metrics import Buckets
from callflow.adapters.store.store import Store
from callflow.core.heard import Heard
from callflow.core.rings.names import safe_name
from callflow.core.rings.records import AnswerClass, Outcome, RingSource, Timing
from callflow.core.screening.states import Result
from callflow.publishing.publisher import Publishing
from callflow.settings.model import Settings
from tests.metrics.scraped import CADENCE_S, Web, promtool, sample_at
from tests.publishing import samples

EVERYTHING = (
    samples.call(),
    samples.call(2, Result.SPOKE),
    samples.stay(),
    samples.stay(2, Outcome.ABANDONED_RINGING, 31_000),
    samples.offer(),
    samples.offer(2, AnswerClass.LATE, 16_000),
    samples.line_offer(3),
    samples.leg(),
)


def test_promtool_has_nothing_to_say() -> None:
    web = Web().count(*EVERYTHING)
    web.lags.ami_event.observe(0.004)
    assert promtool("check", "metrics", given=web.text()).strip() == ""


def test_a_lag_is_counted_in_the_bucket_of_its_bound_and_in_every_later_one() -> None:
    web = Web()
    for lag_s in (0.0, 0.005, 0.006, 45.0):
        web.lags.loop.observe(lag_s)
    bounds = {"0.005": 2, "0.01": 3, "30.0": 3, "+Inf": 4}
    counted = {bound: web.value("callflow_loop_lag_seconds_bucket", le=bound) for bound in bounds}
    assert counted == bounds
    assert web.value("callflow_loop_lag_seconds_count") == 4
    assert web.value("callflow_loop_lag_seconds_sum") == pytest.approx(45.011)
    assert web.value("callflow_ami_event_lag_seconds_count") == 0


def test_nothing_of_a_person_is_in_a_scrape() -> None:
    text = Web().count(*EVERYTHING).text()
    for secret in ("5550100", "555-0100", "Alice", "alice", "1769864703"):
        assert secret not in text


def test_every_outcome_class_and_result_starts_at_zero() -> None:
    web = Web()
    web.calls.expect(["support"], ["1001"])
    for outcome in Outcome:
        assert web.value("callflow_offers_total", queue="support", outcome=outcome.value) == 0
    for answer in AnswerClass:
        for kind, target in (("queue", "support"), ("line", "1001")):
            labels = {"target_type": kind, "target": target, "class": answer.value}
            assert web.value("callflow_answer_class_total", **labels) == 0
    web.count(samples.call())
    for result in Result:
        expected = float(result is Result.SILENT)
        assert web.value("callflow_screened_calls_total", trunk="PJSIP/carrier", result=result.value) == expected
    for cause in Heard:
        assert web.value("callflow_silent_calls_total", trunk="PJSIP/carrier", cause=cause.value) is not None
    for source in RingSource:
        assert web.value("callflow_timing_source_total", source=source.value) == 0


def test_queues_and_lines_that_the_settings_or_asterisk_name_start_at_zero(tmp_path: Path) -> None:
    rings = {"queue_cadences": {"door": "us"}, "lines": {"reception": {"numbers": ["100"]}}}
    settings = Settings(
        store={"path": tmp_path / "callflow.db"},
        privacy={"key": samples.KEY.decode()},
        queues={"Sales Team": {"threshold_s": 30}},
        rings=rings,
    )
    publishing = Publishing(settings, Store(settings.store.path, "main"), sample_at, lambda: samples.T0)
    answered = publishing.registry.get_sample_value
    named = {("queue", safe_name("Sales Team")), ("queue", "door"), ("line", "reception")}
    told = {("queue", "support"), ("queue", "sales"), ("line", "1001")}

    def at_zero(target_type: str, target: str) -> bool:
        labels = {"target_type": target_type, "target": target}
        return answered("callflow_ring_seconds_count", labels) == 0

    assert [at_zero(*name) for name in named] == [True] * 3
    assert [at_zero(*name) for name in told] == [False] * 3
    publishing.sample()
    assert [at_zero(*name) for name in told] == [True] * 3
    assert not at_zero("queue", "default")


def test_the_configured_thresholds_are_among_the_buckets() -> None:
    web = Web(Buckets(ring_s=(*CADENCE_S, 1.5, 6.5), wait_s=(20.0, 17.0))).count(*EVERYTHING)
    for bound in (*CADENCE_S, 1.5, 6.5):
        labels = {"target_type": "queue", "target": "support", "le": str(bound)}
        assert web.value("callflow_ring_seconds_bucket", **labels) is not None
    for wait_s in ("20.0", "17.0"):
        labels = {"queue": "support", "result": "answered", "le": wait_s}
        assert web.value("callflow_queue_wait_seconds_bucket", **labels) is not None


def test_a_boundary_belongs_to_the_bucket_it_names() -> None:
    web = Web().count(samples.offer(ring_ms=15_000))
    labels = {"target_type": "queue", "target": "support"}
    assert web.value("callflow_ring_seconds_bucket", **labels, le="15.0") == 1
    assert web.value("callflow_ring_seconds_bucket", **labels, le="10.0") == 0


def test_only_certain_times_are_measured_and_doubtful_ones_counted() -> None:
    web = Web().count(
        replace(samples.offer(), timing=Timing.ARRIVAL),
        replace(samples.offer(2), partial=True),
        replace(samples.stay(), partial=True, timing=Timing.ARRIVAL),
    )
    assert web.value("callflow_ring_seconds_count", target_type="queue", target="support") == 0
    assert web.value("callflow_calls_unresolved_total", reason="partial") == 1
    assert web.value("callflow_calls_unresolved_total", reason="no_time_stamp") == 1


def test_unanswered_offers_are_counted_and_not_timed() -> None:
    web = Web().count(samples.offer(answer=AnswerClass.UNANSWERED, ring_ms=20_000))
    labels = {"target_type": "queue", "target": "support"}
    assert web.value("callflow_answer_class_total", **labels, **{"class": "unanswered"}) == 1
    assert web.value("callflow_ring_seconds_count", **labels) == 0


def test_a_flood_of_names_becomes_other() -> None:
    web = Web(max_names=10, max_agents=5)
    for number in range(1000):
        web.count(replace(samples.stay(), queue=f"queue{number}"), replace(samples.leg(), agent=f"a{number}"))
        web.count(replace(samples.call(), channel=f"SIP/t{number}-00000001"))
    assert web.value("callflow_offers_total", queue="other", outcome="answered") == 990
    assert web.series("callflow_offers") == 11 * len(Outcome)
    assert web.series("callflow_agent_answer_class") == 6 * len(AnswerClass)
    assert web.value("callflow_screened_calls_total", trunk="other", result="silent") == 990


def test_queues_that_are_there_now_are_capped_too() -> None:
    web = Web(max_names=3)
    queue = sample_at().queues[0]
    web.collector.sample = replace(sample_at(), queues=[replace(queue, queue=f"q{n}") for n in range(10)])
    assert web.series("callflow_queue_callers") == 4
    assert web.value("callflow_queue_callers", queue="other") == 7 * 3


def test_odd_names_do_not_break_the_format() -> None:
    web = Web()
    for name in ('a"b', "a\\b", "a\nb", "客服", "x" * 5000, "\ud800", ""):
        web.count(replace(samples.stay(), queue=name))
    families = {family.name for family in text_string_to_metric_families(web.text())}
    assert "callflow_offers" in families
    assert promtool("check", "metrics", given=web.text()).strip() == ""


def test_how_things_are_now() -> None:
    web = Web()
    assert web.value("callflow_queue_callers", queue="support") == 3
    assert web.value("callflow_queue_oldest_wait_seconds", queue="support") == 42
    assert web.value("callflow_queue_oldest_wait_seconds", queue="sales") == 0
    assert web.value("callflow_queue_members", queue="support", state="talking") == 2
    assert web.value("callflow_agents", state="logged_off") == 1
    assert web.value("callflow_outbox_oldest_timestamp_seconds") == samples.T0 / 1000 - 4
    assert web.value("callflow_happenings_total", part="agi_refused", what="too many calls") == 2
