"""Composes all output of the daemon: metrics over HTTP, events, states and alerts over MQTT.

None of it may delay a call: each part has its own tasks, is bounded, and fails by itself.
"""

import secrets
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import structlog
from prometheus_client import CollectorRegistry, ProcessCollector, disable_created_metrics

from callflow import __version__
from callflow.adapters.http.daemon_health import DaemonHealth
from callflow.adapters.http.health_metrics import HealthCollector, Lags
from callflow.adapters.http.record_metrics import Buckets, RecordMetrics
from callflow.adapters.http.sample import OutboxSample, Sample
from callflow.adapters.http.server import metrics_listener
from callflow.adapters.store.store import Store
from callflow.core.assist.actions import AgentActions
from callflow.core.publishing.privacy import Pseudonymizer
from callflow.core.publishing.states import State, StateKey
from callflow.core.publishing.topics import Topics
from callflow.core.rings.names import safe_name
from callflow.core.service.targets import Targets
from callflow.privacy import load_key
from callflow.publishing.agents_today import AgentsToday
from callflow.publishing.announcements import Announcements
from callflow.publishing.assist_now import AssistNow
from callflow.publishing.calls_now import CallsNow
from callflow.publishing.fleet_commands import ObeysFleet
from callflow.publishing.mqtt import MqttPublishing
from callflow.publishing.page import Page
from callflow.publishing.recording import Recording
from callflow.publishing.standing import StandardsWatch
from callflow.publishing.webhooks import Webhooks
from callflow.records import KINDS
from callflow.records.kind import Kinds
from callflow.runtime.loop_lag import LoopLag
from callflow.settings.model import Settings
from callflow.web.state import live_state

log = structlog.get_logger()


class Publishing:
    """Call `start` once `recording` is open. `read_off`: how the daemon is now."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        read_off: Callable[[], Sample],
        now_ms: Callable[[], int],
        kinds: Kinds = KINDS,
    ) -> None:
        self._read_off = read_off
        self.agent_actions: AgentActions | None = None
        """Where agents' requests go; None while there is no such place."""
        self.fleet_orders: ObeysFleet | None = None
        """Where orders of a fleet's collector go; None while there is no such place."""
        self.settings = settings
        """Those in force, as the page shows them."""
        pseudonymizer, targets = pseudonymizer_of(settings), settings.targets()
        self.pseudonymizer = pseudonymizer
        http = settings.http
        disable_created_metrics()  # type: ignore[no-untyped-call]  # they would be a third of the page, and say when this daemon started
        registry = self.registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        buckets = Buckets(settings.rings.thresholds_s(), wait_bounds_s(targets))
        self._records = RecordMetrics(registry, http, buckets, pseudonymizer, kinds)
        self._records.expect(*named_in(settings))
        self._lags = Lags(registry)
        collector = HealthCollector(__version__, settings.node.name, pseudonymizer, http.max_names)
        registry.register(collector)
        self.standards = StandardsWatch(settings.standards, settings.store.path, targets, now_ms)
        registry.register(self.standards)
        self.loop_lag = LoopLag(self._lags.loop.observe)
        self._http = metrics_listener(http, registry, DaemonHealth(http, collector, self.sample), log)
        self._serves = http.enabled
        calls_now, assist_now = CallsNow(), AssistNow()
        page = self._page = (
            Page(
                settings,
                now_ms,
                lambda: live_state(self.sample(), calls_now.all(), assist_now.of, self._today.figures),
                lambda: self.settings,
                lambda: self.agent_actions,
            )
            if settings.web.enabled
            else None
        )
        topics = Topics(settings.mqtt.site or settings.node.name)
        announcements = Announcements(settings, topics, targets, pseudonymizer, kinds)
        self.webhooks = Webhooks(settings, store, now_ms)
        registry.register(self.webhooks)
        node, path = settings.node.name, settings.store.path
        today = self._today = AgentsToday(path, node, targets, pseudonymizer, now_ms)
        mqtt = self.mqtt = (
            MqttPublishing(
                settings,
                store,
                targets,
                pseudonymizer,
                read_off,
                now_ms,
                topics,
                self._more_states,
                lambda: self.agent_actions,
                lambda: self.fleet_orders,
            )
            if settings.mqtt.enabled
            else None
        )
        self.recording = Recording(
            store,
            [self._count, *([mqtt.count] if mqtt else [])],
            [announcements.event_of, announcements.alerts_of],
            [*([mqtt.outbox] if mqtt else []), *self.webhooks.outboxes],
        )
        self._counts_today = mqtt is not None or page is not None
        if self._counts_today:
            self.recording.follow(today.follow)
        if page is not None:  # nobody else reads them
            self.recording.follow(calls_now.follow)
            self.recording.follow(assist_now.follow)
            self.recording.follow_timeline(calls_now.follow_timeline)

    def start(self) -> None:
        """Begin to serve metrics and to send; returns at once."""
        self.loop_lag.start()
        self.standards.start()
        if self._serves:
            self._http.start()
        if self._counts_today:
            self._today.start()
        if self.mqtt is not None:
            self.mqtt.start()
        self.webhooks.start()

    async def start_page(self) -> None:
        """Begin to serve the page, if it is on."""
        if self._page is not None:
            await self._page.start()

    async def stop(self) -> None:
        """Disconnect from the broker; what it has not confirmed is sent after the next start."""
        self.loop_lag.stop()
        self.standards.stop()
        self._today.stop()
        if self.mqtt is not None:
            await self.mqtt.stop()
        await self.webhooks.stop()
        if self._page is not None:
            await self._page.stop()
        await self._http.stop()

    def ami_event(self, stamped_ms: int | None, now_ms: int) -> None:
        """An AMI event has come; Asterisk's clock may be ahead of ours."""
        if stamped_ms is not None:
            self._lags.ami_event.observe(max(0, now_ms - stamped_ms) / 1000)

    def sample(self) -> Sample:
        """How the daemon is now, and how its publishing is."""
        sample = replace(self._read_off(), loop_lag_s=self.loop_lag.worst_s)
        self._records.expect((queue.queue for queue in sample.queues), (line.line for line in sample.lines))
        counts = {**sample.counts, "recording": self.recording.failures}
        if self.mqtt is None:
            return replace(sample, counts=counts)
        outbox = self.mqtt.outbox
        waiting = OutboxSample(outbox.depth, outbox.oldest_ms, outbox.dropped, outbox.sent)
        counts["mqtt"] = {**self.mqtt.link.counts, "unfit_names": self.mqtt.live.unfit}
        counts["live_states"] = self.mqtt.live.failures
        return replace(sample, mqtt_connected=self.mqtt.link.connected, outbox=waiting, counts=counts)

    def _more_states(self) -> dict[StateKey, State]:
        """Live states that are counted from the database."""
        return {**self.standards.states(), **self._today.states()}

    def _count(self, record: object, final: bool) -> None:
        if final:
            self._records.count(record)


def pseudonymizer_of(settings: Settings) -> Pseudonymizer:
    """Hides numbers with the key of the settings, or one made and kept; if it cannot be kept, it lasts for this run."""
    privacy = settings.privacy
    if given := privacy.key.get_secret_value():
        return Pseudonymizer(given.encode(), privacy)
    try:
        key = load_key(key_file(settings))
    except (OSError, ValueError) as error:
        log.warning(
            "no key for hashing numbers could be kept; hashes change with every start",
            reason=str(error),
            remedy="set [privacy] key or key_file",
        )
        key = secrets.token_bytes(32)
    return Pseudonymizer(key, privacy)


def key_file(settings: Settings) -> Path:
    """Where the key that callflow makes is kept."""
    chosen = settings.privacy.key_file
    return Path(chosen) if chosen else settings.store.path.with_name("privacy.key")


def named_in(settings: Settings) -> tuple[set[str], set[str]]:
    """Queues and direct lines that the settings name, as records have them."""
    queues = {*settings.targets().queues, *map(safe_name, settings.rings.queue_cadences)} - {"default"}
    return queues, set(map(safe_name, settings.rings.lines))


def wait_bounds_s(targets: Targets) -> tuple[float, ...]:
    """The thresholds and short-abandon times of all queues, seconds."""
    return tuple(float(at) for t in targets.queues.values() for at in (t.threshold_s, t.short_abandon_s))
