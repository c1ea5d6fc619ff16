"""Metrics of records: each record counted once, at its end, by the metrics that its kind describes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram

from callflow.adapters.http.options import HttpOptions
from callflow.core.publishing.privacy import Pseudonymizer
from callflow.records import KINDS
from callflow.records.kind import Kinds, Named

OTHER = "other"


@dataclass(frozen=True, slots=True)
class Buckets:
    """What the buckets must have among them: a rule that asks for a missing bucket would silently get nothing."""

    ring_s: tuple[float, ...] = ()
    """L, C+L, 2C and 3C of every cadence in use."""
    wait_s: tuple[float, ...] = ()
    """The service threshold of every queue."""


class RecordMetrics:
    """Counts ended records; `kinds` describe the metrics."""

    def __init__(
        self,
        registry: CollectorRegistry,
        options: HttpOptions,
        buckets: Buckets,
        pseudonymizer: Pseudonymizer,
        kinds: Kinds = KINDS,
    ) -> None:
        self._figures = RegistryFigures(registry, options, buckets, pseudonymizer)
        self._count: dict[type[Any], Callable[[Any], None]] = {
            kind.record: kind.metrics(self._figures) for kind in kinds if kind.metrics is not None
        }

    def expect(self, queues: Iterable[str], lines: Iterable[str]) -> None:
        """Names known before anything is counted of them: their series start at 0."""
        for queue in queues:
            self._figures.label(Named.QUEUE, queue)
        for line in lines:
            self._figures.label(Named.LINE, line)

    def count(self, record: object) -> None:
        """Count one ended record."""
        if (count := self._count.get(type(record))) is not None:
            count(record)


class RegistryFigures:
    """Makes metrics in a registry; see `callflow.records.kind.Figures`."""

    def __init__(
        self, registry: CollectorRegistry, options: HttpOptions, buckets: Buckets, pseudonymizer: Pseudonymizer
    ) -> None:
        self.ring_s, self.wait_s = _positive(buckets.ring_s), _positive(buckets.wait_s)
        self._registry = registry
        self._pseudonymizer = pseudonymizer
        self._start: dict[Named, list[Callable[[str], None]]] = {named: [] for named in Named}
        self._labels = {
            named: _Labels(
                options.max_agents if named is Named.AGENT else options.max_names, partial(self._start_at_zero, named)
            )
            for named in Named
        }
        self._unresolved = self.counter("callflow_calls_unresolved", "Records with a part that nobody saw.", ["reason"])
        for reason in ("partial", "no_time_stamp", "no_end"):
            self._unresolved.labels(reason)

    def counter(self, name: str, text: str, labels: list[str]) -> Counter:
        """A counter; its name goes without _total."""
        return Counter(name, text, labels, registry=self._registry)

    def histogram(self, name: str, text: str, labels: list[str], buckets: Iterable[float]) -> Histogram:
        """A histogram; a bound that is named twice counts once, to the millisecond."""
        bounds = sorted({round(float(bound), 3) for bound in buckets})
        return Histogram(name, text, labels, buckets=bounds, registry=self._registry)

    def label(self, named: Named, name: str) -> str:
        """The label value for a name; "" becomes `none`, names beyond the bound `other`."""
        return self._labels[named](self._pseudonymizer.name(name))

    def each_new(self, named: Named, start_at_zero: Callable[[str], None]) -> None:
        """Call `start_at_zero` with every label value as soon as there is one: its series are there from then on."""
        self._start[named].append(start_at_zero)

    def unresolved(self, reason: str) -> None:
        """Count a record with a part that nobody saw."""
        self._unresolved.labels(reason).inc()

    def _start_at_zero(self, named: Named, value: str) -> None:
        for start in self._start[named]:
            start(value)


def _positive(bounds: Iterable[float]) -> tuple[float, ...]:
    return tuple(bound for bound in bounds if bound > 0)


class _Labels:
    """Up to `most` different names; every later one is `other`. `start` is called once for each."""

    def __init__(self, most: int, start: Callable[[str], None]) -> None:
        self._most = most
        self._start = start
        self._names: set[str] = set()

    def __call__(self, name: str) -> str:
        name = name or "none"
        if name in self._names:
            return name
        if len(self._names) >= self._most:
            name = OTHER
        if name not in self._names:
            self._names.add(name)
            self._start(name)
        return name
