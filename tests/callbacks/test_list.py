"""The list in the database: one live entry per caller and day, steps one at a time, and nothing lost."""

import sqlite3
import tempfile
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callflow.adapters.store.callback_list import CallbackList
from callflow.adapters.store.callback_queries import NoSuchCallback, Wanting
from callflow.adapters.store.migrate import bring_to_head
from callflow.adapters.store.unpublished import Unpublished
from callflow.core.callbacks.attempt import Attempt, Outcome
from callflow.core.callbacks.entry import Entry, Reason
from callflow.core.callbacks.raising import Wanted
from callflow.core.callbacks.rules import CallbackProfile, CallbackRules
from callflow.core.callbacks.states import LIVE, TRANSITIONS, IllegalStep, State, Step
from callflow.errors import StoreError

T0 = 1_769_864_703_000
DAY_MS = 86_400_000
NUMBER = "13855550100"
RULES = CallbackRules(profiles={"default": CallbackProfile(zone="UTC", hours=("mon-sun 00:00-24:00",))})


@pytest.fixture
def entries(tmp_path: Path) -> CallbackList:
    made = CallbackList(tmp_path / "callflow.db", "main")
    made.prepare()
    return made


def wanted(reason: Reason = Reason.SILENT, number: str = NUMBER, at_ms: int = T0) -> Wanted:
    return Wanted(number, "default", reason, at_ms, "because")


def test_a_second_reason_is_added_and_a_second_entry_is_not(entries: CallbackList) -> None:
    first, new = entries.add(wanted(), RULES, T0)
    again, new_again = entries.add(wanted(Reason.REPEATED, at_ms=T0 + 1000), RULES, T0 + 1000)
    same, _ = entries.add(wanted(Reason.SILENT, at_ms=T0 + 2000), RULES, T0 + 2000)
    assert (new, new_again) == (True, False)
    assert again.callback_id == first.callback_id
    assert again.reasons == ("silent", "repeated")
    assert same == again
    assert [change.revision for change in entries.changes(first.callback_id)] == [1, 2]


@pytest.mark.parametrize("numbers", [(NUMBER, f"+{NUMBER}"), (f"+{NUMBER}", NUMBER)])
def test_a_caller_is_the_same_with_and_without_plus(entries: CallbackList, numbers: tuple[str, str]) -> None:
    first, _ = entries.add(wanted(number=numbers[0]), RULES, T0)
    again, new = entries.add(wanted(Reason.PLACE, numbers[1], T0 + 1000), RULES, T0 + 1000)
    assert (again.callback_id, again.number, new) == (first.callback_id, numbers[0], False)
    assert again.reasons == ("silent", "place")


def test_what_is_known_from_before_the_end_of_an_entry_raises_no_other(entries: CallbackList) -> None:
    first, _ = entries.add(wanted(), RULES, T0)
    entries.change(first.callback_id, lambda now: now.step(Step.DONE, T0 + 5000, "8012", "spoke to them"))
    assert entries.add(wanted(at_ms=T0 + 4000), RULES, T0 + 6000)[1] is False
    assert entries.add(wanted(at_ms=T0 + 7000), RULES, T0 + 7000)[1] is True


def test_the_database_itself_refuses_a_second_live_entry_of_a_caller_and_day(
    entries: CallbackList, tmp_path: Path
) -> None:
    entry, _ = entries.add(wanted(), RULES, T0)
    with sqlite3.connect(tmp_path / "callflow.db") as connection:
        row = connection.execute("SELECT * FROM callbacks").fetchone()
        names = [item[0] for item in connection.execute("SELECT * FROM callbacks").description]
        other = dict(zip(names, row, strict=True)) | {"callback_id": "cb-other"}
        insert = f"INSERT INTO callbacks VALUES ({','.join('?' * len(names))})"
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute(insert, list(other.values()))
        connection.execute(insert, list((other | {"open": 0}).values()))
        connection.execute(insert, list((other | {"day": "2030-01-01", "callback_id": "cb-3"}).values()))
    assert entry.day == "2026-01-31"


def test_many_at_once_make_one_entry_for_each_caller(entries: CallbackList, tmp_path: Path) -> None:
    def add_some(start: int) -> None:
        mine = CallbackList(tmp_path / "callflow.db", "main", busy_s=30)
        for number in range(20):
            mine.add(wanted(number=f"138555501{(start + number) % 20:02}"), RULES, T0)

    together([partial(add_some, start) for start in range(4)])
    assert len(entries.live()) == 20


def test_of_many_who_claim_one_is_first(entries: CallbackList, tmp_path: Path) -> None:
    entry, _ = entries.add(wanted(), RULES, T0)
    won: list[str] = []

    def claim(who: str) -> None:
        mine = CallbackList(tmp_path / "callflow.db", "main", busy_s=30)
        try:
            mine.change(entry.callback_id, lambda now: now.step(Step.CLAIM, T0, who, "mine"))
        except IllegalStep:
            return
        won.append(who)

    together([partial(claim, f"80{n}") for n in range(8)])
    assert [entries.find(entry.callback_id).actor] == won


def together(works: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(list(Step)), st.booleans()), max_size=12))
def test_every_step_is_the_tables_or_changes_nothing(steps: list[tuple[Step, bool]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "callflow.db"
        path.write_bytes(prepared())
        entries = CallbackList(path, "main")
        entry, _ = entries.add(wanted(), RULES, T0)
        legal = 1
        for number, (step, with_reason) in enumerate(steps):
            at_ms = T0 + number
            before = entries.find(entry.callback_id)
            if with_reason and before.live:
                entries.add(wanted(Reason.CASE, at_ms=at_ms), RULES, at_ms)
                legal += Reason.CASE.value not in before.reasons
                before = entries.find(entry.callback_id)
            allowed = step in TRANSITIONS[before.state]
            try:
                entries.change(entry.callback_id, partial(stepped, step, at_ms))
            except IllegalStep:
                assert not allowed
                assert entries.find(entry.callback_id) == before
            else:
                assert allowed
                legal += 1
        after = entries.find(entry.callback_id)
        changes = entries.changes(entry.callback_id)
        assert [change.revision for change in changes] == list(range(1, legal + 1))
        assert changes[-1].state is after.state
        assert (after.closed_ms is None) is (after.state in LIVE)


def stepped(step: Step, at_ms: int, entry: Entry) -> Entry:
    return entry.step(step, at_ms, "x", "y")


_prepared: list[bytes] = []


def prepared() -> bytes:
    if not _prepared:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "callflow.db"
            bring_to_head(path)
            with sqlite3.connect(path) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                connection.execute("PRAGMA journal_mode = DELETE")
            _prepared.append(path.read_bytes())
    return _prepared[0]


def test_an_attempt_that_is_no_longer_the_entrys_changes_it_no_more(entries: CallbackList) -> None:
    entry, _ = entries.add(wanted(), RULES, T0)
    attempt = Attempt("cb-a1", entry.callback_id, "8012", "PJSIP/8012", "boss", "agent", T0, paused_in=("a b", "c%20d"))
    entries.begin_attempt(attempt, lambda now: now.step(Step.DIAL, T0, "boss", "calls", attempt_id="cb-a1"))
    assert entries.open_attempts() == [attempt]
    unpublished = Unpublished(entries._path, "main")
    entries.change(entry.callback_id, lambda now: now.step(Step.ANSWER, T0 + 1, "callflow", "rang in"))
    over = replace(attempt, ended_ms=T0 + 2, outcome=Outcome.BUSY)
    entries.save_attempt(over, lambda now: now.step(Step.MISS, T0 + 2, "callflow", "busy"))
    assert entries.find(entry.callback_id).state is State.DONE
    assert entries.open_attempts() == [over], "the agent is still paused"
    assert unpublished.read().attempts == ()
    entries.released("cb-a1")
    assert entries.open_attempts() == []
    assert unpublished.read().attempts == (replace(over, paused_in=()),), "nobody has published it"


def test_what_is_looked_for_by_a_part_of_its_id(entries: CallbackList) -> None:
    entry, _ = entries.add(wanted(), RULES, T0)
    assert entries.find(entry.callback_id[:8]) == entry
    entries.add(wanted(number="13855550101"), RULES, T0)
    for text, problem in (("cb-", "several"), ("x", "no call-back")):
        with pytest.raises(NoSuchCallback, match=problem):
            entries.find(text)
    assert len(entries.entries(Wanting(reason="silent", states=(State.OPEN,)))) == 2
    assert entries.entries(Wanting(number="1")) == []


def test_a_database_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    path = tmp_path / "callflow.db"
    path.write_bytes(b"not a database at all, but long enough to be read as one" * 20)
    with pytest.raises(StoreError):
        CallbackList(path, "main").prepare()
