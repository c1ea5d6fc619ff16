"""After midnight every collector makes the partitions of the new day: none takes the other's for the fault of a row."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count, islice
from pathlib import Path
from threading import Barrier
from time import monotonic, sleep

import pytest
import sqlalchemy as sa

from callflow.adapters.store.fleet.collecting import CollectorDatabase
from callflow.adapters.store.fleet.moving import move
from callflow.adapters.store.fleet.rows import make_day
from callflow.adapters.store.fleet.schema import fleet_metadata
from callflow.adapters.store.places import Postgres
from callflow.adapters.store.queries import Reader
from callflow.adapters.store.store import Store
from callflow.core.fleet.arrival import Arrival
from callflow.core.publishing.envelope import with_seq
from callflow.core.publishing.topics import Topics
from callflow.core.service.grouping import DAY_MS
from tests.publishing import samples

DAYS = 10
NEW_DAYS = count(samples.T0 + 3000 * DAY_MS, DAY_MS)
"""Times in days that have no partition: no test has written to them."""
STAYS = fleet_metadata.tables["stays"]
WAITING = (
    "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND datname = current_database()"
)


@pytest.fixture
def shards(fleet: str) -> Iterator[tuple[CollectorDatabase, CollectorDatabase]]:
    both = CollectorDatabase(Postgres(fleet), "a"), CollectorDatabase(Postgres(fleet), "b")
    assert all(one.open() for one in both)
    yield both
    for one in both:
        one.close()


def arrival(site: str, number: int, at_ms: int) -> Arrival:
    """The event of a stay, and nothing else in the batch."""
    event = replace(samples.MAKER, topics=Topics(site), node=site).event_of(samples.stay(number, at_ms=at_ms))
    assert event is not None
    return Arrival(event.topic, with_seq(event.body(), 1), at_ms)


def rows(url: str, sql: str) -> list[tuple[object, ...]]:
    with Reader(url) as reader:
        return [tuple(row.values()) for row in reader.rows(sa.text(sql))]


def stored(url: str) -> tuple[object, ...]:
    """How many stays there are, and how many events that could not be stored."""
    (found,) = rows(url, "SELECT (SELECT count(*) FROM stays), (SELECT count(*) FROM unread_events)")
    return found


def until(holds: Callable[[], bool]) -> None:
    end = monotonic() + 20
    while not holds():
        assert monotonic() < end
        sleep(0.01)


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_one_event_waits_for_the_partition_that_another_collector_makes(
    fleet: str, shards: tuple[CollectorDatabase, CollectorDatabase], end: str
) -> None:
    at_ms = next(NEW_DAYS)
    other = Postgres(fleet).writing_engine().connect()
    making = other.begin()
    make_day(other, STAYS, at_ms // DAY_MS)
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(shards[0].write, [arrival("north", 1, at_ms)])
        until(lambda: rows(fleet, WAITING) != [(0,)])
        getattr(making, end)()
        writing.result(20)
    other.close()
    assert stored(fleet) == (1, 0)


def test_two_collectors_at_every_midnight(fleet: str, shards: tuple[CollectorDatabase, CollectorDatabase]) -> None:
    together = Barrier(2, timeout=20)

    def write(database: CollectorDatabase, site: str, number: int, at_ms: int) -> None:
        sent = [arrival(site, number, at_ms)]
        together.wait()
        database.write(sent)

    with ThreadPoolExecutor(2) as pool:
        for number, at_ms in enumerate(islice(NEW_DAYS, DAYS)):
            both = [pool.submit(write, one, f"site{n}", 2 * number + n, at_ms) for n, one in enumerate(shards)]
            for one in both:
                one.result(20)
    assert stored(fleet) == (2 * DAYS, 0)


def test_a_copy_of_a_node_beside_a_collector(
    fleet: str, shards: tuple[CollectorDatabase, CollectorDatabase], tmp_path: Path
) -> None:
    days = list(islice(NEW_DAYS, DAYS))
    with Store(tmp_path / "callflow.db", "main") as store:
        for number, at_ms in enumerate(days):
            store.save(samples.stay(number, at_ms=at_ms), final=True)
    database, target = tmp_path / "callflow.db", Postgres(fleet)
    with ThreadPoolExecutor(1) as pool:
        copying = pool.submit(move, database, target, "", samples.HIDDEN, lambda done, total: None)
        for number, at_ms in enumerate(days, 100):
            shards[0].write([arrival("north", number, at_ms)])
        copying.result(20)
    assert stored(fleet) == (2 * DAYS, 0)
