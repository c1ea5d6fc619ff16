"""`callflow collect`: collects the events of a fleet's nodes in one database."""

import asyncio
import signal
import time
from contextlib import suppress

import typer

from callflow.adapters.store.counting import Counting
from callflow.adapters.store.fleet.collecting import CollectorDatabase
from callflow.adapters.store.fleet.counting import FleetHours
from callflow.adapters.store.places import Postgres
from callflow.collecting.collector import Collector
from callflow.commands.context import Context
from callflow.errors import SettingError
from callflow.logs import configure_logs


def collect(context: typer.Context) -> None:
    """Take the events of all nodes from the MQTT broker and store them in PostgreSQL, until SIGTERM or Ctrl-C.

    The nodes need `mqtt.await_collector = true`: then each keeps an event until it is in this database, and sends
    again what the broker loses. Start a second collector on another machine as a standby: it takes over when the first
    one ends. `[mqtt]` names the broker, `[fleet]` the database. Exit code 2: something must be fixed first.

    Example: `callflow --config=/etc/callflow/collect.toml collect`
    """
    source: Context = context.obj
    settings = source.settings()
    configure_logs(settings.log)
    url = settings.fleet.database_url.get_secret_value()
    if not url:
        raise SettingError("[fleet] database_url", "no database of a fleet is named", "set it")
    place = Postgres(url)
    database = CollectorDatabase(place, settings.fleet.shard)
    counting = Counting(place.writing_engine, FleetHours())
    counting.start()
    asyncio.run(_until_stopped(Collector(settings.mqtt, settings.fleet, database, _now_ms)))
    counting.stop()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


async def _until_stopped(collector: Collector) -> None:
    running = asyncio.create_task(collector.run())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, running.cancel)
    with suppress(asyncio.CancelledError):
        await running
