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


async def test_what_lasts_is_looked_through_no_more_and_only_the_young_are_collected_by_themselves() -> None:
    pauses.keep_pauses_short(lambda: True)
    assert gc.get_freeze_count() > 1000
    young, middle, old = gc.get_threshold()
    assert young == pauses.YOUNG
    assert min(middle, old) > 1_000_000
    assert sys.getswitchinterval() == pytest.approx(pauses.SWITCH_S)


async def test_however_much_has_come_and_stays_a_collection_goes_through_the_newest_alone() -> None:
    """A collection of the middle generation goes through every call that is alive."""
    pauses.keep_pauses_short(lambda: True)
    seen: list[int] = []

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            seen.append(info["generation"])

    gc.callbacks.append(note)
    try:
        alive = [[n] for n in range(60 * pauses.YOUNG)]
    finally:
        gc.callbacks.remove(note)
    assert len(alive) == 60 * pauses.YOUNG
    assert len(seen) > 30
    assert set(seen) == {0}


def garbage_that_survives(generation: int) -> "weakref.ref[Cycle]":
    """Only a collection of the next generation finds it."""
    garbage = Cycle()
    gc.collect(generation)
    return weakref.ref(garbage)


async def until_gone(garbage: "weakref.ref[Cycle]") -> None:
    async with asyncio.timeout(10):
        while garbage() is not None:  # noqa: ASYNC110 - the collector tells no events
            await asyncio.sleep(0.005)


@pytest.fixture
def swept_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pauses, "RECENT_S", 0.02)
    monkeypatch.setattr(pauses, "WHOLE_S", 0.02)


@pytest.mark.usefixtures("swept_at_once")
async def test_all_that_lives_is_swept_as_soon_as_the_program_is_idle() -> None:
    idle = False
    pauses.keep_pauses_short(lambda: idle)
    old, recent = garbage_that_survives(1), garbage_that_survives(0)
    await until_gone(recent)
    assert old() is not None
    idle = True
    await until_gone(old)


@pytest.mark.usefixtures("swept_at_once")
async def test_a_program_that_is_never_idle_is_swept_now_and_then() -> None:
    pauses.keep_pauses_short(lambda: False, latest_s=0.1)
    await until_gone(garbage_that_survives(1))


@pytest.mark.usefixtures("swept_at_once")
async def test_a_sweep_of_a_busy_program_goes_through_what_has_come_since_the_last_one() -> None:
    """All that lives takes a quarter of a second with 24,000 callers remembered: nobody is answered meanwhile."""
    pauses.keep_pauses_short(lambda: False)
    remembered = [[number] for number in range(1000)]
    garbage = garbage_that_survives(0)
    await until_gone(garbage)
    looked_through = {id(one) for one in gc.get_objects(2)}
    assert {id(one) for one in remembered} <= looked_through
    swept: list[int] = []
    gc.callbacks.append(lambda phase, info: swept.append(info["generation"]))
    try:
        await until_gone(garbage_that_survives(0))
    finally:
        gc.callbacks.pop()
    assert max(swept) == 1
