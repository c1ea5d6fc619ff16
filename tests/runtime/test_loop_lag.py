"""How late the loop runs its timers is measured, and forgotten after a while."""

import asyncio
import time

import pytest

from callflow.runtime import loop_lag
from callflow.runtime.loop_lag import KEPT, RECENT, LoopLag
from tests.adapters.waiting import until


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop_lag, "EVERY_S", 0.01)


async def looks(told: list[float], count: int) -> None:
    async with asyncio.timeout(20):
        while len(told) < count:  # noqa: ASYNC110 - a list tells no events
            await asyncio.sleep(0.002)


async def test_a_stall_is_seen_and_is_the_worst_until_it_is_long_ago() -> None:
    told: list[float] = []
    lag = LoopLag(told.append)
    assert lag.worst_s == 0
    lag.start()
    await looks(told, 2)
    time.sleep(0.3)  # noqa: ASYNC251 - the stall
    seen = len(told)
    await looks(told, seen + 1)
    assert lag.worst_s == max(told) >= 0.25
    await until(lambda: lag.worst_s < max(told))
    assert len(told) > seen + KEPT
    lag.stop()


async def test_a_stall_counts_as_recent_from_its_first_moment_until_some_looks_later() -> None:
    told: list[float] = []
    lag = LoopLag(told.append)
    assert lag.recent_s == 0
    lag.start()
    await looks(told, 2)
    time.sleep(0.3)  # noqa: ASYNC251 - the stall
    seen = len(told)
    assert lag.recent_s >= 0.25, "the look is overdue"
    await looks(told, seen + 1)
    assert lag.recent_s >= 0.25
    await until(lambda: lag.recent_s < 0.25)
    assert len(told) > seen + RECENT
    assert lag.worst_s >= 0.25
    lag.stop()


async def test_nothing_is_seen_after_the_end() -> None:
    told: list[float] = []
    lag = LoopLag(told.append)
    lag.start()
    await looks(told, 1)
    lag.stop()
    seen = len(told)
    await asyncio.sleep(0.05)
    assert len(told) == seen
