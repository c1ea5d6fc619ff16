"""Each agent's figures of today over MQTT: what they say, when they are counted, and that they fit their schema."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from callflow.adapters.store.agent_figures import agent_figures
from callflow.adapters.store.queries import Reader
from callflow.adapters.store.standing import standing
from callflow.adapters.store.store import Store
from callflow.core.assist.wrap_up import WrapUp
from callflow.core.publishing.privacy import PrivacyRules, Pseudonymizer
from callflow.core.publishing.states import StateKey
from callflow.core.service.standards import Light, Standard
from callflow.core.service.targets import QueueTarget, Targets
from callflow.publishing import agents_today
from callflow.publishing.agents_today import AgentsToday
from tests.publishing.test_schemas import check
from tests.store.plausible_day import MIDNIGHT, plausible_day

DAY_MS = 86_400_000
TARGETS = Targets(queues={"default": QueueTarget()})
NOON = MIDNIGHT + DAY_MS // 2


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("today") / "callflow.db"
    day = plausible_day()
    day.rate()
    with Store(path, "main") as store:
        for record in day:
            store.save(record, final=True)
        for number, (agent, lasted_ms) in enumerate([("201", 20_000), ("201", 40_000), ("202", None)]):
            asked_ms = NOON + number
            ended_ms = None if lasted_ms is None else asked_ms + lasted_ms
            wrapped = WrapUp(
                f"w{number}", f"c{number}", 1, agent, "support", "PJSIP/1", "", asked_ms, asked_ms, ended_ms, lasted_ms
            )
            store.save(wrapped, final=lasted_ms is not None)
    return path


def test_wrap_ups_that_have_ended_are_counted(database: Path) -> None:
    states = {key.name: state.figures for key, state in counter(database).count().items()}
    assert (states["201"]["wrap_ups"], states["201"]["wrap_up_s"]) == (2, 60.0)
    assert states["202"]["wrap_ups"] == 0
    standard = Standard(name="S", measure="wrap_up", adequate=60, desired=20, owner="Ada", agents=("201",), min_cases=2)
    with Reader(database) as reader:
        (judged,) = standing(reader, [standard], TARGETS, MIDNIGHT, MIDNIGHT + DAY_MS, MIDNIGHT + DAY_MS).judged
    assert (judged.perceived, judged.cases, judged.light) == (30.0, 2, Light.YELLOW)


def counter(database: Path, now_ms: int = MIDNIGHT + DAY_MS - 1) -> AgentsToday:
    return AgentsToday(database, "main", TARGETS, Pseudonymizer(b"key", PrivacyRules()), lambda: now_ms)


@pytest.fixture(autouse=True)
def the_zone_is_that_of_the_sample(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    import time

    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_the_figures_are_those_of_the_evaluation_and_fit_their_schema(database: Path) -> None:
    states = counter(database).count()
    with Reader(database) as reader:
        counted = agent_figures(reader, MIDNIGHT, MIDNIGHT + DAY_MS, TARGETS, MIDNIGHT + DAY_MS)
    assert [key.name for key in states] == [one.agent for one in counted]
    assert len(states) > 1
    for one, (key, state) in zip(counted, states.items(), strict=True):
        check("state.today", json.dumps(state.shown(key)))
        shown, rings, ratings = state.figures, one.counted.rings, one.counted.ratings
        assert rings is not None
        assert (shown["rang"], shown["late"]) == (rings.answered + rings.unanswered, rings.late)
        assert (shown["talks"], shown["holds"]) == (one.holds.talks, one.holds.holds)
        assert shown["mean_attitude"] == (ratings and ratings.attitude)
    assert any(state.figures["n_attitude"] for state in states.values())


def test_yesterday_is_not_today(database: Path) -> None:
    assert counter(database, MIDNIGHT + DAY_MS + 1).count() == {}
    (state, *_) = counter(database).count().values()
    assert state.figures["day"] == datetime.fromtimestamp(NOON / 1000, UTC).date().isoformat()


def test_time_that_passes_changes_nothing(database: Path) -> None:
    """Or every agent would be published anew at every count."""
    assert counter(database, NOON).count() == counter(database, NOON + 3_600_000).count()


async def test_it_counts_again_when_a_record_of_an_agent_has_come(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agents_today, "PERIOD_S", 0.0)
    monkeypatch.setattr(agents_today, "SHARE", 0)
    monkeypatch.setattr(agents_today, "LATE_S", 3600.0)
    today, counts = counter(database), asyncio.Queue[int]()
    key = StateKey("today", "8001")

    def counted() -> dict[str, dict[str, Any]]:
        loop.call_soon_threadsafe(counts.put_nowait, 1)
        return {"8001": {"talks": 3}}

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(today, "counted", counted)
    today.start()
    try:
        async with asyncio.timeout(20):
            await counts.get()
            today.follow(SimpleNamespace(agent="8001"), final=True)
            await counts.get()
            assert today.states().keys() == {key}
            assert today.figures == {"8001": {"talks": 3}}, "the page reads them by work number"
        today.follow(SimpleNamespace(agent="8001"), final=False)
        today.follow(SimpleNamespace(agent=""), final=True)
        with suppress(TimeoutError):
            async with asyncio.timeout(0.2):
                await counts.get()
                pytest.fail("counted without news")
    finally:
        today.stop()
