"""What `callflow collect` serves: figures of every site, from a real broker and database, and a standby's none."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest

from callflow.adapters.store.fleet.collecting import CollectorDatabase
from callflow.adapters.store.places import Postgres
from callflow.adapters.store.queries import Reader
from callflow.collecting.collector import Collector
from callflow.collecting.metrics import CollectorHealth
from callflow.core.fleet.arrival import Announced
from callflow.core.fleet.census import Census, Taken
from callflow.processes.ports import take_ports
from callflow.runtime.clock import Clock
from callflow.settings.model import Settings
from tests.fleet.test_collector import AWAITS, eventually
from tests.metrics.scraped import promtool
from tests.mqtt.sending import sending
from tests.services.mosquitto import Broker, settings_for

SAID = Announced("north", "1-a", "main", "pbx1", "0.1.0", 1, '{"rings": "a"}', 5000, -1500)


def collector(url: str, port: int) -> Collector:
    fleet = {"database_url": url, "batch_s": 0.05}
    settings = Settings.model_validate({"mqtt": dict(settings_for(port)), "fleet": fleet})
    return Collector(settings.mqtt, settings.fleet, CollectorDatabase(Postgres(url), "all"), Clock().now_ms)


async def test_a_scrape_of_the_collector_has_every_site_and_one_of_its_standby_none(fleet: str, tmp_path: Path) -> None:
    registry = CollectorRegistry()
    with take_ports() as ports:
        async with (
            Broker(tmp_path / "mosquitto", ports.named()) as broker,
            sending(tmp_path / "node", {**settings_for(broker.port), **AWAITS}) as sender,
        ):
            one = collector(fleet, broker.port)
            health = CollectorHealth(one, "all", Clock().now_ms)
            registry.register(health)
            running = asyncio.create_task(one.run())
            sender.tell(1)

            def value(name: str, **labels: str) -> float | None:
                return registry.get_sample_value(f"callflow_collector_{name}", labels)

            def stored() -> bool:
                health.before_scrape()
                return (value("events_total", site="lab") or 0) >= 3 and value(
                    "clock_skew_seconds", site="lab"
                ) is not None

            await eventually(stored)
            assert value("active", shard="all") == 1
            assert value("behind", site="lab") == 0
            assert (value("watermark_timestamp_seconds", site="lab") or 0) > 1_700_000_000
            assert value("nodes", state="heard") == 1
            assert abs(value("clock_skew_seconds", site="lab") or 0) < 60, "one machine, one clock"
            assert promtool("check", "metrics", given=generate_latest(registry).decode()).strip() == ""
            assert health.ready().shown["role"] == "active"

            standby = collector(fleet, broker.port)
            beside = CollectorHealth(standby, "all", Clock().now_ms)
            waiting = asyncio.create_task(standby.run())
            await asyncio.sleep(0)
            assert beside.ready().good
            beside.before_scrape()
            assert b'site="lab"' not in generate_latest_of(beside)
            for task in (waiting, running):
                task.cancel()
            await asyncio.gather(waiting, running, return_exceptions=True)


def generate_latest_of(health: CollectorHealth) -> bytes:
    registry = CollectorRegistry()
    registry.register(health)
    return generate_latest(registry)


async def test_a_collector_that_cannot_reach_its_database_is_not_ready(tmp_path: Path) -> None:
    one = collector("postgresql://u:s3cret@127.0.0.1:1/x", 1)
    health = CollectorHealth(one, "all", Clock().now_ms)
    running = asyncio.create_task(one.run())
    await eventually(lambda: bool(one.persisting.trouble))
    verdict = health.ready()
    assert not verdict.good
    assert "s3cret" not in json.dumps(verdict.shown)
    health.before_scrape()
    assert b"callflow_collector_failing 1.0" in generate_latest_of(health)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def test_a_gap_holds_the_watermark_until_it_is_filled() -> None:
    census = Census()
    census.took("north", "1-a", Taken(upto=3, seen=3, came_ms=1000, lag_ms=20, events=3))
    census.took("north", "1-a", Taken(upto=3, seen=9, came_ms=2000, events=1, gaps=1))
    north = census.sites["north"]
    assert (north.behind, north.advanced_ms, north.heard_ms, north.lag_ms) == (6, 1000, 2000, 20)
    census.took("north", "1-a", Taken(upto=9, seen=6, came_ms=3000, events=2, repeated=1))
    assert (north.behind, north.advanced_ms) == (0, 3000)
    assert (north.events, north.gaps, north.repeated) == (6, 1, 1)
    census.took("north", "2-b", Taken(upto=1, seen=1, came_ms=4000))
    assert north.behind == 0, "a new life begins with number 1"


def test_an_old_announcement_is_no_sign_of_life() -> None:
    census = Census()
    census.announced(replace(SAID, skew_ms=None))
    assert census.silent(SAID.came_ms) == 0, "the test's clock has just begun"
    assert census.silent(1_000_000) == 1
    census.announced(SAID)
    assert census.sites["north"].skew_ms == -1500
    assert census.silent(SAID.came_ms + 1000) == 0


def test_the_database_takes_an_old_announcement_for_no_sign_of_life_either(fleet: str) -> None:
    database = CollectorDatabase(Postgres(fleet), "all")
    assert database.open()
    database.note(SAID)
    database.note(replace(SAID, skew_ms=None, came_ms=9_000_000))
    database.close()
    with Reader(fleet) as reader:
        assert [row["last_ms"] for row in reader.rows(sa.text("SELECT last_ms FROM publishers"))] == [5000]


def test_the_settings_of_the_few_differ_from_those_of_most() -> None:
    census = Census()
    for site, mark in (("a", "1"), ("b", "1"), ("c", "2")):
        census.announced(replace(SAID, site=site, settings=json.dumps({"rings": mark, "queues": "same"})))
    assert census.differing() == {"a": (), "b": (), "c": ("rings",)}
