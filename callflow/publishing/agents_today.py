"""Each agent's figures of today, live: rings, talks, holds, wrap-ups, ratings and time; counted when a record came."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog

from callflow.adapters.store.agent_figures import agent_figures
from callflow.adapters.store.queries import Reader
from callflow.commands.report_period import named_period
from callflow.core.publishing.privacy import Pseudonymizer
from callflow.core.publishing.states import State, StateKey
from callflow.core.publishing.topics import UnfitId, topic_id
from callflow.core.rating.states import Scale
from callflow.core.service.evaluation import AgentFigures
from callflow.core.service.tallies import AgentTime, Ratings, Rings, WrapUps
from callflow.core.service.targets import Targets
from callflow.errors import CallflowError

PERIOD_S = 5.0
SHARE = 20
"""The next count begins this many times the length of the last one later, if that is longer than the period."""
LATE_S = 15.0
"""A record is on the disk so long after it is told, at the latest, unless the disk refuses."""

log = structlog.get_logger()


class AgentsToday:
    """Give it every record by `follow`; agents with records of today have figures."""

    def __init__(
        self,
        database: Path,
        node: str,
        targets: Targets,
        pseudonymizer: Pseudonymizer,
        now_ms: Callable[[], int],
    ) -> None:
        self._database, self._node, self._targets = database, node, targets
        self._pseudonymizer = pseudonymizer
        self._now_ms = now_ms
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._problem = ""
        self._states: dict[StateKey, State] = {}
        self.figures: dict[str, dict[str, Any]] = {}
        """As the last count has them, by work number."""

    def start(self) -> None:
        """Begin to count; returns at once."""
        self._task = asyncio.create_task(self._keep_counting(), name="agents' figures of today")

    def stop(self) -> None:
        """Count no more."""
        if self._task is not None:
            self._task.cancel()

    def follow(self, record: object, final: bool) -> None:
        """A record is being saved."""
        agent: str = getattr(record, "agent", "")
        if final and agent:
            self._news.set()

    def states(self) -> dict[StateKey, State]:
        """The same as they are published."""
        return self._states

    async def _keep_counting(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._news.clear()
            began = loop.time()
            try:
                self.figures, self._states = await asyncio.to_thread(self._counted_and_published)
                self._problem = ""
            except CallflowError as error:
                if str(error) != self._problem:
                    log.warning("the agents' figures of today cannot be counted", reason=error.problem)
                self._problem = str(error)
            await asyncio.sleep(max(PERIOD_S, SHARE * (loop.time() - began)))
            with suppress(TimeoutError):
                async with asyncio.timeout(LATE_S):
                    await self._news.wait()

    def count(self) -> dict[StateKey, State]:
        """`counted` as it is published."""
        return self._counted_and_published()[1]

    def _counted_and_published(self) -> tuple[dict[str, dict[str, Any]], dict[StateKey, State]]:
        figures = self.counted()
        return figures, self._published(figures)

    def counted(self) -> dict[str, dict[str, Any]]:
        """The figures of all agents with records since local midnight, by work number. Blocks; raises CallflowError."""
        now_ms = self._now_ms()
        today = named_period("today", None, now_ms)
        day = today.iso()[0][:10]
        with Reader(self._database) as reader:
            found = agent_figures(
                reader, today.start_ms, today.end_ms, self._targets, now_ms, node=self._node, lasting_too=False
            )
        return {figures.agent: today_of(figures, day) for figures in found}

    def _published(self, counted: dict[str, dict[str, Any]]) -> dict[StateKey, State]:
        now_ms, made = self._now_ms(), {}
        for agent, figures in counted.items():
            with suppress(UnfitId):
                name = topic_id(self._pseudonymizer.name(topic_id(agent)))
                made[StateKey("today", name)] = State(now_ms, figures)
        return made


def today_of(figures: AgentFigures, day: str) -> dict[str, Any]:
    """What is published of an agent's day; a mean or share is null where nothing was measured."""
    counted, holds = figures.counted, figures.holds
    rings, ratings = counted.rings or Rings(), counted.ratings or Ratings()
    time, wrapped = counted.time or AgentTime(), counted.wrap_ups or WrapUps()
    return {
        "day": day,
        "rang": rings.answered + rings.unanswered,
        "answered": rings.answered,
        "early": rings.early,
        "late": rings.late,
        "within_three_rings": rings.within_three,
        "mean_rings": rings.mean_rings,
        "talks": holds.talks,
        "holds": holds.holds,
        "hold_s": _seconds(holds.hold_ms),
        "longest_hold_s": _seconds(holds.longest_hold_ms),
        "wrap_ups": wrapped.wrap_ups,
        "wrap_up_s": _seconds(wrapped.wrap_up_ms),
        "rating_asked": ratings.asked,
        "rating_answered": ratings.answered,
        **{f"mean_{scale}": getattr(ratings, scale.value) for scale in Scale},
        **{f"n_{scale}": getattr(ratings, f"{scale}_n") for scale in Scale},
        "time_s": {
            "available": _seconds(time.available),
            "ringing": _seconds(time.ringing),
            "talking": _seconds(time.talking),
            "calling": _seconds(time.calling),
            "paused": _seconds(time.paused),
            "unavailable": _seconds(time.unavailable),
        },
    }


def _seconds(ms: int) -> float:
    return round(ms / 1000, 1)
