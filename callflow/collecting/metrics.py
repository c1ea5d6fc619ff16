"""The collector's web server: metrics of itself and of every site, alive, ready."""

from collections.abc import Callable, Iterator

import structlog
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector as MetricsOf

from callflow import __version__
from callflow.adapters.http.listener import Listener
from callflow.adapters.http.options import HttpOptions
from callflow.adapters.http.sample import Verdict
from callflow.adapters.http.server import metrics_listener
from callflow.collecting.collector import Collector
from callflow.core.fleet.census import Census

PREFIX = "callflow_collector"

log = structlog.get_logger()


def metrics_server(options: HttpOptions, collector: Collector, shard: str, now_ms: Callable[[], int]) -> Listener:
    """Serves /metrics, /healthz and /readyz once it is started."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    health = CollectorHealth(collector, shard, now_ms)
    registry.register(health)
    return metrics_listener(options, registry, health, log)


class CollectorHealth(MetricsOf):
    """A standby has no figures of sites; the active collector has them."""

    def __init__(self, collector: Collector, shard: str, now_ms: Callable[[], int]) -> None:
        self._collector = collector
        self._shard = shard
        self._now_ms = now_ms
        self._read: list[Metric] = []

    def alive(self) -> Verdict:
        """It answers, so its loop runs."""
        return Verdict(True, {"alive": True})

    def ready(self) -> Verdict:
        """It collects, or stands by."""
        trouble = self._collector.persisting.trouble
        role = "failing" if trouble else "active" if self._collector.is_active else "standby"
        return Verdict(not trouble, {"ready": not trouble, "role": role, "reason": trouble or None})

    def before_scrape(self) -> None:
        """Read everything off in the loop, where it changes."""
        self._read = [*self._own(), *(_of_sites(self._collector.census, self._now_ms()))]

    def collect(self) -> Iterator[Metric]:
        """Called by the registry."""
        yield from self._read

    def _own(self) -> Iterator[Metric]:
        one = self._collector
        yield InfoMetricFamily(
            f"{PREFIX}_build", "Version and share of this collector.", {"version": __version__, "shard": self._shard}
        )
        active = GaugeMetricFamily(
            f"{PREFIX}_active", "1 while this collector collects, 0 while it stands by or fails.", labels=["shard"]
        )
        active.add_metric([self._shard], one.is_active)
        yield active
        yield GaugeMetricFamily(
            f"{PREFIX}_failing", "1 while it can neither collect nor stand by.", bool(one.persisting.trouble)
        )
        yield GaugeMetricFamily(f"{PREFIX}_waiting", "Events that wait for their transaction.", one.waiting)
        yield CounterMetricFamily(f"{PREFIX}_commits", "Transactions with events.", one.commits)
        yield CounterMetricFamily(f"{PREFIX}_write_seconds", "Time spent in these transactions.", one.write_s)
        yield CounterMetricFamily(
            f"{PREFIX}_failures", "Times that collecting has failed and restarted.", one.persisting.failures
        )
        yield CounterMetricFamily(f"{PREFIX}_unread", "Events that this release cannot store.", one.unread)


def _of_sites(census: Census, now_ms: int) -> Iterator[Metric]:
    sites = sorted(census.sites.items())
    counted = {
        "events": "Events that were stored, repeated ones too.",
        "repeated": "Events that came again and were stored already.",
        "gaps": "Events that came before an earlier one, which is then sent again.",
    }
    for name, text in counted.items():
        counter = CounterMetricFamily(f"{PREFIX}_{name}", text, labels=["site"])
        for site, known in sites:
            counter.add_metric([site], getattr(known, name))
        yield counter
    differs = census.differing()
    read = {
        "behind": ("Event numbers between the watermark and the newest event: something is missing.", "behind", 1),
        "watermark_timestamp_seconds": ("When the watermark last moved.", "advanced_ms", 1000),
        "heard_timestamp_seconds": ("When the node was last heard.", "heard_ms", 1000),
        "lag_seconds": ("From the newest event to its arrival.", "lag_ms", 1000),
        "clock_skew_seconds": ("How far the node's clock is ahead of the collector's.", "skew_ms", 1000),
    }
    for name, (text, figure, divisor) in read.items():
        gauge = GaugeMetricFamily(f"{PREFIX}_{name}", text, labels=["site"])
        for site, known in sites:
            value = getattr(known, figure)
            if value is not None and (value or not name.endswith("timestamp_seconds")):
                gauge.add_metric([site], value / divisor)
        yield gauge
    differ = GaugeMetricFamily(
        f"{PREFIX}_settings_differ", "Sections of the settings that differ from those of most nodes.", labels=["site"]
    )
    about = InfoMetricFamily(f"{PREFIX}_node", "Who publishes for a site.", labels=["site"])
    for site, known in sites:
        differ.add_metric([site], len(differs[site]))
        about.add_metric([site], {"node": known.node, "host": known.host, "version": known.version})
    silent = census.silent(now_ms)
    nodes = GaugeMetricFamily(f"{PREFIX}_nodes", "Nodes that are heard, or were not for two minutes.", labels=["state"])
    nodes.add_metric(["heard"], len(sites) - silent)
    nodes.add_metric(["silent"], silent)
    yield from (differ, about, nodes)
