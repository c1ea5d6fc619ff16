"""One connection to the broker, from `online` to its end."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from callflow.adapters.mqtt.awaiting import ANNOUNCE_S, AwaitedCollector
from callflow.adapters.mqtt.client import Client
from callflow.adapters.mqtt.options import MqttOptions
from callflow.adapters.mqtt.outgoing import Commands, Event, Outbox, RecentlyConfirmed, States
from callflow.core.documents import json_of
from callflow.core.publishing.envelope import with_seq
from callflow.core.publishing.topics import Topics
from callflow.errors import StoreError

PAGE = 200
OFFLINE_S = 1.5
DISK_RETRY_S = 1.0
MOST_COMMANDS = 50
"""Commands that are being answered; further ones are dropped."""


class Status:
    """What the status topic says of one connection. `seq` grows with each: an old will has a lower one."""

    def __init__(self, session: str, seq: int, version: str) -> None:
        self._seq = seq
        self._about = {"session": session, "seq": seq, "version": version}

    def is_older(self, payload: str) -> bool:
        """True for the status of an earlier connection, and for one that cannot be read."""
        try:
            return int(json_of(payload)["seq"]) < self._seq
        except (ValueError, KeyError, TypeError, OverflowError):
            return True

    def payload(self, state: str) -> str:
        """`state` is online or offline."""
        return json.dumps({"state": state, **self._about})


class MqttSession:
    """Sends while its client is connected; `run` ends only by an exception of aiomqtt or when it is cancelled."""

    def __init__(
        self,
        client: Client,
        topics: Topics,
        status: Status,
        outbox: Outbox,
        states: States,
        confirmed: RecentlyConfirmed,
        options: MqttOptions,
        log: Any,
        awaited: AwaitedCollector | None = None,
        commands: Sequence[Commands] = (),
    ) -> None:
        self._awaited = awaited
        self._client = client
        self._topics = topics
        self._status = status
        self._outbox = outbox
        self._birth = states.birth
        self._filters = states.filters
        self._states = states.connect()
        self._confirmed = confirmed
        self._settle_s = options.settle_s
        self._room = asyncio.Semaphore(options.in_flight)
        self._in_flight: set[tuple[str, int]] = set()
        self._commands = commands
        self._answering = 0
        self._log = log

    async def run(self) -> None:
        """Say `online`, send everything that waits, then whatever comes."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen(tasks))  # first: it notices a cut while all else waits for an answer
            await self._publish(self._topics.status, self._status.payload("online"), retain=True)
            await self._client.subscribe(self._topics.status, qos=1)
            for topics in (*self._filters, *([self._birth] if self._birth else [])):
                await self._client.subscribe(topics, qos=0)
            for commands in self._commands:
                await self._client.subscribe(commands.filter, qos=1)
            tasks.create_task(self._send_states())
            if self._awaited is not None:
                await self._client.subscribe(self._topics.collected, qos=1)
                tasks.create_task(self._announce(self._awaited))
                tasks.create_task(self._send_overdue(self._awaited))
            await self._send_events(tasks)

    async def say_offline(self) -> None:
        """A clean stop; a will would say the same, later."""
        async with asyncio.timeout(OFFLINE_S):
            await self._publish(self._topics.status, self._status.payload("offline"), retain=True)

    def give_back(self) -> None:
        """The connection has ended: what was sent and not confirmed is for the next one."""
        if self._in_flight:
            self._outbox.read_again_from(min(seq for _, seq in self._in_flight))

    # -- events -----------------------------------------------------------------------------------------------------

    async def _send_events(self, tasks: asyncio.TaskGroup) -> None:
        """In order, so many at a time as the options say; MQTT keeps the order of what one connection sends.

        After a break first come those that were confirmed just before it, once consumers have had time to reconnect.
        """
        if again := self._confirmed.again():
            await asyncio.sleep(self._settle_s)
            for event in again:
                await self._begin(event, tasks)
        while True:
            try:
                events = await self._outbox.read(PAGE)
            except StoreError as error:
                self._log.debug("the outbox cannot be read; tried again", reason=str(error))
                await asyncio.sleep(DISK_RETRY_S)
                continue
            for event in events:
                await self._begin(event, tasks)
            if not events:
                await self._outbox.news()

    async def _begin(self, event: Event, tasks: asyncio.TaskGroup) -> None:
        await self._room.acquire()
        self._in_flight.add((event.stream, event.seq))
        tasks.create_task(self._send(event))

    async def _send(self, event: Event) -> None:
        await self._publish_event(event)
        self._in_flight.discard((event.stream, event.seq))
        self._confirmed.confirmed(event)
        self._outbox.confirmed(event)
        self._room.release()

    async def _publish_event(self, event: Event) -> None:
        """For a collector with what it needs to know of the event's stream, as user properties."""
        payload = with_seq(event.body, event.seq)
        if self._awaited is None:
            await self._publish(event.topic, payload)
            return
        about = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        about.UserProperty = [("stream", event.stream), ("after", str(event.after))]
        await self._client.publish(event.topic, payload.encode(), qos=1, properties=about)
        self._awaited.sent(event)

    async def _send_overdue(self, awaited: AwaitedCollector) -> None:
        while True:
            if (event := await awaited.overdue()) is not None:
                await self._publish_event(event)

    async def _announce(self, awaited: AwaitedCollector) -> None:
        while True:
            await self._publish(self._topics.node, awaited.announcement(), retain=True)
            await asyncio.sleep(ANNOUNCE_S)

    # -- states -----------------------------------------------------------------------------------------------------

    async def _send_states(self) -> None:
        while True:
            await self._states.news()
            for topic, payload in self._states.take(PAGE):
                await self._publish(topic, payload, retain=True)

    # -- what comes in ----------------------------------------------------------------------------------------------

    async def _listen(self, tasks: asyncio.TaskGroup) -> None:
        """Also notices a cut: nothing else would, while there is nothing to send."""
        async for message in self._client.messages:
            topic = message.topic.value
            text = bytes(message.payload).decode("utf-8", "replace") if isinstance(message.payload, bytes) else ""
            if topic == self._topics.status:
                await self._defend(text)
            elif topic == self._topics.collected:
                if self._awaited is not None:
                    self._awaited.heard(text)
            elif topic == self._birth:
                if text == "online":
                    self._states.all_again()
            elif taker := next((commands for commands in self._commands if commands.takes(topic)), None):
                self._command(taker, topic, text, tasks, retained=message.retain)
            elif message.retain and text:
                self._states.seen(topic)

    def _command(self, taker: Commands, topic: str, text: str, tasks: asyncio.TaskGroup, *, retained: bool) -> None:
        """A retained command is an old one."""
        if retained or self._answering >= MOST_COMMANDS:
            self._log.warning("a command from the broker was dropped", topic=topic[:100], retained=retained)
            return
        self._answering += 1
        tasks.create_task(self._answer(taker, topic, text))

    async def _answer(self, taker: Commands, topic: str, text: str) -> None:
        try:
            await self._publish(*await taker.answer(topic, text))
        finally:
            self._answering -= 1

    async def _defend(self, text: str) -> None:
        """The will of an earlier connection came late and says that this daemon is gone."""
        if text and self._status.is_older(text):
            self._log.debug("a late will was replaced", status=text[:200])
            await self._publish(self._topics.status, self._status.payload("online"), retain=True)

    async def _publish(self, topic: str, payload: str, *, retain: bool = False) -> None:
        await self._client.publish(topic, payload.encode(), qos=1, retain=retain)
