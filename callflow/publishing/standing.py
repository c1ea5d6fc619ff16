"""Judges the service standards again and again while the daemon runs, for metrics and live states."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import structlog
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from callflow.adapters.store.queries import Reader
from callflow.adapters.store.standing import DAY_MS, Standing, standing
from callflow.core.publishing.envelope import utc
from callflow.core.publishing.states import State, StateKey
from callflow.core.publishing.topics import is_fit
from callflow.core.service.standards import Judged
from callflow.core.service.targets import Targets
from callflow.errors import CallflowError
from callflow.settings.standards import StandardsOptions, read_standards

FIGURES = {
    "perceived": "What callers got, in the unit of the measure.",
    "adequate": "The adequate level of a service standard.",
    "desired": "The desired level of a service standard.",
    "msa": "Perceived - adequate; above zero is good.",
    "mss": "Perceived - desired; above zero is good.",
    "cases": "Cases that a standard was judged by.",
}

log = structlog.get_logger()


class StandardsWatch(Collector):
    """Reads its file at every turn, so that an edit counts without a restart; without a file it does nothing."""

    def __init__(self, options: StandardsOptions, database: Path, targets: Targets, now_ms: Callable[[], int]) -> None:
        self._options = options
        self._database = database
        self._targets = targets
        self._now_ms = now_ms
        self._task: asyncio.Task[None] | None = None
        self._problem = ""
        self._unfit: set[str] = set()
        """Names that cannot be part of a topic; no state is published for them."""
        self.stands: Standing | None = None

    def start(self) -> None:
        """Begin to judge; returns at once."""
        self._task = asyncio.create_task(self._keep_judging(), name="standards")

    def stop(self) -> None:
        """Judge no more."""
        if self._task is not None:
            self._task.cancel()

    def states(self) -> dict[StateKey, State]:
        """The live state of every standard whose name can be part of a topic."""
        stands, made = self.stands, dict[StateKey, State]()
        if stands is None:
            return made
        for one in stands.judged:
            name = one.standard.name
            if is_fit(name):
                made[StateKey("standard", name)] = State(stands.end_ms, standard_state(one, stands))
            elif name not in self._unfit:
                self._unfit.add(name)
                remedy = "shorten it to 128 bytes, which are 42 Chinese characters"
                log.warning("a name cannot be part of a topic; no state is published for it", name=name, remedy=remedy)
        return made

    def collect(self) -> Iterator[Metric]:
        """Called by the registry; a figure without enough cases has no sample."""
        judged = self.stands.judged if self.stands else ()
        for name, text in FIGURES.items():
            family = GaugeMetricFamily(f"callflow_standard_{name}", text, labels=["standard"])
            for one in judged:
                if (value := standard_state(one)[name]) is not None:
                    family.add_metric([one.standard.name], value)
            yield family

    async def _keep_judging(self) -> None:
        while True:
            try:
                self.stands = await asyncio.to_thread(self.judge)
                self._problem = ""
            except CallflowError as error:
                if str(error) != self._problem:
                    log.warning("the service standards cannot be judged", reason=error.problem, remedy=error.remedy)
                self._problem = str(error)
            await asyncio.sleep(self._options.refresh_s)

    def judge(self) -> Standing | None:
        """The standards over the last days; None without a file. Blocks; raises CallflowError."""
        path = self._options.find()
        if path is None:
            return None
        standards, now_ms = read_standards(path), self._now_ms()
        with Reader(self._database) as reader:
            return standing(reader, standards, self._targets, now_ms - self._options.days * DAY_MS, now_ms, now_ms)


def standard_state(one: Judged, stands: Standing | None = None) -> dict[str, Any]:
    """One standard as it is published."""
    standard = one.standard
    return {
        "from": None if stands is None else utc(stands.start_ms),
        "measure": standard.measure,
        "unit": standard.taken.unit.value,
        "perceived": one.perceived,
        "cases": one.cases,
        "adequate": standard.adequate,
        "desired": standard.desired,
        "msa": one.msa,
        "mss": one.mss,
        "judgement": one.light.value,
        "words": one.words,
        "trend": one.trend.value,
        "owner": standard.owner,
        "reviewed": standard.reviewed.isoformat() if standard.reviewed else None,
        "review_overdue": one.overdue,
    }
