"""Puts webhooks together: an outbox and a sender for each receiver, their upkeep and their metrics."""

import asyncio
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import structlog
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from callflow.adapters.store.outbox import Bounds, Outbox
from callflow.adapters.store.store import Store
from callflow.adapters.webhooks.options import WebhookOptions
from callflow.core.publishing.envelope import Envelope
from callflow.core.publishing.topics import event_name
from callflow.errors import StoreError
from callflow.settings.model import Settings

if TYPE_CHECKING:
    from callflow.adapters.webhooks.sender import WebhookSender

TIDY_S = 5.0
FOR_COLLECTOR = {"call.interval"}
"""Events that are no news to anybody else."""
PREFIX = "webhook:"
"""A webhook's destination in the outbox is this and its name."""

log = structlog.get_logger()


class Webhooks(Collector):
    """All receivers of the settings; none of them delays another, or a call."""

    def __init__(self, settings: Settings, store: Store, now_ms: Callable[[], int]) -> None:
        self.outboxes: list[Outbox] = []
        self._senders: list[WebhookSender] = []
        self._tidying: asyncio.Task[None] | None = None
        if settings.webhooks:
            from callflow.adapters.webhooks.sender import WebhookSender as Sender  # its HTTP client takes memory
        for name, options in settings.webhooks.items():
            outbox = _outbox(settings, store, now_ms, name, options)
            self.outboxes.append(outbox)
            self._senders.append(Sender(name, options, outbox))

    def start(self) -> None:
        """Begin to send; returns at once."""
        for sender in self._senders:
            sender.start()
        if self._senders:
            self._tidying = asyncio.create_task(self._keep_tidy(), name="webhooks")

    async def stop(self) -> None:
        """End; what was not confirmed is sent after the next start."""
        if self._tidying is not None:
            self._tidying.cancel()
        for sender in self._senders:
            await sender.stop()

    def collect(self) -> Iterator[Metric]:
        """Called by the registry."""
        waiting = GaugeMetricFamily("callflow_webhook_waiting", "Events that wait for a receiver.", labels=["webhook"])
        refused = GaugeMetricFamily("callflow_webhook_refused", "Events put aside for a person.", labels=["webhook"])
        dropped = CounterMetricFamily(
            "callflow_webhook_dropped", "Events given up for age or room.", labels=["webhook"]
        )
        attempts = CounterMetricFamily(
            "callflow_webhook_attempts", "Attempts to deliver an event, by result.", labels=["webhook", "result"]
        )
        for sender, outbox in zip(self._senders, self.outboxes, strict=True):
            waiting.add_metric([sender.name], outbox.depth)
            refused.add_metric([sender.name], outbox.refused)
            dropped.add_metric([sender.name], outbox.dropped)
            for result in ("delivered", "refused", "failed", "away"):
                attempts.add_metric([sender.name, result], sender.attempts[result])
        yield from (waiting, refused, dropped, attempts)

    async def _keep_tidy(self) -> None:
        while True:
            for outbox in self.outboxes:
                try:
                    await outbox.tidy()
                except StoreError as error:
                    log.debug("an outbox cannot be measured; tried again", reason=str(error))
            await asyncio.sleep(TIDY_S)


def _outbox(settings: Settings, store: Store, now_ms: Callable[[], int], name: str, options: WebhookOptions) -> Outbox:
    def wants(envelope: Envelope) -> bool:
        name = event_name(envelope.topic)
        return name not in FOR_COLLECTOR and options.wants(name)

    bounds = Bounds(options.max_events, int(3_600_000 * options.max_age_h))
    return Outbox(store, settings.store.path, settings.node.name, bounds, now_ms, PREFIX + name, wants)
