"""Call-backs side by side: one agent, or one caller, has one at a time; a caller who was reached is called no more."""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
import structlog

from callflow.adapters.store.callback_list import CallbackList
from callflow.core.callbacks.entry import Entry, Reason
from callflow.core.callbacks.raising import Wanted
from callflow.core.callbacks.states import State, Step
from tests.callbacks import day
from tests.callbacks.day import RULES, T0, Daemon, World, virtual_time

NUMBER, DAY_MS = "13855550100", 86_400_000


def two_entries(entries: CallbackList, numbers: tuple[str, str] = (NUMBER, NUMBER)) -> tuple[Entry, Entry]:
    """Yesterday's call-back, whose outcome nobody saw and which a person has reopened, and today's."""
    old, _ = entries.add(Wanted(numbers[0], "default", Reason.SILENT, T0 - DAY_MS, "silent"), RULES, T0 - DAY_MS)
    lost = (Step.DIAL, Step.LOSE)
    for step in lost:
        entries.change(old.callback_id, lambda now, step=step: now.step(step, T0 - DAY_MS, "callflow", "x"))  # type: ignore[misc]
    new, _ = entries.add(Wanted(numbers[1], "default", Reason.SILENT, T0, "silent again"), RULES, T0)
    return entries.change(old.callback_id, lambda now: now.step(Step.REOPEN, T0, "boss", "not spoken to")), new


def played(
    monkeypatch: pytest.MonkeyPatch, seed: int, act: Callable[[CallbackList], list[str]]
) -> tuple[World, list[Entry]]:
    """Ten minutes in which every call-back reaches the caller; `act` returns the ids of the entries."""
    monkeypatch.setattr(day, "ENDINGS", ("reached",))
    monkeypatch.setattr(day, "LOST_REPLIES", 0)
    with virtual_time(random.Random(seed), slow_disk=0) as (runner, path), structlog.testing.capture_logs():
        return runner.run(_play(path, seed, act))


async def _play(path: Path, seed: int, act: Callable[[CallbackList], list[str]]) -> tuple[World, list[Entry]]:
    loop = asyncio.get_running_loop()
    entries = CallbackList(path, "main")
    entries.prepare()
    ids = act(entries)
    world = World(random.Random(seed))
    daemon = Daemon(world, path, lambda: T0 + round(1000 * loop.time()), 1)
    await asyncio.sleep(600)
    await daemon.kill()
    return world, [entries.find(one) for one in ids]


@pytest.mark.parametrize("agents", [1, 3])
@pytest.mark.parametrize("numbers", [(NUMBER, NUMBER), (f"+{NUMBER}", NUMBER)])
def test_a_caller_on_the_list_twice_who_was_reached_is_not_called_again(
    monkeypatch: pytest.MonkeyPatch, agents: int, numbers: tuple[str, str]
) -> None:
    """However many agents are free."""
    monkeypatch.setattr(day, "AGENTS", agents)
    for seed in range(2):
        world, found = played(
            monkeypatch, seed, lambda entries: [one.callback_id for one in two_entries(entries, numbers)]
        )
        assert list(world.placed.values()) == [1]
        assert [entry.state for entry in found] == [State.DONE, State.DONE]
        assert sorted(entry.attempts for entry in found) == [0, 1]


def test_a_call_back_that_was_reached_before_a_kill_settles_the_callers_other_entry(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(day, "ENDINGS", ("reached",))
    monkeypatch.setattr(day, "LOST_REPLIES", 0)
    monkeypatch.setattr(day, "AGENTS", 1)

    async def play(path: Path) -> tuple[World, list[Entry]]:
        loop = asyncio.get_running_loop()
        entries = CallbackList(path, "main")
        entries.prepare()
        ids = [one.callback_id for one in two_entries(entries)]
        world = World(random.Random(1))
        first = Daemon(world, path, lambda: T0 + round(1000 * loop.time()), 1)
        first.desk._close_answered = day._nothing  # type: ignore[method-assign]
        for _ in range(400):
            await asyncio.sleep(0.1)
            if any(entries.find(one).state is State.DONE for one in ids):
                break
        await first.kill()
        second = Daemon(world, path, lambda: T0 + round(1000 * loop.time()), 2)
        await asyncio.sleep(600)
        await second.kill()
        return world, [entries.find(one) for one in ids]

    with virtual_time(random.Random(1), slow_disk=0) as (runner, path), structlog.testing.capture_logs():
        world, found = runner.run(play(path))
    assert list(world.placed.values()) == [1]
    assert [entry.state for entry in found] == [State.DONE, State.DONE]


@pytest.mark.parametrize("first", ["agent", "customer"])
@pytest.mark.parametrize("named", [("8000", "8000"), ("8000", "PJSIP/8000"), ("PJSIP/8000", "PJSIP/8000")])
def test_an_agent_for_whom_two_calls_are_asked_gets_one(
    monkeypatch: pytest.MonkeyPatch, first: Literal["agent", "customer"], named: tuple[str, str]
) -> None:
    """The caller is called first and answers: nobody else may have the agent."""
    monkeypatch.setattr(day, "AGENTS", 1)
    monkeypatch.setattr(day, "RULES", RULES.model_copy(update={"first": first, "auto": False}))

    def asked(entries: CallbackList) -> list[str]:
        ids = []
        for agent, number in zip(named, ("13855550101", "13855550102"), strict=True):
            entry, _ = entries.add(Wanted(number, "default", Reason.SILENT, T0, "silent"), RULES, T0)
            entries.change(entry.callback_id, lambda now, agent=agent: now.wished(agent, T0, "boss"))  # type: ignore[misc]
            ids.append(entry.callback_id)
        return ids

    for seed in range(2):
        world, found = played(monkeypatch, seed, asked)
        assert list(world.placed.values()) == [1]
        refused = next(entry for entry in found if entry.state is State.OPEN)
        assert (refused.why, refused.wish) == ("the agent has a call-back", "")


@pytest.mark.parametrize("agents", [("8000", "8001"), ("8000", "8000")])
def test_a_caller_for_whom_two_calls_are_asked_gets_one(
    monkeypatch: pytest.MonkeyPatch, agents: tuple[str, str]
) -> None:
    monkeypatch.setattr(day, "AGENTS", 2)
    monkeypatch.setattr(day, "RULES", RULES.model_copy(update={"auto": False}))

    def asked(entries: CallbackList) -> list[str]:
        found = two_entries(entries)
        for entry, agent in zip(found, agents, strict=True):
            entries.change(entry.callback_id, lambda now, agent=agent: now.wished(agent, T0, "boss"))  # type: ignore[misc]
        return [entry.callback_id for entry in found]

    for seed in range(2):
        world, found = played(monkeypatch, seed, asked)
        assert list(world.placed.values()) == [1]
        assert [entry.state for entry in found] == [State.DONE, State.DONE]
