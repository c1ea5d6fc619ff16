"""A consumer as a site would write one: it upserts by event id and revision, and never trusts to see a thing once."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from callflow.processes.ports import LOOPBACK
from tests.services.mosquitto import PASSWORD, USER


class Consumer:
    """Everything that has come, raw and after the upsert."""

    def __init__(self) -> None:
        self.arrivals: list[dict[str, Any]] = []
        self.table: dict[str, dict[str, Any]] = {}
        self.states: dict[str, str] = {}
        self.retained_events = 0

    def take(self, topic: str, payload: bytes, retained: bool) -> None:
        """One message: an event goes into the table unless it has that revision already."""
        if "/event/" not in topic:
            self.states[topic] = payload.decode()
            return
        self.retained_events += retained
        event = json.loads(payload) | {"topic": topic}
        self.arrivals.append(event)
        known = self.table.get(event["event_id"])
        if known is None or event["revision"] > known["revision"]:
            self.table[event["event_id"]] = event

    def per_call(self) -> dict[str, list[int]]:
        """By call: the seq of its events, in the order of their first arrival."""
        seen: set[tuple[str, int]] = set()
        order: dict[str, list[int]] = defaultdict(list)
        for event in self.arrivals:
            key = event["event_id"], event["revision"]
            if key not in seen:
                seen.add(key)
                order[event["call_id"]].append(event["seq"])
        return order

    def assert_exactly_once_and_in_order(self, wanted: set[str]) -> None:
        """`wanted` are event ids."""
        assert set(self.table) == wanted
        for call_id, seqs in self.per_call().items():
            assert seqs == sorted(seqs), f"events of call {call_id} came out of order"
        assert self.retained_events == 0


@asynccontextmanager
async def consuming(port: int, consumer: Consumer, session: str = "consumer") -> AsyncIterator[None]:
    """A consumer with a session that the broker keeps, that comes back whenever it can."""
    task = asyncio.create_task(_consume(port, consumer, session))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _consume(port: int, consumer: Consumer, session: str) -> None:
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = 3600
    while True:
        client = aiomqtt.Client(
            LOOPBACK,
            port,
            username=USER,
            password=PASSWORD,
            identifier=session,
            protocol=aiomqtt.ProtocolVersion.V5,
            clean_start=False,
            timeout=2,
            properties=properties,
        )
        with suppress(aiomqtt.MqttError):
            async with client:
                await client.subscribe("callflow/v1/#", qos=1)
                await client.subscribe("homeassistant/#", qos=1)
                async for message in client.messages:
                    consumer.take(message.topic.value, bytes(message.payload), message.retain)
        await asyncio.sleep(0.1)
