"""Puts MQTT together: events and alerts from the outbox, states from the board, agents' requests and answers."""

import asyncio
from collections.abc import Callable, Mapping

import structlog

from callflow import __version__
from callflow.adapters.http.sample import Sample
from callflow.adapters.mqtt.awaiting import AwaitedCollector
from callflow.adapters.mqtt.link import MqttLink
from callflow.adapters.mqtt.outgoing import Commands
from callflow.adapters.store.outbox import Bounds, Outbox
from callflow.adapters.store.store import Store
from callflow.core.assist.actions import AgentActions
from callflow.core.publishing.discovery import Discovery
from callflow.core.publishing.privacy import Pseudonymizer
from callflow.core.publishing.states import State, StateKey
from callflow.core.publishing.topics import Topics
from callflow.core.publishing.window import Windows
from callflow.core.rings.records import Stay
from callflow.core.service.targets import Targets
from callflow.errors import StoreError
from callflow.publishing.agent_commands import AgentCommands
from callflow.publishing.announcement import announcement
from callflow.publishing.fleet_commands import FleetCommands, ObeysFleet
from callflow.publishing.live_states import LiveStates, RetainedStates
from callflow.settings.model import Settings

TIDY_S = 5.0

log = structlog.get_logger()


class MqttPublishing:
    """Exists only if [mqtt] is enabled."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        targets: Targets,
        pseudonymizer: Pseudonymizer,
        read_off: Callable[[], Sample],
        now_ms: Callable[[], int],
        topics: Topics,
        more_states: Callable[[], Mapping[StateKey, State]],
        agent_actions: Callable[[], AgentActions | None],
        fleet_orders: Callable[[], ObeysFleet | None],
    ) -> None:
        mqtt = settings.mqtt
        self._tidying: asyncio.Task[None] | None = None
        node = settings.node.name
        self._windows = Windows(1000 * mqtt.window_s, targets)
        bounds = Bounds(mqtt.outbox_max_events, int(3_600_000 * mqtt.outbox_max_age_h))
        self.outbox = Outbox(store, settings.store.path, node, bounds, now_ms, awaits_collector=mqtt.await_collector)
        awaited = None
        if mqtt.await_collector:
            said = announcement(settings, now_ms)
            awaited = AwaitedCollector(self.outbox, now_ms, mqtt.collector_timeout_s, said, log)
        prefix = mqtt.home_assistant_prefix if mqtt.home_assistant else ""
        discovery = Discovery(topics, prefix, __version__) if prefix else None
        self.live = LiveStates(pseudonymizer, read_off, self._windows.by_queue, now_ms, more_states)
        states = RetainedStates(self.live, topics, discovery)
        commands: list[Commands] = [AgentCommands(topics, agent_actions)] if mqtt.commands else []
        if mqtt.await_collector:
            commands.append(FleetCommands(topics, fleet_orders))
        self.link = MqttLink(mqtt, topics, __version__, self.outbox, states, now_ms, log, awaited, commands)

    def start(self) -> None:
        """Begin to send; returns at once."""
        self.link.start()
        self.live.start()
        self._tidying = asyncio.create_task(self._keep_tidy(), name="outbox")

    async def stop(self) -> None:
        """Say `offline` to the broker and disconnect."""
        if self._tidying is not None:
            self._tidying.cancel()
        self.live.stop()
        await self.link.stop()

    def count(self, record: object, final: bool) -> None:
        """Count a record in the windows of the states."""
        if final or isinstance(record, Stay):
            self._windows.receive(record)

    async def _keep_tidy(self) -> None:
        while True:
            try:
                await self.outbox.tidy()
            except StoreError as error:
                log.debug("the outbox cannot be measured; tried again", reason=str(error))
            await asyncio.sleep(TIDY_S)
