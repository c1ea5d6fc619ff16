"""`callflow collect`: collects the events of a fleet's nodes in one database."""

import asyncio
import time

import typer

from callflow.adapters.store.counting import Counting
from callflow.adapters.store.fleet.collecting import CollectorDatabase
from callflow.adapters.store.fleet.counting import FleetHours
from callflow.adapters.store.places import Postgres
from callflow.collecting.collector import Collector
from callflow.collecting.metrics import metrics_server
from callflow.commands.context import Context
from callflow.logs import configure_logs
from callflow.runtime.persisting import until_stopped
from callflow.settings.model import Settings


def collect(context: typer.Context) -> None:
    """Take the events of all nodes from the MQTT broker and store them in PostgreSQL, until SIGTERM or Ctrl-C.

    The nodes need `mqtt.await_collector = true`: then each keeps an event until it is in this database, and sends
    again what the broker loses. Start a second collector on another machine as a standby: it takes over when the first
    one ends. `[mqtt]` names the broker, `[fleet]` the database, `[http]` where it serves metrics. Exit code 2:
    something must be fixed first.

    Example: `callflow --config=/etc/callflow/collect.toml collect`
    """
    source: Context = context.obj
    settings = source.settings()
    configure_logs(settings.log)
    place = Postgres(source.fleet_url())
    database = CollectorDatabase(place, settings.fleet.shard, settings.callbacks)
    counting = Counting(place.writing_engine, FleetHours())
    counting.start()
    collector = Collector(settings.mqtt, settings.fleet, database, _now_ms)
    try:
        asyncio.run(_serve(collector, settings))
    finally:
        counting.stop()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


async def _serve(collector: Collector, settings: Settings) -> None:
    server = metrics_server(settings.http, collector, settings.fleet.shard, _now_ms)
    if settings.http.enabled:
        server.start()
    try:
        await until_stopped(collector.run())
    finally:
        await server.stop()
