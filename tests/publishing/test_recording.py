"""The way of a record: counted, its events built, both saved together; a failing step costs nothing but itself."""

from collections.abc import Iterable
from pathlib import Path

import pytest
import sqlalchemy as sa
import structlog

from callflow.adapters.store.outbox import Bounds, Outbox
from callflow.adapters.store.queries import Reader
from callflow.adapters.store.schema import outbox
from callflow.adapters.store.store import Store
from callflow.core.publishing.envelope import Envelope
from callflow.publishing.recording import Build, Count, Recording
from callflow.records.kind import Record
from callflow.records.stays import stays
from tests.publishing import samples


class Way:
    """A recording with steps that say what they were given."""

    def __init__(self, folder: Path, *, counting_fails: bool = False, first_event_fails: bool = False) -> None:
        self.database = folder / "callflow.db"
        self.store = Store(self.database, "main")
        self.counted: list[tuple[Record, bool]] = []
        waiting = Outbox(self.store, self.database, "main", Bounds(1000, 10**9), lambda: samples.T0)
        counts: list[Count] = [self._miscount] if counting_fails else []
        builders: list[Build] = [self._misbuild] if first_event_fails else []
        self.recording = Recording(self.store, [*counts, self._count], [*builders, self._event], [waiting])

    def _miscount(self, record: Record, final: bool) -> None:
        raise RuntimeError("not today")

    def _misbuild(self, record: Record, final: bool) -> Iterable[Envelope]:
        raise RuntimeError("not today")

    def _count(self, record: Record, final: bool) -> None:
        self.counted.append((record, final))

    def _event(self, record: Record, final: bool) -> Iterable[Envelope]:
        event = samples.MAKER.event_of(record)
        return [event] if final and event else []

    def stored(self) -> tuple[int, int]:
        """Stays and events in the database."""
        with Reader(self.database) as reader:
            counts = (sa.select(sa.func.count().label("n")).select_from(table) for table in (stays, outbox))
            first, second = (int(reader.rows(count)[0]["n"]) for count in counts)
            return first, second


@pytest.mark.parametrize("broken", ["nothing", "counting", "the first event"])
async def test_a_failing_step_costs_neither_the_record_nor_the_other_steps(tmp_path: Path, broken: str) -> None:
    way = Way(tmp_path, counting_fails=broken == "counting", first_event_fails=broken == "the first event")
    with structlog.testing.capture_logs() as logs:
        way.recording.open()
        for number in (1, 2):
            way.recording.save(samples.stay(number), final=True)
        assert await way.recording.flush(5)
        way.store.close()
    assert way.stored() == (2, 2)
    assert len(way.counted) == 2
    failed = [line["log_level"] for line in logs if "not today" in line.get("reason", "")]
    assert failed == ([] if broken == "nothing" else ["error", "debug"]), "said once, then only counted"
    assert way.recording.failures == ({} if broken == "nothing" else {"RuntimeError": 2})


async def test_a_record_that_lasts_is_counted_and_has_no_event(tmp_path: Path) -> None:
    way = Way(tmp_path)
    way.recording.open()
    way.recording.save(samples.stay(), final=False)
    assert await way.recording.flush(5)
    way.store.close()
    assert way.stored() == (1, 0)
    assert way.counted == [(samples.stay(), False)]


def _never(record: Record, final: bool) -> Iterable[Envelope]:
    raise AssertionError("there is nobody to send it to")


async def test_a_record_of_no_kind_is_counted_and_costs_nothing_else(tmp_path: Path) -> None:
    way = Way(tmp_path)
    way.recording.open()
    way.recording.save(object(), final=True)
    way.recording.save(samples.stay(), final=True)
    assert await way.recording.flush(5)
    way.store.close()
    assert way.stored() == (1, 1)
    assert way.recording.failures == {"KeyError": 1}


async def test_without_an_outbox_records_are_saved_alone(tmp_path: Path) -> None:
    store = Store(tmp_path / "callflow.db", "main")
    recording = Recording(store, builders=[_never])
    recording.open()
    recording.save(samples.stay(), final=True)
    assert await recording.flush(5)
    store.close()
    assert not recording.failures
