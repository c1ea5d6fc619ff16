"""Between the core and its adapters: what waits for what, and what one failure may cost."""

import asyncio
from typing import Any

import pytest

from callflow.core import commands
from callflow.core.screening.states import Result
from callflow.runtime.clock import Clock
from callflow.runtime.dispatch import Dispatcher
from callflow.runtime.listening import Listening
from callflow.runtime.loop import CoreLoop


class Desk:
    """A phone, a session and records at once; writes down what is asked of it, and its disk never answers."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def set_variable(self, name: str, value: str) -> None:
        self.asked.append(value)

    def close(self) -> None:
        self.asked.append("closed")

    async def flush(self, timeout_s: float) -> bool:
        self.asked.append("flush")
        await asyncio.Event().wait()
        return True


@pytest.mark.parametrize(
    ("result", "asked"),
    [(Result.SILENT, ["silent", "closed"]), (Result.QUIET, ["quiet", "closed"]), (Result.SPOKE, ["flush"])],
)
async def test_a_hang_up_waits_for_no_disk(result: Result, asked: list[str]) -> None:
    desk: Any = Desk()
    dispatch = Dispatcher(desk, desk, Listening(None, desk), "{prompt}", lambda: 0)
    dispatch.add_session("call", desk)
    dispatch(commands.Release("call", "PJSIP/1", result))
    await asyncio.sleep(0.01)
    assert desk.asked == asked


class Core:
    """Wants two things done at every event, and something in a while."""

    live = 0

    def __init__(self) -> None:
        self.came_ms: list[int] = []

    def receive(self, event: Any, now_ms: int) -> list[commands.Command]:
        self.came_ms.append(now_ms)
        return [commands.CloseTap("first"), commands.CloseTap("second")]

    def expire(self, now_ms: int) -> list[commands.Command]:
        return []

    def next_deadline(self) -> int | None:
        return 1


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


async def test_the_clock_is_set_right_before_a_first_call_is_stamped(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, core = Clock(), Core()
    loop = CoreLoop(core, clock, lambda command: None)
    before = clock.now_ms()
    monkeypatch.setattr("callflow.runtime.clock.time.time_ns", lambda: (before - 3_600_000) * 1_000_000)
    core.live = 1
    assert loop.now_ms() == pytest.approx(before, abs=1000), "calls under way see no step"
    core.live = 0
    assert loop.now_ms() == pytest.approx(before - 3_600_000, abs=1000)
    loop.close()
