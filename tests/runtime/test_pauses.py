"""The garbage collector never halts the loop for everything that is alive, and nothing is kept for ever."""

import asyncio
import gc
import sys
import weakref
from collections.abc import Iterator

import pytest

from callflow.runtime import pauses


class Cycle:
    """Garbage that only the collector finds."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    thresholds, interval = gc.get_threshold(), sys.getswitchinterval()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)
    sys.setswitchinterval(interval)


async def test_what_lasts_is_looked_through_no_more_and_a_full_collection_never_comes_by_itself() -> None:
    _, middle, _ = gc.get_threshold()
    pauses.keep_pauses_short()
    assert gc.get_freeze_count() > 1000
    assert gc.get_threshold()[:2] == (pauses.YOUNG, middle)
    assert gc.get_threshold()[2] > 1_000_000
    assert sys.getswitchinterval() == pytest.approx(pauses.SWITCH_S)


async def test_all_that_lives_is_collected_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pauses, "SWEEP_S", 0.02)
    pauses.keep_pauses_short()
    garbage = Cycle()
    gone = weakref.ref(garbage)
    gc.collect(1)  # it is old now: only a full collection finds it
    del garbage
    gc.collect(0)
    assert gone() is not None
    async with asyncio.timeout(10):
        while gone() is not None:  # noqa: ASYNC110 - the collector tells no events
            await asyncio.sleep(0.005)
