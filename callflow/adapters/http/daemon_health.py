"""The daemon's health for its web server, judged from a new sample at every request."""

import asyncio
from collections.abc import Callable

from callflow.adapters.http.health_metrics import HealthCollector
from callflow.adapters.http.options import HttpOptions
from callflow.adapters.http.sample import Sample, Verdict, alive, ready


class DaemonHealth:
    """`sample`: how the daemon is now."""

    def __init__(self, options: HttpOptions, collector: HealthCollector, sample: Callable[[], Sample]) -> None:
        self._options = options
        self._collector = collector
        self._sample = sample

    def before_scrape(self) -> None:
        """Give the newest sample to the metrics."""
        self._collector.sample = self._sample()
        self._collector.tasks = len(asyncio.all_tasks())

    def alive(self) -> Verdict:
        """The event loop runs, and in time."""
        return alive(self._sample(), self._options)

    def ready(self) -> Verdict:
        """Callers are screened, and what becomes of them is saved and published."""
        return ready(self._sample(), self._options)
