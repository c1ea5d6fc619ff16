"""Reading: filters, prefixes, counts, streams, beside a daemon that writes."""

from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callflow.adapters.store.queries import CallFilter, Reader
from callflow.adapters.store.store import Store
from callflow.core.call_record import CallRecord
from callflow.core.profile import Mode
from callflow.core.screening.states import Result
from callflow.errors import StoreError
from callflow.records.calls import StoredCall
from tests.conftest import At
from tests.store.samples import T0, ended, live_call, observed, tell_whole_call


def _save(database: Path, *calls: CallRecord, node: str = "main") -> None:
    with Store(database, node) as store:
        for call in calls:
            store.save(call, call.ended_ms is not None)


def _ids(calls: Iterable[StoredCall]) -> list[str]:
    return [call.record.call_id for call in calls]


def test_calls_are_listed_newest_first_within_a_limit(at: At, database: Path) -> None:
    _save(database, *(ended(live_call(f"c{n}", T0 + n % 3)) for n in range(6)))
    with Reader(at(database)) as reader:
        assert _ids(reader.page()) == ["c5", "c2", "c4", "c1", "c3", "c0"]
        assert _ids(reader.page(limit=2)) == ["c5", "c2"]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (CallFilter(since_ms=T0 + 10), {"silent", "observed"}),
        (CallFilter(until_ms=T0 + 10), {"spoke"}),
        (CallFilter(since_ms=T0 + 10, until_ms=T0 + 11), {"silent"}),
        (CallFilter(result=Result.SILENT), {"silent"}),
        (CallFilter(mode=Mode.OBSERVE), {"observed"}),
        (CallFilter(profile="support"), {"spoke", "silent", "observed"}),
        (CallFilter(profile="sales"), set()),
        (CallFilter(number="+1-555-0100", result=Result.SPOKE), {"spoke"}),
        (CallFilter(number="1002"), set()),
        (CallFilter(node="main"), {"spoke", "silent", "observed"}),
        (CallFilter(node="other"), set()),
    ],
)
def test_filters(at: At, database: Path, wanted: CallFilter, expected: set[str]) -> None:
    _save(
        database,
        ended(live_call("spoke", T0)),
        ended(live_call("silent", T0 + 10), Result.SILENT),
        observed(live_call("observed", T0 + 20), Result.SILENT),
    )
    with Reader(at(database)) as reader:
        assert set(_ids(reader.page(wanted))) == expected
        assert set(_ids(reader.stream(wanted))) == expected
        assert reader.count(wanted) == reader.summary(wanted).total == len(expected)


def test_a_call_is_found_by_its_id_or_a_unique_beginning(at: At, database: Path) -> None:
    _save(database, *(live_call(name) for name in ("1769.1", "1769.12", "1769.2", "17%0_x")))
    with Reader(at(database)) as reader:
        assert reader.find("1769.1").record.call_id == "1769.1"
        assert reader.find("1769.12").record.call_id == "1769.12"
        assert reader.find("17%").record.call_id == "17%0_x"
        with pytest.raises(StoreError, match=r"fits several calls: 1769\.1 \(node main\), 1769\.12"):
            reader.find("1769")
        for unknown in ("9", "%", "1769.123", "1769_1"):
            with pytest.raises(StoreError, match="no call has the id"):
                reader.find(unknown)


def test_an_ambiguous_id_names_a_few_candidates_only(at: At, database: Path) -> None:
    _save(database, *(live_call(f"c{n:02}") for n in range(30)))
    with Reader(at(database)) as reader, pytest.raises(StoreError, match="and more") as refused:
        reader.find("c")
    assert str(refused.value).count("node main") == 5


def test_the_same_id_on_two_nodes_needs_the_node(at: At, database: Path) -> None:
    _save(database, live_call("a"), node="north")
    _save(database, live_call("a"), node="south")
    with Reader(at(database)) as reader:
        with pytest.raises(StoreError, match="fits several") as refused:
            reader.find("a")
        assert "--node" in refused.value.remedy
        assert reader.find("a", "south").node == "south"


def test_false_hang_ups_of_observe_mode_are_counted(at: At, database: Path) -> None:
    _save(
        database,
        observed(live_call("1"), Result.SILENT),
        observed(live_call("2"), Result.SILENT, spoke_after=True),
        observed(live_call("3"), Result.SPOKE),
        observed(live_call("4"), None),
        ended(live_call("5"), Result.SILENT),
        live_call("6"),
    )
    with Reader(at(database)) as reader:
        summary = reader.summary()
    assert summary.by_result == {Result.OBSERVED: 4, Result.SILENT: 1}
    assert (summary.total, summary.live, summary.interrupted) == (6, 1, 0)
    assert (summary.observed, summary.would_hang_up, summary.false_hang_ups) == (4, 2, 1)


async def test_a_reader_sees_what_is_flushed_while_the_daemon_writes(store: Store, database: Path) -> None:
    with Reader(database) as reader:
        for number in range(50):
            tell_whole_call(store, f"call-{number:03}")
            assert await store.flush(5)
            assert reader.count() == number + 1
            assert len(reader.happenings(reader.find(f"call-{number:03}"))) == 3


async def test_a_reader_in_the_middle_of_a_stream_hinders_no_writer(store: Store, database: Path) -> None:
    for number in range(20):
        tell_whole_call(store, f"call-{number:03}", arrived_ms=T0 + number)
    assert await store.flush(5)
    with Reader(database) as reader:
        streamed = reader.stream(page=3)
        seen = [next(streamed).record.call_id for _ in range(4)]
        for number in range(20, 40):
            tell_whole_call(store, f"call-{number:03}", arrived_ms=T0 + number)
        assert await store.flush(5)
        seen += _ids(streamed)
    assert seen == [f"call-{number:03}" for number in range(40)]


def test_a_reader_cannot_write(at: At, database: Path) -> None:
    _save(database, live_call("a"))
    with Reader(at(database)) as reader, pytest.raises(Exception, match=r"read-?only"):
        reader._connection.exec_driver_sql("DELETE FROM calls")


@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(arrivals=st.lists(st.integers(0, 4), max_size=30), page=st.integers(1, 7))
def test_a_stream_gives_each_call_once_whatever_the_page(
    at: At, tmp_path_factory: pytest.TempPathFactory, arrivals: list[int], page: int
) -> None:
    database = tmp_path_factory.mktemp("stream") / "callflow.db"
    for node in ("north", "south"):
        _save(database, *(live_call(f"c{n}", T0 + after) for n, after in enumerate(arrivals)), node=node)
    expected = sorted((T0 + after, f"c{n}", node) for n, after in enumerate(arrivals) for node in ("north", "south"))
    with Reader(at(database)) as reader:
        streamed = [(call.record.arrived_ms, call.record.call_id, call.node) for call in reader.stream(page=page)]
    assert streamed == expected


def test_a_reader_that_has_just_been_closed_can_be_interrupted(at: At, database: Path) -> None:
    with Store(database, "main"):
        pass
    with Reader(at(database)) as reader:
        reader.interrupt()
    reader.interrupt()
