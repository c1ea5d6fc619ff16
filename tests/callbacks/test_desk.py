"""The daemon's view of the call-back list: as fresh as the database, and no dearer than its changes."""

import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from callflow.adapters.store.callback_list import CallbackList
from callflow.adapters.store.case_list import CaseList
from callflow.core.callbacks.attempt import Attempt, Outcome
from callflow.core.callbacks.entry import CallbackChange, Entry, Reason
from callflow.core.callbacks.raising import Wanted
from callflow.core.callbacks.rules import CallbackRules
from callflow.core.callbacks.states import IllegalStep, State, Step
from callflow.core.cases import CaseChange, CaseKind, new_case
from callflow.records.callbacks import callback_attempts, callback_changes, callbacks
from callflow.runtime.callback_desk import AT_ONCE, REREAD_MS, CallbackDesk

T0 = 1_769_817_600_000
RULES = CallbackRules()


class Recorder:
    """Publishes at once, as the daemon's own does once a change is on the disk."""

    def __init__(self, callback_list: CallbackList) -> None:
        self._list = callback_list
        self.attempts: list[Attempt] = []
        self.is_dead = False
        """It saves nothing any more."""

    def save(self, record: Any, final: bool) -> None:
        if isinstance(record, CaseChange):
            return
        if isinstance(record, Attempt):
            self.attempts.append(record)
            table, mine = callback_attempts, callback_attempts.c.attempt_id == record.attempt_id
        else:
            assert isinstance(record, CallbackChange)
            table, revision = callback_changes, callback_changes.c.revision == record.revision
            mine = sa.and_(callback_changes.c.callback_id == record.callback_id, revision)
        if not self.is_dead:
            with self._list._step() as connection:
                connection.execute(sa.update(table).where(mine).values(open=False))

    async def flush(self, timeout_s: float) -> bool:
        return True


class Watched:
    """A desk whose reads of the whole list are counted, and the command line beside it."""

    def __init__(self, path: Path) -> None:
        self.now_ms = T0
        self.beside = CallbackList(path, "main")
        self.beside.prepare()
        self.path = path
        self.recorder = Recorder(self.beside)
        self.desk = CallbackDesk(RULES, path, "main", self.recorder, lambda: self.now_ms)
        self.reads = 0
        live = self.desk.list.live

        def counted() -> list[Entry]:
            self.reads += 1
            return live()

        self.desk.list.live = counted  # type: ignore[method-assign]

    def add(self, number: str) -> Entry:
        return self.beside.add(Wanted(number, "default", Reason.MANUAL, T0, "asked for"), RULES, T0)[0]

    def answer(self, number: str) -> None:
        """The caller with this number is answered."""
        for channels, party in (("1", number), ("2", "8001")):
            self.desk.bridge_entered(
                {
                    "Event": "BridgeEnter",
                    "BridgeUniqueid": f"b{number}",
                    "BridgeNumChannels": channels,
                    "CallerIDNum": party,
                }
            )

    async def look(self, times: int = 1, every_ms: int = 500) -> None:
        for _ in range(times):
            await self.desk._look()
            self.now_ms += every_ms


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path / "callflow.db")


async def test_a_list_that_does_not_change_is_read_seldom(watched: Watched) -> None:
    for number in range(5):
        watched.add(f"021555010{number}")
    await watched.look(2)
    before = watched.reads
    await watched.look(40)
    assert len(watched.desk.live) == 5
    assert watched.reads - before <= 40 * 500 / REREAD_MS


async def test_what_others_change_is_seen_by_the_next_look(watched: Watched) -> None:
    entry = watched.add("0215550100")
    await watched.look(5)
    for number, step in enumerate((Step.CLAIM, Step.RELEASE, Step.CLAIM)):
        watched.beside.change(entry.callback_id, lambda now, step=step: now.step(step, T0 + 1, "8001", "by hand"))  # type: ignore[misc]
        await watched.look()
        (seen,) = watched.desk.live
        assert (seen.revision, seen.state) == (number + 2, State.OPEN if step is Step.RELEASE else State.CLAIMED)


async def test_a_change_behind_the_reading_is_seen_by_the_look_after_it(watched: Watched) -> None:
    """It is published by the look that sees it."""
    entry = watched.add("0215550100")
    await watched.look(5)
    read = watched.desk._read

    async def overtaken() -> bool:
        whole = await read()
        watched.beside.change(entry.callback_id, lambda now: now.step(Step.CLAIM, T0 + 1, "8001", "by hand"))
        watched.desk._read = read  # type: ignore[method-assign]
        return whole

    watched.desk._read = overtaken  # type: ignore[method-assign]
    await watched.look(2)
    assert [entry.state for entry in watched.desk.live] == [State.CLAIMED]


async def test_an_answered_call_closes_the_entry(watched: Watched) -> None:
    watched.add("0215550100")
    await watched.look()
    watched.answer("0215550100")
    await watched.look(2)
    assert watched.desk.live == ()


async def test_an_entry_that_was_erased_holds_up_no_look(watched: Watched) -> None:
    """The list is read as a whole only now and then, so that an answered caller may be forgotten by then."""
    erased, other = watched.add("0215550100"), watched.add("0215550101")
    await watched.look(2)
    with watched.beside._step() as connection:
        connection.execute(sa.delete(callbacks).where(callbacks.c.callback_id == erased.callback_id))
    for number in (erased.number, other.number):
        watched.answer(number)
    await watched.look(2)
    assert watched.beside.find(other.callback_id).state is State.DONE
    assert [entry.callback_id for entry in watched.desk.live] == [erased.callback_id]
    await watched.look(every_ms=REREAD_MS)
    await watched.look()
    assert not watched.desk.live


async def test_an_attempt_is_published_once_it_is_over_and_again_if_its_daemon_died_before_it_saved(
    watched: Watched,
) -> None:
    entry = watched.add("0215550100")
    attempt = Attempt("cb-a1", entry.callback_id, "8012", "PJSIP/8012", "boss", "agent", T0, paused_in=("support",))
    watched.beside.begin_attempt(attempt, lambda now: now.step(Step.DIAL, T0, "boss", "calls", attempt_id="cb-a1"))
    over = replace(attempt, ended_ms=T0 + 9, outcome=Outcome.BUSY)
    watched.beside.save_attempt(over)
    await watched.look(3)
    assert watched.recorder.attempts == [], "its agent is still paused"
    watched.beside.released("cb-a1")
    watched.recorder.is_dead = True
    await watched.look(3)
    assert watched.recorder.attempts == [replace(over, paused_in=())]
    watched.desk = CallbackDesk(RULES, watched.path, "main", again := Recorder(watched.beside), lambda: T0 + 5000)
    await watched.look(3)
    assert again.attempts == watched.recorder.attempts


async def test_what_is_wanted_at_once_is_on_the_list_after_one_look(watched: Watched) -> None:
    for number in range(2 * AT_ONCE + 1):
        watched.desk.want(Wanted(f"0215550{number:03}", "default", Reason.SILENT, T0 + number, "hung up on"))
    await watched.look()
    assert len(watched.beside.live()) == len(watched.desk.live) == 2 * AT_ONCE + 1
    assert watched.desk.counts["raised"] == 2 * AT_ONCE + 1


async def test_the_view_is_the_list_after_any_steps(watched: Watched) -> None:
    chance = random.Random(7)
    steps = (Step.CLAIM, Step.RELEASE, Step.GIVE_UP, Step.ANSWER)
    for _ in range(150):
        entries = watched.beside.entries()
        if not entries or chance.random() < 0.4:
            watched.add(f"02155501{chance.randrange(40):02}")
        else:
            step = chance.choice(steps)
            with suppress(IllegalStep):
                one = chance.choice(entries).callback_id
                watched.beside.change(one, lambda now, step=step: now.step(step, watched.now_ms, "8001", "by hand"))  # type: ignore[misc]
        if chance.random() < 0.3:
            await watched.look()
            assert sorted(watched.desk.live, key=lambda entry: entry.callback_id) == sorted(
                watched.beside.live(), key=lambda entry: entry.callback_id
            )
            states = Counter(entry.state.value for entry in watched.desk.live)
            assert Counter({state: number for state, number in watched.desk.by_state().items() if number}) == states


HOUR_MS = 3_600_000


async def lapses(watched: Watched, entry: Entry, at_ms: int) -> bool:
    """Whether callflow gives the entry up at this moment."""
    watched.now_ms, watched.desk._read_ms = at_ms, None
    await watched.desk._look()
    return watched.beside.find(entry.callback_id).state is State.GIVEN_UP


async def test_an_entry_that_callflow_puts_off_again_and_again_is_given_up(watched: Watched) -> None:
    """Nobody takes its call, or it cannot be dialled."""
    taken, undialable = watched.add("0215550100"), watched.add("0215550101")
    for hour in range(72):
        at_ms = T0 + hour * HOUR_MS
        assert not await lapses(watched, taken, at_ms)
        assert not await lapses(watched, undialable, at_ms + 1)
        for step in (Step.DIAL, Step.UNDIAL):
            put_off = partial(Entry.step, step=step, at_ms=at_ms, actor="callflow", why="x", due_ms=at_ms + HOUR_MS)
            watched.beside.change(taken.callback_id, put_off)
        note = partial(Entry.changed, at_ms=at_ms, actor="callflow", why="not dialled", due_ms=at_ms + HOUR_MS)
        watched.beside.change(undialable.callback_id, note)
    assert await lapses(watched, taken, taken.due_ms + 72 * HOUR_MS)
    assert await lapses(watched, undialable, undialable.due_ms + 72 * HOUR_MS)


LATER = T0 + 60 * HOUR_MS
WAITS_ON: dict[str, Callable[[Watched, Entry], object]] = {
    "the caller was called": lambda watched, entry: [
        watched.beside.change(
            entry.callback_id,
            partial(Entry.step, step=step, at_ms=LATER, actor="callflow", why="x", attempts=1, due_ms=LATER),
        )
        for step in (Step.DIAL, Step.MISS)
    ],
    "a person claims and releases it": lambda watched, entry: [
        watched.beside.change(
            entry.callback_id, partial(Entry.step, step=step, at_ms=LATER, actor="8001", why="x")
        )
        for step in (Step.CLAIM, Step.RELEASE)
    ],
    "there is a new reason": lambda watched, entry: watched.beside.add(
        Wanted(entry.number, "default", Reason.SILENT, LATER, "silent"), RULES, LATER
    ),
}  # fmt: skip


@pytest.mark.parametrize("happens", WAITS_ON.values(), ids=WAITS_ON)
async def test_the_hours_until_an_entry_is_given_up_begin_anew(
    watched: Watched, happens: Callable[[Watched, Entry], object]
) -> None:
    entry = watched.add("0215550100")
    happens(watched, entry)
    assert not await lapses(watched, entry, LATER + 72 * HOUR_MS - 1)
    assert await lapses(watched, entry, LATER + 72 * HOUR_MS)


async def test_a_claim_lapses_an_hour_after_it_was_made_whatever_reasons_come(watched: Watched) -> None:
    entry = watched.add("0215550100")
    watched.beside.change(entry.callback_id, partial(Entry.step, step=Step.CLAIM, at_ms=T0, actor="8001", why="mine"))
    later_ms = T0 + HOUR_MS // 2
    watched.beside.add(Wanted(entry.number, "default", Reason.SILENT, later_ms, "silent"), RULES, later_ms)
    assert not await lapses(watched, entry, T0 + HOUR_MS - 1)
    assert watched.beside.find(entry.callback_id).state is State.CLAIMED
    await lapses(watched, entry, T0 + HOUR_MS)
    released = watched.beside.find(entry.callback_id)
    assert (released.state, released.why) == (State.OPEN, "the claim of 8001 has lapsed")


async def test_an_entry_for_a_case_alone_goes_with_the_case(watched: Watched) -> None:
    cases = CaseList(watched.path, "main")
    for number in range(3):
        caller = f"021555010{number}"
        cases.add(new_case(f"T-{number}", caller, CaseKind.GENERAL, "default", "UTC", T0, "boss", 24.0))
        wanted = Wanted(f"+{caller}", "default", Reason.CASE, T0, "news is due", reference=f"T-{number}")
        watched.beside.add(wanted, RULES, T0)
    watched.add("0215550101")  # a second reason
    cases.add(new_case("T-9", "0215550102", CaseKind.GENERAL, "default", "UTC", T0, "boss", 24.0))  # a second case
    for number in range(3):
        cases.change(f"T-{number}", lambda now: now.closed(T0 + 1, "8012", "works"))
    await watched.look()
    left = {entry.number: entry.state for entry in watched.beside.entries()}
    assert left == {"+0215550100": State.GIVEN_UP, "+0215550101": State.OPEN, "+0215550102": State.OPEN}


async def test_a_due_time_that_was_asked_for_is_not_given_up_before_it_has_come(watched: Watched) -> None:
    due_ms = T0 + 200 * HOUR_MS
    wanted = Wanted("0215550100", "default", Reason.MANUAL, T0, "asked for", due_ms=due_ms)
    entry, _ = watched.beside.add(wanted, RULES, T0)
    assert not await lapses(watched, entry, due_ms + 72 * HOUR_MS - 1)
    assert await lapses(watched, entry, due_ms + 72 * HOUR_MS)
