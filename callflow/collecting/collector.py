"""The collector: one is active, the others of its shard stand by. It may be killed at any moment.

It confirms an event to its publisher when the event is in the database, so lost events are sent again.
"""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from time import perf_counter

import aiomqtt
import structlog

from callflow.adapters.mqtt.client import CollectingClient, collecting_client
from callflow.adapters.mqtt.options import MqttOptions
from callflow.adapters.store.fleet.collecting import CollectorDatabase, Stored
from callflow.adapters.store.fleet.options import FleetOptions
from callflow.collecting.identities import Identities
from callflow.core.fleet.arrival import Announced, Arrival, announced
from callflow.core.fleet.census import Census
from callflow.core.fleet.orders import Answer, answer_of
from callflow.core.publishing.topics import Topics
from callflow.runtime.persisting import Persisting

STANDBY_S = 1.0
ORDER_AGAIN_MS = 30_000

log = structlog.get_logger()


class Collector:
    """Runs until it is cancelled."""

    def __init__(
        self, mqtt: MqttOptions, fleet: FleetOptions, database: CollectorDatabase, now_ms: Callable[[], int]
    ) -> None:
        self._mqtt = mqtt
        self._fleet = fleet
        self._database = database
        self._now_ms = now_ms
        self._tls = mqtt.tls_context()
        self._identities = Identities(fleet.max_skew_s)
        self._waiting: asyncio.Queue[Arrival | Announced | Answer] = asyncio.Queue(4 * fleet.batch_events)
        self.is_active = False
        self.census = Census()
        """Of the sites, since it became active."""
        self.commits = 0
        self.write_s = 0.0
        """Spent in transactions."""
        self.persisting = Persisting(
            "collecting has stopped and begins anew; events wait at their nodes",
            (aiomqtt.MqttError, OSError),
            "see the broker, and [mqtt] host, port, username, password and tls",
            shard=fleet.shard,
        )

    async def run(self) -> None:
        """Wait for the lock, collect, and restart after every failure; see Persisting."""
        await self.persisting.run(self._turn)

    async def _turn(self) -> None:
        try:
            if not await asyncio.to_thread(self._database.open):
                self.persisting.well("another collector is active; this one stands by")
                await asyncio.sleep(STANDBY_S)
                return
            self.persisting.opened()
            await self._collect()
        finally:
            self.is_active = False
            self.census.clear()
            await asyncio.shield(asyncio.to_thread(self._database.close))

    async def _collect(self) -> None:
        """While this one is active."""
        if read_again := await asyncio.to_thread(self._database.read_again):
            log.info("events of a newer release can be read now", events=read_again)
        self._waiting = asyncio.Queue(4 * self._fleet.batch_events)
        client_id = self._mqtt.client_id or f"callflow-collect-{self._fleet.shard}"
        async with collecting_client(self._mqtt, client_id, self._tls) as client, asyncio.TaskGroup() as tasks:
            tasks.create_task(self._receive(client))
            for site in self._fleet.sites or ("+",):
                await client.subscribe(f"callflow/v1/{site}/event/#", qos=1)
                await client.subscribe(f"callflow/v1/{site}/node", qos=1)
                await client.subscribe(f"callflow/v1/{site}/fleet/answer", qos=1)
            self.is_active = True
            self.persisting.well("collecting")
            for stored in await asyncio.to_thread(self._database.publishers):
                if not self._fleet.sites or stored.site in self._fleet.sites:
                    self.census.took(stored.site, stored.stream, stored.taken)
                    await self._confirm(client, stored)
            await self._write(client)

    async def _receive(self, client: CollectingClient) -> None:
        async for message in client.messages:
            await self._take(message)
            client.taken(message)

    async def _take(self, message: aiomqtt.Message) -> None:
        """Wait until there is room for it."""
        topic = message.topic.value
        body = bytes(message.payload).decode("utf-8", "replace") if isinstance(message.payload, bytes) else ""
        came_ms = self._now_ms()
        if topic.endswith("/node") and topic.count("/") == 3:
            said = announced(topic, body, came_ms, message.retain)
            if said is not None:
                await self._waiting.put(said)
        elif topic.endswith("/fleet/answer"):
            with suppress(ValueError):
                await self._waiting.put(answer_of(body))
        elif topic.count("/") == 5 and body:
            stream, after = _about(message)
            await self._waiting.put(Arrival(topic, body, came_ms, stream, after))

    async def _write(self, client: aiomqtt.Client) -> None:
        sent_orders_ms: int | None = None
        while True:
            now_ms = self._now_ms()
            if self._database.has_short_calls:
                await asyncio.to_thread(self._database.look, now_ms)
            if self._database.has_orders or sent_orders_ms is None or not 0 <= now_ms - sent_orders_ms < ORDER_AGAIN_MS:
                sent_orders_ms = now_ms
                await self._send_orders(client)
            try:
                async with asyncio.timeout(ORDER_AGAIN_MS / 1000):
                    taken = [await self._waiting.get()]
            except TimeoutError:
                continue
            if self._waiting.qsize() < self._fleet.batch_events:
                await asyncio.sleep(self._fleet.batch_s)
            while len(taken) < self._fleet.batch_events and not self._waiting.empty():
                taken.append(self._waiting.get_nowait())
            arrivals = [one for one in taken if isinstance(one, Arrival)]
            for said in (one for one in taken if isinstance(one, Announced)):
                for warning in self._identities.warnings(said):
                    log.warning(warning, site=said.site, node=said.node, host=said.host, version=said.version)
                self.census.announced(said)
                await asyncio.to_thread(self._database.note, said)
            for answer in (one for one in taken if isinstance(one, Answer)):
                log.info("a node has answered", order=answer.order_id, done=answer.done, why=answer.why)
                await asyncio.to_thread(self._database.answered, answer, self._now_ms())
            if arrivals:
                began_s = perf_counter()
                confirmed = await asyncio.to_thread(self._database.write, arrivals)
                self.commits, self.write_s = self.commits + 1, self.write_s + perf_counter() - began_s
                for stored in confirmed:
                    self.census.took(stored.site, stored.stream, stored.taken)
                    await self._confirm(client, stored)

    async def _send_orders(self, client: aiomqtt.Client) -> None:
        """Whatever is not answered, again and again: a node does nothing twice."""
        for site, order in await asyncio.to_thread(self._database.orders, self._fleet.sites, self._now_ms()):
            await client.publish(Topics(site).fleet_command, order.body().encode(), qos=0)

    @property
    def waiting(self) -> int:
        """Events and announcements that wait for their transaction."""
        return self._waiting.qsize()

    @property
    def unread(self) -> int:
        """Events that this release cannot store, since the start."""
        return self._database.unread

    async def _confirm(self, client: aiomqtt.Client, stored: Stored) -> None:
        """Wait for no answer of the broker: it may come behind thousands of events. A lost message is sent again."""
        told = json.dumps({"stream": stored.stream, "seq": stored.upto, "gap": stored.gap})
        await client.publish(Topics(stored.site).collected, told.encode(), qos=0)


def _about(message: aiomqtt.Message) -> tuple[str, int]:
    """The stream of an event and the number of the one before; ("", 0) of a publisher that waits for no collector."""
    about = dict(getattr(message.properties, "UserProperty", None) or [])
    with suppress(ValueError):
        return about.get("stream", ""), int(about.get("after", "0"))
    return "", 0
