"""Between a core and asyncio: nothing that fails in one step costs another, or a deadline."""

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from callflow.core import commands
from callflow.runtime import loop as looping
from callflow.runtime.clock import Clock
from callflow.runtime.loop import CoreLoop

STOP = [commands.StopListening(call_id, "PJSIP/1", disarm=False) for call_id in ("first", "second")]


class Core:
    """Wants two things done at every event, and something in a while."""

    live = 0

    def __init__(self) -> None:
        self.came_ms: list[int] = []
        self.due: int | None = 1
        self.fails = False
        self.expired = 0

    def receive(self, event: Any, now_ms: int) -> list[commands.Command]:
        self.came_ms.append(now_ms)
        if self.fails:
            raise ZeroDivisionError("a step that fails")
        return list(STOP)

    def expire(self, now_ms: int) -> list[commands.Command]:
        self.expired += 1
        if self.fails:
            raise ZeroDivisionError("a step that fails")
        self.due = None
        return []

    def next_deadline(self) -> int | None:
        return self.due


async def test_a_command_that_fails_costs_no_other_and_no_deadline() -> None:
    done = []

    def dispatch(command: Any) -> None:
        done.append(command.call_id)
        raise OSError(28, "No space left on device")

    loop = CoreLoop(Core(), Clock(), dispatch)
    loop.receive(None)
    assert done == ["first", "second"]
    assert loop._timer is not None
    loop.close()


async def test_an_event_that_a_core_cannot_take_in_costs_no_other_and_no_deadline() -> None:
    core = Core()
    done: list[commands.Command] = []
    loop = CoreLoop(core, Clock(), done.append)
    core.fails = True
    loop.receive(None)
    core.fails = False
    loop.receive(None)
    assert done == STOP
    assert loop.failures == {"ZeroDivisionError": 1}
    assert loop._timer is not None
    loop.close()


async def test_a_deadline_that_fails_is_tried_again_and_not_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looping, "AGAIN_S", 0.02)
    core = Core()
    loop = CoreLoop(core, Clock(), lambda command: None)
    core.fails = True
    loop.receive(None)
    began_s = asyncio.get_running_loop().time()
    while core.expired < 3:  # noqa: ASYNC110 - a counter tells no events
        await asyncio.sleep(0.001)
    assert asyncio.get_running_loop().time() - began_s >= 0.05
    core.fails = False
    while core.due is not None:  # noqa: ASYNC110 - the same
        await asyncio.sleep(0.001)
    assert loop.failures["ZeroDivisionError"] >= 4
    loop.close()


def test_a_stepped_clock_is_followed_at_once_while_nothing_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, core = Clock(), Core()
    loop = CoreLoop(core, clock, lambda command: None)
    before = clock.now_ms()
    monkeypatch.setattr("callflow.runtime.clock.time.time_ns", lambda: (before - 3_600_000) * 1_000_000)
    core.live = 1
    assert loop.now_ms() == pytest.approx(before, abs=1000), "calls under way see no step"
    core.live = 0
    assert loop.now_ms() == pytest.approx(before - 3_600_000, abs=1000)


@pytest.mark.parametrize("step_ms", [1000, -1000])
def test_and_gently_while_something_does(monkeypatch: pytest.MonkeyPatch, step_ms: int) -> None:
    """A core that is never idle, as the ring tracker of a busy site, is not wrong for ever."""
    at_ms, wall_ms = 5_000_000, 1_700_000_000_000
    now = {"monotonic": at_ms, "wall": wall_ms}
    monkeypatch.setattr("callflow.runtime.clock.time.monotonic_ns", lambda: now["monotonic"] * 1_000_000)
    monkeypatch.setattr("callflow.runtime.clock.time.time_ns", lambda: now["wall"] * 1_000_000)
    core = Core()
    loop = CoreLoop(core, Clock(), lambda command: None)
    core.live = 1
    now["wall"] += step_ms
    told = [loop.now_ms()]
    for _ in range(250):
        now["monotonic"] += 100
        now["wall"] += 100
        told.append(loop.now_ms())
    assert told[0] == wall_ms, "no step"
    assert all(90 <= later - earlier <= 110 for earlier, later in pairwise(told)), "it never jumps"
    assert told[-1] == now["wall"]
