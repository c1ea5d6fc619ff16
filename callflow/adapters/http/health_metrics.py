"""Metrics that are read off at each scrape: the daemon's health, and queues, agents and lines as they are now."""

from bisect import bisect_left
from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate
from typing import TypeVar

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from callflow.adapters.http.record_metrics import OTHER
from callflow.adapters.http.sample import OutboxSample, Sample
from callflow.core.publishing.privacy import Pseudonymizer
from callflow.core.rings.current_states import QueueState
from callflow.core.rings.records import AgentWork

LAG_S = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
LOGGED_OFF = "logged_off"

State = TypeVar("State")

STORE_COUNTERS = {
    "commits": "Transactions written.",
    "calls": "Ended calls written.",
    "happenings": "Timeline entries written.",
    "errors": "Attempts to write that failed.",
    "dropped": "Timeline entries, events and records of what lasts given up for want of room.",
    "lost": "Records of what has ended given up for want of room.",
    "rejected": "Rows that the database would never take.",
    "missing": "Times that the database file had been deleted or moved away.",
}
STORE_GAUGES = {
    "waiting": "Things that wait to be written.",
    "failing": "1 while the last attempt to write has failed.",
}


class LagHistogram(Collector):
    """A histogram for one thread: to add to one of the library's, with its locks, took 2 % of the time of a call."""

    def __init__(self, name: str, text: str) -> None:
        self._name, self._text = name, text
        self._counts = [0] * (len(LAG_S) + 1)
        self._sum_s = 0.0

    def observe(self, lag_s: float) -> None:
        """Count one lag."""
        self._counts[bisect_left(LAG_S, lag_s)] += 1
        self._sum_s += lag_s

    def collect(self) -> Iterator[Metric]:
        """Called by the registry."""
        bounds = map(floatToGoString, (*LAG_S, float("inf")))
        buckets = list(zip(bounds, accumulate(self._counts), strict=True))
        yield HistogramMetricFamily(self._name, self._text, buckets, self._sum_s)


class Lags:
    """How late AMI events arrive and timers run."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.ami_event = LagHistogram(
            "callflow_ami_event_lag_seconds", "From Asterisk's time stamp of an event to its arrival."
        )
        self.loop = LagHistogram("callflow_loop_lag_seconds", "How late the event loop ran a timer.")
        registry.register(self.ami_event)
        registry.register(self.loop)


class HealthCollector(Collector):
    """Turns the newest sample into metrics; nothing before there is one."""

    def __init__(self, version: str, node: str, pseudonymizer: Pseudonymizer, max_names: int) -> None:
        self._info = {"version": version, "node": node}
        self._pseudonymizer = pseudonymizer
        self._max_names = max_names
        self.sample: Sample | None = None
        self.tasks = 0

    def collect(self) -> Iterator[Metric]:
        """Called by the registry."""
        yield InfoMetricFamily("callflow_build", "Version and name of this daemon.", self._info)
        sample = self.sample
        if sample is None:
            return
        yield _gauge("callflow_ami_connected", "1 while both AMI connections stand.", sample.ami_connected)
        yield _gauge("callflow_ear_proven", "1 when sound has been heard over this AMI link.", sample.ear_proven)
        yield _gauge("callflow_calls_live", "Calls being screened or observed.", sample.calls_live)
        yield _gauge("callflow_agi_sessions", "FastAGI connections open.", sample.agi_sessions)
        yield _gauge("callflow_taps", "Callers whose audio is listened to.", sample.taps)
        yield _gauge("callflow_tasks", "Tasks of the event loop that have not ended.", self.tasks)
        yield _callbacks(sample)
        yield _gauge("callflow_cases_open", "Cases that are open.", sample.cases.get("open", 0))
        yield _gauge("callflow_cases_overdue", "Open cases whose news is late.", sample.cases.get("overdue", 0))
        yield _counted(sample)
        yield from _store(sample)
        if sample.mqtt_connected is not None:
            yield _gauge("callflow_mqtt_connected", "1 while the broker is connected.", sample.mqtt_connected)
        if sample.outbox is not None:
            yield from _outbox(sample.outbox)
        yield from self._queues(sample)
        yield self._agents(sample)
        yield from self._lines(sample)

    # -- now --------------------------------------------------------------------------------------------------------

    def _queues(self, sample: Sample) -> Iterator[Metric]:
        callers = GaugeMetricFamily("callflow_queue_callers", "Callers waiting in a queue.", labels=["queue"])
        oldest = GaugeMetricFamily(
            "callflow_queue_oldest_wait_seconds", "How long the first of them has waited.", labels=["queue"]
        )
        members = GaugeMetricFamily(
            "callflow_queue_members", "Members of a queue, by what they do.", labels=["queue", "state"]
        )
        for name, states in self._capped(sample.queues, lambda queue: queue.queue):
            callers.add_metric([name], sum(queue.waiting for queue in states))
            oldest.add_metric([name], max(_oldest_s(queue, sample.now_ms) for queue in states))
            for work in AgentWork:
                members.add_metric([name, work.value], sum(queue.members.get(work, 0) for queue in states))
        yield from (callers, oldest, members)

    def _agents(self, sample: Sample) -> Metric:
        """By state, not by agent: MQTT has the state of each agent."""
        agents = GaugeMetricFamily("callflow_agents", "Agents, by what they do.", labels=["state"])
        tally = Tally(LOGGED_OFF if agent.work is None else agent.work.value for agent in sample.agents)
        for state in (*(work.value for work in AgentWork), LOGGED_OFF):
            agents.add_metric([state], tally[state])
        return agents

    def _lines(self, sample: Sample) -> Iterator[Metric]:
        ringing = GaugeMetricFamily("callflow_line_ringing", "Calls ringing at a direct line.", labels=["line"])
        talking = GaugeMetricFamily("callflow_line_talking", "Calls talking on a direct line.", labels=["line"])
        for name, states in self._capped(sample.lines, lambda line: line.line):
            ringing.add_metric([name], sum(line.ringing for line in states))
            talking.add_metric([name], sum(line.talking for line in states))
        yield from (ringing, talking)

    def _capped(self, states: Iterable[State], name_of: Callable[[State], str]) -> Iterator[tuple[str, list[State]]]:
        """States by shown name; those beyond the bound share `other`."""
        by_name: dict[str, list[State]] = {}
        for state in states:
            name = self._pseudonymizer.name(name_of(state))
            known = name in by_name or len(by_name) < self._max_names
            by_name.setdefault(name if known else OTHER, []).append(state)
        yield from by_name.items()


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=float(value))


def _oldest_s(queue: QueueState, now_ms: int) -> float:
    return 0.0 if queue.oldest_joined_ms is None else max(0.0, (now_ms - queue.oldest_joined_ms) / 1000)


def _callbacks(sample: Sample) -> Metric:
    live = GaugeMetricFamily("callflow_callbacks_live", "Call-backs that are not settled, by state.", labels=["state"])
    for state, number in sample.callbacks.items():
        live.add_metric([state], number)
    return live


def _counted(sample: Sample) -> Metric:
    """What each part of the daemon counts: connections, refusals, events that fitted nowhere."""
    counted = CounterMetricFamily(
        "callflow_happenings", "What the parts of the daemon count of themselves.", labels=["part", "what"]
    )
    for part, counts in sample.counts.items():
        for what, number in counts.items():
            counted.add_metric([part, what], number)
    return counted


def _store(sample: Sample) -> Iterator[Metric]:
    for name, text in STORE_COUNTERS.items():
        yield CounterMetricFamily(f"callflow_store_{name}", text, value=sample.store.get(name, 0))
    for name, text in STORE_GAUGES.items():
        yield _gauge(f"callflow_store_{name}", text, sample.store.get(name, 0))


def _outbox(outbox: OutboxSample) -> Iterator[Metric]:
    """The time stamp is 0 when nothing waits: rules ask for the depth beside it."""
    yield _gauge("callflow_outbox_depth", "Events that wait for the broker.", outbox.depth)
    yield _gauge(
        "callflow_outbox_oldest_timestamp_seconds",
        "When the oldest waiting event was saved; 0 when none waits.",
        (outbox.oldest_ms or 0) / 1000,
    )
    yield CounterMetricFamily("callflow_outbox_dropped", "Events given up for age or room.", value=outbox.dropped)
    yield CounterMetricFamily("callflow_outbox_sent", "Events that the broker has confirmed.", value=outbox.sent)
