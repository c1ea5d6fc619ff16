"""Row A1 over restarts: a daemon that is started again at any point raises what an uninterrupted one raises."""

import random
from collections.abc import Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

from callflow.adapters.store.callback_list import CallbackList
from callflow.core.callbacks.rules import CallbackProfile, CallbackRules
from callflow.core.callbacks.states import LIVE, Step
from callflow.core.rings.records import Outcome, Stay
from callflow.records.stays import STAYS, stays
from callflow.runtime.callback_desk import CallbackDesk
from tests.publishing import samples

RULES = CallbackRules(profiles={"default": CallbackProfile(zone="UTC", hours=("mon-sun 00:00-24:00",))})
MINUTE_MS, HOUR_MS = 60_000, 3_600_000


class Nobody:
    def save(self, record: object, final: bool) -> None: ...

    async def flush(self, timeout_s: float) -> bool:
        return True


class Node:
    """A daemon's call-back list. Every entry is settled at once, so that a second one would show."""

    def __init__(self, path: Path) -> None:
        self._path, self.now_ms = path, samples.T0
        self.entries = CallbackList(path, "main")
        self.entries.prepare()
        self._desk = self._new_desk()
        self._desk._early = None
        self._last_ms = 0

    def _new_desk(self) -> CallbackDesk:
        return CallbackDesk(RULES, self._path, "main", Nobody(), lambda: self.now_ms)

    async def call(self, number: int, *, dies: bool) -> None:
        """A short call; a daemon that dies has its record, and has put nobody on the list."""
        short: Stay = samples.stay(number, Outcome.ABANDONED_RINGING, 20_000, at_ms=self.now_ms)
        self.now_ms = self._last_ms = self.now_ms + 20_000
        with self.entries._step() as connection:
            connection.execute(sa.insert(stays), STAYS.row(short, "main", final=True))
        self._desk.follow(short, True)
        await (self.restart() if dies else self._desk._save_wanted())
        self._settle()

    async def begin_anew(self) -> None:
        """The collector has counted the caller's calls up to the last one here."""
        await self._desk.begin_anew("+1 555-0100", self._last_ms)

    async def restart(self) -> None:
        self._desk = self._new_desk()
        await self._desk._catch_up()
        await self._desk._save_wanted()

    def raised(self) -> list[int]:
        return sorted(entry.raised_ms for entry in self.entries.entries())

    def _settle(self) -> None:
        for entry in self.entries.entries():
            if entry.state in LIVE:
                self.entries.change(entry.callback_id, lambda now: now.step(Step.DONE, self.now_ms, "8012", "spoke"))


def story(dice: random.Random) -> Sequence[tuple[str, int]]:
    """What happens, and how long it takes: bursts of calls, hours without any, orders of the collector."""
    return [
        (dice.choices(("call", "anew"), (8, 1))[0], dice.choice((MINUTE_MS, MINUTE_MS, MINUTE_MS, 5 * HOUR_MS)))
        for _ in range(24)
    ]


async def played(path: Path, events: Sequence[tuple[str, int]], restarts: random.Random | None) -> list[int]:
    node = Node(path)
    for number, (what, wait_ms) in enumerate(events):
        if what == "call":
            await node.call(number, dies=restarts is not None and restarts.random() < 0.3)
        else:
            await node.begin_anew()
        node.now_ms += wait_ms
        if restarts is not None and restarts.random() < 0.3:
            await node.restart()
    return node.raised()


@pytest.mark.parametrize("seed", range(4))
async def test_restarts_at_any_point_raise_nothing_more_and_nothing_less(tmp_path: Path, seed: int) -> None:
    events = story(random.Random(seed))
    expected = await played(tmp_path / "uninterrupted.db", events, None)
    assert expected
    assert await played(tmp_path / "restarted.db", events, random.Random(seed)) == expected


async def test_a_restarted_node_of_a_fleet_counts_no_call_that_the_collector_has_counted(tmp_path: Path) -> None:
    node = Node(tmp_path / "callflow.db")
    for number in range(4):
        await node.call(number, dies=False)
    await node.begin_anew()
    await node.restart()
    await node.call(4, dies=False)
    assert node.raised() == []
    for number in range(5, 9):
        await node.call(number, dies=False)
    assert len(node.raised()) == 1


async def test_an_order_that_comes_while_earlier_calls_are_read_counts(tmp_path: Path) -> None:
    node = Node(tmp_path / "callflow.db")
    for number in range(4):
        await node.call(number, dies=False)
    node._desk = desk = node._new_desk()
    counted = desk.list.counted

    def overtaken(since_ms: int, until_ms: int) -> list[tuple[str, int]]:
        found = counted(since_ms, until_ms)
        desk._forget_short_calls("+15550100", node._last_ms)
        return found

    desk.list.counted = overtaken  # type: ignore[method-assign]
    await desk._catch_up()
    await node.call(4, dies=False)
    assert node.raised() == []


async def test_what_a_wrong_clock_has_counted_does_not_hide_a_caller(tmp_path: Path) -> None:
    """The clock was a day ahead when the caller was counted."""
    node = Node(tmp_path / "callflow.db")
    node._last_ms = node.now_ms + 24 * HOUR_MS
    await node.begin_anew()
    await node.restart()
    for number in range(5):
        await node.call(number, dies=False)
    assert len(node.raised()) == 1
