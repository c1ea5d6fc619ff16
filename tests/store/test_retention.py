"""What is older than the settings allow is deleted, step by step, and nothing else is."""

import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import structlog

from callflow.adapters.store import retention
from callflow.adapters.store.database import writing_engine
from callflow.adapters.store.hourly import BY_HOUR
from callflow.adapters.store.options import StoreOptions
from callflow.adapters.store.queries import CallFilter, Reader
from callflow.adapters.store.retention import DAY_MS, Limits, Retention, clear, limits
from callflow.adapters.store.store import Store
from callflow.core.call_record import CallRecord
from callflow.core.rings.records import AgentInterval, AgentWork
from callflow.records import KINDS
from callflow.records.agent_intervals import spells
from callflow.records.calls import happenings
from callflow.records.legs import legs
from callflow.records.offers import offers
from callflow.records.stays import stays
from tests.store.hours import count_all
from tests.store.plausible_day import MIDNIGHT, plausible_day
from tests.store.samples import live_call, tell_whole_call

TODAY = MIDNIGHT + DAY_MS


def fill(database: Path) -> None:
    """Two days alike, one after the other, with happenings, and something on each that still lasts."""
    with Store(database, "main") as store:
        for midnight in (MIDNIGHT, TODAY):
            day = plausible_day(calls=60, midnight_ms=midnight)
            for record in day:
                if not isinstance(record, CallRecord):
                    store.save(record, final=True)
            for call in day.calls:
                tell_whole_call(store, call.call_id, arrived_ms=call.arrived_ms)
            store.save(live_call(f"live {midnight}", midnight + 1000), final=False)
            store.save(replace(day.stays[0], entry_id=f"live {midnight}", revision=1), final=False)
            store.save(AgentInterval(f"5{midnight}", midnight, None, AgentWork.AVAILABLE), final=False)


def counts(database: Path) -> dict[str, int]:
    with Reader(database) as reader:
        found = {"calls": reader.count(), "old calls": reader.count(CallFilter(until_ms=TODAY))}
        for table in (happenings, legs, offers, stays, spells):
            (row,) = reader.rows(sa.select(sa.func.count().label("n")).select_from(table))
            found[table.name] = row["n"]
        return found


def cleared(database: Path, before: Limits, step: int = 7) -> int:
    engine = writing_engine(database, 1.0)
    with engine.connect() as connection:
        return clear(connection, before, lambda seconds: False, step)


def test_details_go_and_records_stay(database: Path) -> None:
    fill(database)
    before = counts(database)
    assert cleared(database, Limits(details_ms=TODAY, records_ms=0)) > 10
    after = counts(database)
    kept = {name: n for name, n in after.items() if name not in ("happenings", "legs")}
    assert kept == {name: before[name] for name in kept}
    assert after["happenings"] == before["happenings"] // 2
    assert after["legs"] == before["legs"] // 2
    with Reader(database) as reader:
        assert reader.deleted_before("details") == TODAY
        assert reader.deleted_before("records") == 0


def test_records_go_with_their_details_but_not_what_lasts(database: Path) -> None:
    fill(database)
    before = counts(database)
    cleared(database, Limits(details_ms=TODAY, records_ms=TODAY))
    after = counts(database)
    assert after["old calls"] == 1
    for name in ("calls", "stays", "spells"):
        assert after[name] == before[name] // 2 + 1, "the one that lasts is still there"
    assert after["offers"] == before["offers"] // 2
    assert after["happenings"] == before["happenings"] // 2
    with Reader(database) as reader:
        assert reader.deleted_before("records") == TODAY


def test_what_is_cleared_is_not_cleared_again(database: Path) -> None:
    fill(database)
    everything = Limits(details_ms=TODAY, records_ms=TODAY)
    cleared(database, everything)
    once_each = len(list(KINDS)) + sum(kind.timeline is not None for kind in KINDS) + len(BY_HOUR)
    assert cleared(database, everything) == once_each
    assert cleared(database, Limits(0, 0)) == once_each


def test_hourly_counts_go_with_their_records(database: Path) -> None:
    fill(database)
    count_all(database, TODAY + 2 * DAY_MS)
    before = hourly_rows(database)
    cleared(database, Limits(details_ms=TODAY, records_ms=TODAY))
    after = hourly_rows(database)
    assert after == {name: [at_ms for at_ms in times if at_ms >= TODAY] for name, times in before.items()}
    assert sum(map(len, after.values())) < sum(map(len, before.values()))
    count_all(database, TODAY + 2 * DAY_MS)
    again = hourly_rows(database)
    cleared(database, Limits(details_ms=TODAY, records_ms=TODAY))
    assert hourly_rows(database) == again, "counts with a mark stay: of what lasts"


def hourly_rows(database: Path) -> dict[str, list[int]]:
    """The hour of each row of counts."""
    with Reader(database) as reader:
        tables = [source.hourly for source in BY_HOUR if source.hourly is not None]
        return {
            table.name: [row["at_ms"] for row in reader.rows(sa.select(table.c.at_ms).order_by(table.c.at_ms))]
            for table in tables
        }


def test_a_stop_between_two_steps_leaves_a_whole_database(database: Path) -> None:
    fill(database)
    before = counts(database)
    engine = writing_engine(database, 1.0)
    with engine.connect() as connection:
        stops = iter([False, True])
        assert clear(connection, Limits(TODAY, TODAY), lambda seconds: next(stops), 7) == 2
    after = counts(database)
    assert 0 < after["happenings"] < before["happenings"]
    assert after["calls"] == before["calls"]


def test_pauses_are_longer_than_the_work(database: Path) -> None:
    fill(database)
    pauses: list[float] = []

    def go_on(seconds: float) -> bool:
        pauses.append(seconds)
        return False

    engine = writing_engine(database, 1.0)
    begun = time.monotonic()
    with engine.connect() as connection:
        clear(connection, Limits(TODAY, TODAY), go_on, 7)
    worked = time.monotonic() - begun
    assert min(pauses) >= 0.1
    assert sum(pauses) > 5 * worked


def test_ages_become_moments_and_details_never_outlive_their_records() -> None:
    now_ms = 1000 * DAY_MS
    assert limits(0, 0, now_ms) == Limits(0, 0)
    assert limits(10, 0, now_ms) == Limits(990 * DAY_MS, 0)
    assert limits(0, 100, now_ms) == Limits(900 * DAY_MS, 900 * DAY_MS)
    assert limits(500, 100, now_ms) == Limits(900 * DAY_MS, 900 * DAY_MS)


def test_the_thread_clears_beside_a_writer_and_stops_when_told(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(database)
    monkeypatch.setattr(retention, "FIRST_S", 0.0)
    done = threading.Event()
    real = retention.clear

    def clear_and_tell(*args: Any, **named: Any) -> int:
        steps = real(*args, **named)
        done.set()
        return steps

    monkeypatch.setattr(retention, "clear", clear_and_tell)
    monkeypatch.setattr(retention, "PAUSE_S", 0.0)
    thread = Retention(StoreOptions(path=database, details_days=1, records_days=1))
    with Store(database, "main") as store:
        thread.start()
        tell_whole_call(store, "meanwhile", arrived_ms=time.time_ns() // 1_000_000)
        assert done.wait(20)
        thread.stop(5)
    with Reader(database) as reader:
        assert [call.record.call_id for call in reader.page() if call.record.result] == ["meanwhile"]


def test_nothing_is_started_when_everything_is_kept(database: Path) -> None:
    thread = Retention(StoreOptions(path=database, details_days=0, records_days=0))
    thread.start()
    thread.stop()
    assert not database.exists()


YEAR = StoreOptions()
"""Nobody has chosen an age."""


def run_round(database: Path, options: StoreOptions) -> None:
    """One round of the thread, as an hour after the start."""
    with writing_engine(database, 5.0).connect() as connection:
        Retention(options)._round(connection)


def test_the_default_age_is_announced_once_and_deletes_nothing_for_a_week(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old_ms = time.time_ns() // 1_000_000 - 400 * DAY_MS
    with Store(database, "main") as store:
        tell_whole_call(store, "old", arrived_ms=old_ms)
    options = YEAR.model_copy(update={"path": database})
    options.model_fields_set.discard("records_days")
    with structlog.testing.capture_logs() as lines:
        for _ in range(3):
            run_round(database, options)
    assert [line["records_days"] for line in lines] == [365]
    assert [call.record.call_id for call in Reader(database).page(CallFilter())] == ["old"]
    week_later = time.time_ns() // 1_000_000 + 8 * DAY_MS
    monkeypatch.setattr(retention, "_now_ms", lambda: week_later)
    run_round(database, options)
    assert list(Reader(database).page(CallFilter())) == []


def test_an_age_that_the_site_chose_needs_no_announcement(database: Path) -> None:
    with Store(database, "main") as store:
        tell_whole_call(store, "old", arrived_ms=time.time_ns() // 1_000_000 - 400 * DAY_MS)
    with structlog.testing.capture_logs() as lines:
        run_round(database, StoreOptions(path=database, records_days=365))
    assert lines == []
    assert list(Reader(database).page(CallFilter())) == []
