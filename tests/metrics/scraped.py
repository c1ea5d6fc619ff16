"""A daemon's web side fed with records, and what a scrape of it says."""

import subprocess
from dataclasses import replace

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from callflow.adapters.http.health_metrics import HealthCollector, Lags
from callflow.adapters.http.options import HttpOptions
from callflow.adapters.http.record_metrics import Buckets, RecordMetrics
from callflow.adapters.http.sample import OutboxSample, Sample
from callflow.core.rings.current_states import AgentState, LineState, QueueState
from callflow.core.rings.records import AgentWork
from callflow.records.kind import Record
from tests.publishing import samples
from tests.services.programs import program

CADENCE_S = (1.0, 6.0, 10.0, 15.0)
"""L, C+L, 2C and 3C of 1 s sound and 4 s silence."""
STORE = ("commits", "calls", "happenings", "errors", "dropped", "lost", "rejected", "missing", "waiting", "failing")


def sample_at(now_ms: int = samples.T0) -> Sample:
    """A busy, healthy daemon."""
    members = {AgentWork.AVAILABLE: 1, AgentWork.TALKING: 2}
    return Sample(
        now_ms=now_ms,
        ami_connected=True,
        ear_proven=True,
        calls_live=4,
        agi_sessions=4,
        counts={"agi_refused": {"too many calls": 2}, "core": {"PromptFinished": 1}},
        store=dict.fromkeys(STORE, 0),
        mqtt_connected=True,
        outbox=OutboxSample(depth=3, oldest_ms=now_ms - 4_000, dropped=0, sent=120),
        queues=[QueueState("support", now_ms, 3, now_ms - 42_000, members), QueueState("sales", now_ms, 0, None)],
        agents=[AgentState("1007", now_ms, AgentWork.TALKING, now_ms), AgentState("1008", now_ms, None, now_ms)],
        lines=[LineState("1001", now_ms, 1, 2)],
    )


class Web:
    """The metrics of a daemon without its calls."""

    def __init__(self, buckets: Buckets | None = None, **caps: int) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        options = HttpOptions.model_validate(caps)
        chosen = buckets or Buckets(ring_s=CADENCE_S, wait_s=(20.0, 5.0))
        self.calls = RecordMetrics(self.registry, options, chosen, samples.HIDDEN)
        self.lags = Lags(self.registry)
        self.collector = HealthCollector("0.1.0", "main", samples.HIDDEN, options.max_names)
        self.collector.sample = sample_at()
        self.registry.register(self.collector)

    def count(self, *records: Record) -> "Web":
        """Count each."""
        for record in records:
            self.calls.count(record)
        return self

    def text(self) -> str:
        """What Prometheus would be given."""
        return generate_latest(self.registry).decode()

    def value(self, name: str, **labels: str) -> float | None:
        """One sample; None when there is no such series."""
        return self.registry.get_sample_value(name, labels)

    def series(self, family: str) -> int:
        """How many series a family has."""
        return sum(len(found.samples) for found in text_string_to_metric_families(self.text()) if found.name == family)


def promtool(*arguments: str, given: str | None = None) -> str:
    """Run promtool; raises AssertionError with what it said."""
    done = subprocess.run([program("promtool"), *arguments], input=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def moved(record: Record, **changes: object) -> Record:
    """The same record with other values."""
    return replace(record, **changes)
