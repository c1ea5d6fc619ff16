"""A daemon starts while calls of its earlier life are open, and wishes wait: reading takes its time."""

import asyncio
import random
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from callflow.adapters.store.callback_list import CallbackList
from callflow.core.callbacks.attempt import Attempt, Outcome
from callflow.core.callbacks.entry import Entry, Reason
from callflow.core.callbacks.raising import Wanted
from callflow.core.callbacks.states import State, Step
from callflow.errors import StoreError
from callflow.runtime import callback_desk
from callflow.runtime.callback_desk import CallbackDesk
from callflow.runtime.callback_dialler import CallbackDialler
from tests.callbacks.day import RULES, T0, Phone, Recorder, World

LOOKS = 6


class Start:
    """A daemon's first seconds; `hold` keeps the reading of earlier attempts back."""

    def __init__(self, path: Path) -> None:
        self.entries = CallbackList(path, "main")
        self.entries.prepare()
        self._began_s = time.monotonic()
        self.desk = CallbackDesk(RULES, path, "main", Recorder(), self.now_ms)
        self.world = World(random.Random(1))
        self.dialler = CallbackDialler(self.desk, Phone(self.world), lambda language, prompt: prompt, str, self.now_ms)
        self.looks, self.reads = 0, 0
        self.hold, self.refuse = threading.Event(), 0
        read = self.desk.list.open_attempts

        def kept_back() -> list[Attempt]:
            self.hold.wait(60)
            self.reads += 1
            if self.reads <= self.refuse:
                raise StoreError("the database is locked", "wait")
            return read()

        def looked() -> None:
            self.looks += 1

        self.desk.list.open_attempts = kept_back  # type: ignore[method-assign]
        self.desk.on_look.append(looked)

    def now_ms(self) -> int:
        return T0 + round(1000 * (time.monotonic() - self._began_s))

    def add(self, number: str, wish: str = "") -> Entry:
        wanted = Wanted(number, "default", Reason.SILENT, T0, "because", due_ms=T0 + 3_600_000)
        entry = self.entries.add(wanted, RULES, T0)[0]
        return self.entries.change(entry.callback_id, lambda now: now.wished(wish, T0, "boss")) if wish else entry

    async def look(self, times: int) -> None:
        until = self.looks + times
        await self.wait(lambda: self.looks >= until)

    async def wait(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not holds():
                self.desk.look_soon()
                await asyncio.sleep(0.01)

    def state(self, entry: Entry) -> State:
        return self.entries.find(entry.callback_id).state


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    """The phone of each agent rings on: a call that ended would change what the tests look at."""
    monkeypatch.setattr(callback_desk, "PERIOD_S", 0.01)
    monkeypatch.setattr(World, "_live", lambda world, key, ending: asyncio.sleep(3600))
    return Start(tmp_path / "callflow.db")


@pytest.mark.parametrize("refuse", [0, 3])
async def test_what_begins_after_the_start_is_never_taken_for_what_was_left_open(start: Start, refuse: int) -> None:
    """However long the reading takes, however often it fails: a new attempt is placed once, an old one not again."""
    start.refuse = refuse
    old = start.add("13855550101", "PJSIP/8001")
    attempt = Attempt("cb-old", old.callback_id, "8001", "PJSIP/8001", "boss", "agent", T0)
    start.entries.begin_attempt(attempt, lambda now: now.step(Step.DIAL, T0, "boss", "calls", attempt_id="cb-old"))
    new = start.add("13855550102", "PJSIP/8002")
    start.desk.start()
    start.dialler.link_up()
    try:
        await start.look(LOOKS)
        start.hold.set()
        await start.wait(lambda: start.state(old) is State.OPEN and bool(start.world.placed))
        await start.look(LOOKS)
        assert start.state(new) is State.DIALLING
        assert [one.outcome for one in start.entries.attempts(old.callback_id)] == [Outcome.UNPLACED]
        assert [one.outcome for one in start.entries.attempts(new.callback_id)] == [None]
        assert list(start.world.placed.values()) == [1]
        assert start.reads == refuse + 1
    finally:
        start.hold.set()
        await start.dialler.stop()
        await start.desk.stop()


async def test_an_agent_who_goes_to_lunch_during_a_call_back_stays_paused(start: Start) -> None:
    """The pause has got a reason; that of the other agent has none."""
    for agent in ("PJSIP/8001", "PJSIP/8002"):
        start.world.paused.add(agent)
    start.world.reasons["PJSIP/8001"] = "lunch"
    for number, agent in enumerate(("PJSIP/8001", "PJSIP/8002")):
        entry = start.add(f"1385555010{number}")
        attempt = Attempt(f"cb-{number}", entry.callback_id, agent[6:], agent, "boss", "agent", T0, paused_in=("q",))
        dialled = partial(Entry.step, step=Step.DIAL, at_ms=T0, actor="x", why="y", attempt_id=attempt.attempt_id)
        start.entries.begin_attempt(attempt, dialled)
        await start.dialler.release(attempt)
    assert start.world.paused == {"PJSIP/8001"}
    assert all(not one.paused_in for one in start.entries.open_attempts())
