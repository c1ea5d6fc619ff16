"""Envelopes: the same record gives the same event, everywhere and always."""

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callflow.core.publishing.envelope import event_id, utc, with_seq
from callflow.core.publishing.topics import Topics, UnfitId, topic_id
from callflow.core.rings.records import AgentInterval, AgentWork
from tests.publishing import samples

RECORDS = [samples.call(), samples.stay(), samples.offer(), samples.leg(), samples.talk(), samples.hold()]
T0 = samples.T0


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_an_event_has_the_envelope_and_its_topic(record: object) -> None:
    envelope = samples.MAKER.event_of(record)
    assert envelope is not None
    told = json.loads(with_seq(envelope.body(), 7))
    assert list(told) == ["seq", "event_id", "schema", "call_id", "occurred_at", "revision", "data"]
    assert told["seq"] == 7
    assert told["call_id"] == "1769864703.1"
    assert envelope.topic.startswith("callflow/v1/lab/event/call/")


def test_the_event_id_is_of_the_thing_and_not_of_the_telling() -> None:
    first = samples.MAKER.event_of(samples.stay())
    again = samples.MAKER.event_of(replace(samples.stay(), revision=4, talk_ms=1))
    other = samples.MAKER.event_of(samples.stay(2))
    assert first is not None
    assert again is not None
    assert other is not None
    assert first.event_id == again.event_id != other.event_id
    assert (first.revision, again.revision) == (3, 4)


def test_a_hold_is_told_when_it_begins_and_when_it_ends_and_a_talk_at_its_end() -> None:
    began = samples.MAKER.event_of(samples.hold_in_progress(), final=False)
    over = samples.MAKER.event_of(samples.hold(), final=True)
    assert began is not None
    assert over is not None
    assert (began.event_id, began.revision, began.data["ended_at"]) == (over.event_id, 1, None)
    assert (over.revision, over.data["hold_ms"]) == (2, 20_000)
    for record in (samples.talk(), samples.stay(), samples.call()):
        assert samples.MAKER.event_of(record, final=False) is None


def test_ids_are_the_same_in_every_release() -> None:
    assert event_id("lab", "main", "stay", "1") == "8f95c35b-8e96-543d-b0ad-140c79bd7f38"


def test_a_spell_is_no_event() -> None:
    assert samples.MAKER.event_of(AgentInterval("1007", T0, T0 + 5, AgentWork.TALKING)) is None


@given(st.integers())
def test_every_time_is_a_date_or_null(at_ms: int) -> None:
    shown = utc(at_ms)
    assert shown is None or shown.endswith("Z")


def test_times_are_utc_to_the_millisecond() -> None:
    assert utc(T0) == "2026-01-31T13:05:03.120Z"
    assert utc(None) is None


# -- topics -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a/b", "a+", "#", "", "a\nb", "a\x00", "$SYS", "x" * 129, "\ud800"])
def test_names_that_would_change_a_topic_are_refused(name: str) -> None:
    with pytest.raises(UnfitId):
        Topics("lab").state("queue", name)
    with pytest.raises(UnfitId):
        Topics(name)


@given(st.text())
def test_a_topic_has_exactly_the_levels_it_should_have(name: str) -> None:
    try:
        topic = Topics("lab").state("queue", name)
    except UnfitId:
        return
    assert topic.count("/") == 5
    assert not set("+#\0") & set(topic)
    assert math.prod(map(len, topic.split("/"))) > 0


@pytest.mark.parametrize("name", ["support", "客服", "queue 7", "sales-eu_2"])
def test_usual_names_are_kept(name: str) -> None:
    assert topic_id(name) == name
