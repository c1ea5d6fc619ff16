"""Between the core and its adapters: what waits for what, and how long a hang-up may take."""

import asyncio
from typing import Any

import pytest
from structlog.testing import capture_logs

from callflow.core import commands, events
from callflow.core.screening.states import Result
from callflow.errors import AgiClosedEarly, LinkError
from callflow.runtime import dispatch as dispatching
from callflow.runtime.dispatch import KNOWN, Dispatcher
from callflow.runtime.listening import Listening

HANG_UP_S = 0.05
UNDO_S = 0.1


class Desk:
    """A phone, a session and records at once; writes down what is asked of it."""

    def __init__(self, *, disk: bool = True, session: str = "answers") -> None:
        self.asked: list[str] = []
        self.told: list[events.Event] = []
        self.disk, self.session = disk, session
        self.late = asyncio.Event()

    async def set_variable(self, name: str, value: str) -> None:
        self.asked.append("known" if name == KNOWN else value)
        if self.session == "ends":
            raise AgiClosedEarly("Asterisk closed the FastAGI connection")
        if self.session == "never" or (self.session == "late" and value in ("silent", "quiet")):
            await self.late.wait()

    async def set_result(self, channel: str, result: str) -> None:
        self.asked.append(f"AMI {result}")

    async def disarm_ear(self, channel: str) -> None:
        self.asked.append("disarm")

    def close(self) -> None:
        self.asked.append("closed")

    async def flush(self, timeout_s: float) -> bool:
        self.asked.append("flush")
        if not self.disk:
            await asyncio.Event().wait()
        return True

    def dispatcher(self) -> Dispatcher:
        desk: Any = self
        made = Dispatcher(desk, desk, Listening(None, desk), "{prompt}", lambda: 0)
        made.receive = self.told.append
        made.add_session("call", desk)
        return made


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatching, "HANG_UP_S", HANG_UP_S)
    monkeypatch.setattr(dispatching, "UNDO_TIMEOUT_S", UNDO_S)
    monkeypatch.setattr(dispatching, "HANG_UP_TOLD_S", 0)


def release(result: Result) -> commands.Release:
    return commands.Release("call", "PJSIP/1", result)


@pytest.mark.parametrize("result", [Result.SILENT, Result.QUIET])
async def test_a_hang_up_waits_for_no_disk_and_is_told(result: Result) -> None:
    desk = Desk(disk=False)
    dispatch = desk.dispatcher()
    dispatch(release(result))
    await dispatch.drain(1)
    assert desk.asked == [result, "closed"]
    assert desk.told == [events.Released("call")]


async def test_any_other_result_is_saved_first() -> None:
    desk = Desk(disk=False)
    desk.dispatcher()(release(Result.SPOKE))
    await asyncio.sleep(0)
    assert desk.asked == ["flush"]


@pytest.mark.parametrize("session", ["never", "late", "ends"])
async def test_a_hang_up_that_is_not_confirmed_in_time_is_none(session: str) -> None:
    desk = Desk(session=session)
    dispatch = desk.dispatcher()
    dispatch(release(Result.SILENT))
    await dispatch.drain(1)
    assert desk.asked == ["silent"], "nothing is closed, and AMI is not told to hang up"
    assert [type(event) for event in desk.told] == [events.ReleaseFailed]


async def test_after_it_asterisk_confirms_another_result_before_it_has_the_channel() -> None:
    desk = Desk(session="late")
    dispatch = desk.dispatcher()
    dispatch(release(Result.SILENT))
    await dispatch.drain(1)
    dispatch(release(Result.UNAVAILABLE))
    await dispatch.drain(1)
    assert desk.asked == ["silent", "unavailable", "known", "closed"]


async def test_if_it_confirms_nothing_ami_is_told() -> None:
    desk = Desk(session="never")
    dispatch = desk.dispatcher()
    dispatch(release(Result.SILENT))
    await dispatch.drain(1)
    dispatch(release(Result.UNAVAILABLE))
    await dispatch.drain(1)
    assert desk.asked == ["silent", "unavailable", "AMI unavailable", "closed"]


async def test_only_where_nothing_else_tells_it_a_call_is_marked_as_known() -> None:
    """The dialplan notes a call whose result is `unavailable`, as it was set before the daemon was asked."""
    for result, known in ((Result.SPOKE, []), (Result.UNAVAILABLE, ["known"])):
        desk = Desk()
        dispatch = desk.dispatcher()
        dispatch(release(result))
        await dispatch.drain(1)
        assert desk.asked == ["flush", result, *known, "closed"]


async def test_another_result_takes_the_place_of_a_hang_up_under_way() -> None:
    desk = Desk(session="late")
    dispatch = desk.dispatcher()
    dispatch(release(Result.SILENT))
    await asyncio.sleep(0)
    dispatch(release(Result.RESCUED))
    await dispatch.drain(1)
    assert desk.asked == ["silent", "rescued", "closed"]
    assert desk.told == []


async def test_a_hang_up_that_callflow_itself_delays_is_none() -> None:
    desk = Desk()
    dispatch = desk.dispatcher()
    dispatch(release(Result.SILENT))
    end_s = asyncio.get_running_loop().time() + HANG_UP_S
    while asyncio.get_running_loop().time() <= end_s:
        pass  # the loop stalls
    await dispatch.drain(1)
    assert "closed" not in desk.asked
    assert [type(event) for event in desk.told] == [events.ReleaseFailed]


async def test_a_fault_is_logged_with_its_traceback() -> None:
    error = ZeroDivisionError("x")
    with capture_logs() as logs:
        Desk().dispatcher()(commands.LogFault("call", "deadline", error))
    assert [(entry["log_level"], entry["exc_info"]) for entry in logs] == [("error", error)]


async def test_what_ami_tells_behind_a_stall_comes_before_the_end_that_fastagi_told() -> None:
    """A hang-up that FastAGI told at once and AMI behind much else is no redirect."""
    desk = Desk()
    answered = asyncio.Event()
    desk.fence = answered.wait  # type: ignore[attr-defined]
    dispatch = desk.dispatcher()
    dispatch.hang_up_told("call")
    for _ in range(10):
        await asyncio.sleep(0)
    assert desk.told == []
    hung_up = events.CallerHungUp("1.1", 0)
    dispatch.receive(hung_up)
    answered.set()
    await dispatch.drain(1)
    assert desk.told == [hung_up, events.AgiClosed("call", 0)]


@pytest.mark.parametrize("ami", ["gone", "silent"])
async def test_without_ami_the_end_that_fastagi_told_counts_all_the_same(
    ami: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatching, "HANG_UP_TOLD_WITHIN_S", 0.01)

    async def fence() -> None:
        if ami == "gone":
            raise LinkError("AMI is gone")
        await asyncio.Event().wait()

    desk = Desk()
    desk.fence = fence  # type: ignore[attr-defined]
    dispatch = desk.dispatcher()
    dispatch.hang_up_told("call")
    await dispatch.drain(1)
    assert desk.told == [events.AgiClosed("call", 0)]


@pytest.mark.parametrize("begins_late", [False, True])
async def test_a_prompt_that_asterisk_had_yet_to_begin_is_stopped_again(
    begins_late: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AMI and FastAGI are two connections: the stop may be there before the prompt."""
    monkeypatch.setattr(dispatching, "STOP_AGAIN_S", 0.01)
    desk = Desk()
    begun, ended = not begins_late, asyncio.Event()

    async def stream_file(path: str) -> int:
        await ended.wait()
        return 100

    async def stop_prompt(channel: str) -> None:
        nonlocal begun
        desk.asked.append("stop")
        if begun:
            ended.set()
        begun = True

    stage: Any = desk
    stage.stream_file, stage.stop_prompt = stream_file, stop_prompt
    dispatch = desk.dispatcher()
    dispatch(commands.PlayPrompt("call", 1, "goodbye", "en"))
    await asyncio.sleep(0)
    dispatch(commands.StopPrompt("call", "PJSIP/1"))
    await dispatch.drain(1)
    assert desk.asked == ["stop"] * (1 + begins_late)
    assert [type(event) for event in desk.told] == [events.PromptFinished]
