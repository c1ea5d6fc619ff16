"""Row A3: news at least once a day, also through crashes; CSV with mistakes."""

import asyncio
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callflow.adapters.store.callback_list import CallbackList
from callflow.adapters.store.case_list import CaseList, NoSuchCase
from callflow.commands.case_file import CaseFileInvalid, read_cases
from callflow.core.callbacks.attempt import Attempt, Outcome, step_of
from callflow.core.callbacks.entry import Entry
from callflow.core.callbacks.raising import Wanted
from callflow.core.callbacks.rules import CallbackProfile, CallbackRules
from callflow.core.callbacks.states import Step
from callflow.core.cases import HOUR_MS, Case, CaseClosed, CaseKind, CaseStep, due_step, new_case
from callflow.runtime.case_watch import OVERDUE_MS, REMIND_MS, CaseWatch

T0 = 1_769_864_703_000
DAY_MS = 24 * HOUR_MS
NUMBER = "13855550100"
RULES = CallbackRules(profiles={"default": CallbackProfile(zone="UTC", hours=("mon-sun 00:00-24:00",))})


class Watched:
    """A case watch with its lists; a new one is another life of the daemon."""

    def __init__(self, path: Path) -> None:
        self.entries, self.cases = CallbackList(path, "main"), CaseList(path, "main")
        self.entries.prepare()
        self.now_ms = T0
        self.watch = self.watch_by(RULES)

    def watch_by(self, rules: CallbackRules) -> CaseWatch:
        return CaseWatch(self.cases, rules, self.add, self.entries.attempts)

    def call(self, outcome: Outcome, at_ms: int) -> Entry:
        """The caller's entry is called."""
        (entry,) = self.entries.live()
        attempt_id, reached_ms = f"a-{at_ms}", at_ms if outcome is Outcome.REACHED else None
        attempt = Attempt(attempt_id, entry.callback_id, "8012", "PJSIP/8012", "boss", "agent", at_ms)
        dialled = partial(Entry.step, step=Step.DIAL, at_ms=at_ms, actor="boss", why="calls", attempt_id=attempt_id)
        self.entries.begin_attempt(attempt, dialled)
        ended = replace(attempt, outcome=outcome, reached_ms=reached_ms, ended_ms=at_ms)
        end = partial(Entry.step, step=step_of(outcome, True), at_ms=at_ms, actor="callflow", why="ended")
        self.entries.save_attempt(ended, end)
        return self.entries.find(entry.callback_id)

    async def settled(self, entry: Entry) -> None:
        """The last step of an entry is published."""
        await self.watch.settled(self.entries.changes(entry.callback_id)[-1])

    async def add(self, wanted: Wanted) -> Entry:
        return self.entries.add(wanted, RULES, self.now_ms)[0]

    async def look(self, now_ms: int) -> None:
        self.now_ms = now_ms
        await self.watch.look(now_ms, changed=True)

    def steps(self, reference: str) -> list[str]:
        return [change.step.value for change in self.cases.changes(reference)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "callflow.db"


def open_case(watched: Watched, kind: CaseKind = CaseKind.GENERAL, number: str = NUMBER) -> None:
    watched.cases.add(new_case("T-1", number, kind, "default", "", T0, "boss", 24.0))


async def test_a_reminder_each_day_until_it_is_closed_and_an_alarm_only_without_news(path: Path) -> None:
    watched = Watched(path)
    open_case(watched)
    for day in range(1, 4):
        await watched.look(T0 + day * DAY_MS - REMIND_MS - 1000)
        assert watched.steps("T-1").count("reminded") == day - 1
        await watched.look(T0 + day * DAY_MS - REMIND_MS)
        await watched.look(T0 + day * DAY_MS - 1000)
        assert watched.steps("T-1").count("reminded") == day
        at_ms, next_ms = T0 + day * DAY_MS, T0 + (day + 1) * DAY_MS
        told = partial(Case.told, at_ms=at_ms, actor="8012", news="nothing new yet", next_ms=next_ms)
        watched.cases.change("T-1", told)
    assert "overdue" not in watched.steps("T-1")
    await watched.look(T0 + 4 * DAY_MS)
    await watched.look(T0 + 4 * DAY_MS + 1)
    await watched.look(T0 + 4 * DAY_MS + 2)
    assert watched.steps("T-1").count("overdue") == 1
    assert watched.watch.counts == {"open": 1, "overdue": 1}
    watched.cases.change("T-1", lambda now: now.closed(T0 + 5 * DAY_MS, "8012", "works"))
    await watched.look(T0 + 9 * DAY_MS)
    assert watched.watch.counts == {"open": 0, "overdue": 0}
    assert watched.steps("T-1")[-1] == "closed"
    with pytest.raises(CaseClosed):
        watched.cases.change("T-1", lambda now: now.told(T0, "x", "y", T0))
    (entry,) = watched.entries.live()
    assert (entry.reasons, entry.reference, entry.number) == (("case",), "T-1", NUMBER)


DAYTIME = RULES.model_copy(
    update={"profiles": {"default": CallbackProfile(zone="UTC", hours=("mon-sun 09:00-20:00",))}}
)
MIDNIGHT = T0 - T0 % DAY_MS


@pytest.mark.parametrize(
    ("opened_h", "reminded_h", "called_h"),
    [
        (12.0, 35.0, 35.0),  # an hour before
        (21.5, 43.0, 43.0),  # the last hour of the next day
        (7.5, 19.0, 19.0),  # of the same day
        (9.25, 32.25, 33.0),  # at the beginning of the hours there is still time
    ],
)
async def test_a_reminder_leaves_time_to_call_within_the_calling_hours(
    path: Path, opened_h: float, reminded_h: float, called_h: float
) -> None:
    watched = Watched(path)
    watched.watch = watched.watch_by(DAYTIME)
    opened_ms = MIDNIGHT + round(opened_h * HOUR_MS)
    watched.cases.add(new_case("T-1", NUMBER, CaseKind.GENERAL, "default", "", opened_ms, "boss", 24.0))
    for minute in range(0, 24 * 60, 5):
        await watched.look(opened_ms + minute * 60_000)
    (entry,) = watched.entries.live()
    (reminded,) = [change for change in watched.cases.changes("T-1") if change.step is CaseStep.REMINDED]
    assert reminded.at_ms == MIDNIGHT + round(reminded_h * HOUR_MS)
    hours = DAYTIME.profile("default").calling_hours()
    assert hours.next_allowed(entry.due_ms, "UTC") == MIDNIGHT + round(called_h * HOUR_MS) < opened_ms + DAY_MS


async def test_no_caller_is_called_again_right_after_the_news_because_the_calling_hours_end(path: Path) -> None:
    """News is due every half hour, and the hours end in ten minutes."""
    watched = Watched(path)
    rules = DAYTIME.model_copy(update={"case_news_h": 0.5})
    watched.watch = watched.watch_by(rules)
    opened_ms = MIDNIGHT + round(19 * HOUR_MS + 50 * 60_000)
    watched.cases.add(new_case("T-1", NUMBER, CaseKind.GENERAL, "default", "", opened_ms, "boss", rules.case_news_h))
    for minute in range(15):
        await watched.look(opened_ms + minute * 60_000)
    assert watched.steps("T-1") == ["opened"]


async def test_without_news_there_is_a_reminder_each_day_and_one_alarm(path: Path) -> None:
    watched = Watched(path)
    open_case(watched)
    for hour in range(24 * 6):
        await watched.look(T0 + hour * HOUR_MS)
    steps = watched.steps("T-1")
    assert (steps.count("reminded"), steps.count("overdue")) == (6, 1)
    reminders = [change.at_ms for change in watched.cases.changes("T-1") if change.step is CaseStep.REMINDED]
    assert {after - before for before, after in pairwise(reminders)} == {DAY_MS}


async def test_a_caller_who_had_news_is_not_called_again_at_once_however_soon_the_next_is_due(path: Path) -> None:
    """With news due every half hour, a reminder an hour before it would call without end."""
    watched = Watched(path)
    rules = RULES.model_copy(update={"case_news_h": 0.5})
    watched.watch = watched.watch_by(rules)
    watched.cases.add(new_case("T-1", NUMBER, CaseKind.GENERAL, "default", "", T0, "boss", rules.case_news_h))
    reminded = []
    for minute in range(60):
        at_ms = T0 + minute * 60_000
        await watched.look(at_ms)
        if watched.steps("T-1")[-1] == "reminded":
            reminded.append(minute)
            await watched.look(at_ms)
            await watched.settled(watched.call(Outcome.REACHED, at_ms))
    assert reminded == [15, 30, 45]


async def test_a_kill_between_the_call_back_and_the_reminder_makes_no_second_call_back(path: Path) -> None:
    watched = Watched(path)
    open_case(watched)

    async def dies(reference: str, make: object) -> None:
        raise RuntimeError("killed")

    watched.watch._take = dies  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        await watched.look(T0 + DAY_MS - 1000)
    again = Watched(path)
    await again.look(T0 + DAY_MS - 500)
    assert again.steps("T-1") == ["opened", "reminded"]
    assert len(again.entries.live()) == 1


async def test_a_call_back_that_reached_the_caller_counts_as_news(path: Path) -> None:
    watched = Watched(path)
    open_case(watched, CaseKind.INSTALLATION)
    await watched.look(T0 + DAY_MS - 1000)
    await watched.look(T0 + DAY_MS - 900)
    await watched.settled(watched.call(Outcome.REACHED, T0 + DAY_MS - 500))
    await watched.look(T0 + DAY_MS + 1000)
    assert watched.steps("T-1") == ["opened", "reminded", "news"]


@pytest.mark.parametrize("outcome", [Outcome.NO_ANSWER, Outcome.UNKNOWN, Outcome.AGENT_DECLINED])
@pytest.mark.parametrize("step", [Step.DONE, Step.ANSWER])
async def test_an_entry_that_is_settled_after_calls_that_reached_nobody_is_no_news(
    path: Path, outcome: Outcome, step: Step
) -> None:
    watched = Watched(path)
    open_case(watched, CaseKind.INSTALLATION)
    await watched.look(T0 + DAY_MS - 1000)
    await watched.look(T0 + DAY_MS - 900)
    entry = watched.call(outcome, T0 + DAY_MS - 500)
    settle = partial(Entry.step, step=step, at_ms=T0 + DAY_MS - 400, actor="boss", why="it is a fax")
    await watched.settled(watched.entries.change(entry.callback_id, settle))
    await watched.look(T0 + DAY_MS + 1000)
    assert watched.steps("T-1") == ["opened", "reminded", "overdue"]


async def test_a_case_without_a_number_is_reminded_of_all_the_same(path: Path) -> None:
    watched = Watched(path)
    open_case(watched, number="")
    await watched.look(T0 + DAY_MS - 1000)
    assert watched.steps("T-1") == ["opened", "reminded"]
    assert watched.entries.live() == []


@given(st.integers(0, 3 * DAY_MS), st.booleans(), st.booleans())
def test_what_is_due(after_ms: int, reminded: bool, overdue: bool) -> None:
    case = new_case("T-1", NUMBER, CaseKind.GENERAL, "default", "", T0, "boss", 24.0)
    case = case.reminded(T0, "x") if reminded else case
    case = case.overdue(T0, "x") if overdue else case
    step = due_step(case, T0 + after_ms, REMIND_MS, OVERDUE_MS)
    late = after_ms >= DAY_MS + OVERDUE_MS and not overdue
    soon = after_ms >= (DAY_MS if reminded else DAY_MS - REMIND_MS)
    assert step is (CaseStep.OVERDUE if late else CaseStep.REMINDED if soon else None)


def test_the_news_of_an_installation_is_due_within_24_hours_whatever_the_settings_say() -> None:
    for kind, hours in ((CaseKind.GENERAL, 72), (CaseKind.INSTALLATION, 24)):
        assert new_case("T", "", kind, "default", "", T0, "x", 72.0).news_due_ms == T0 + hours * HOUR_MS


MISTAKES = [
    ("reference,number\nT-1,110\n", "cases.csv:2:", "emergency"),
    ("reference,number\nT-1,13855550100\n,13855550101\n", "cases.csv:3:", "reference"),
    ("reference\nT-1\nT-1\n", "cases.csv:3:", "twice"),
    ("reference,kind\nT-1,wedding\n", "cases.csv:2:", "'wedding'"),
    ("reference,opened\nT-1,yesterday\n", "cases.csv:2:", "'yesterday'"),
    ("reference,opened\nT-1,9999-12-31\n", "cases.csv:2:", "ten years from now"),
    ("reference,opened\nT-1,0001-01-01\n", "cases.csv:2:", "opened"),
    ("reference,zone\nT-1,Asia/Nowhere\n", "cases.csv:2:", "Nowhere"),
    ("reference,colour\nT-1,red\n", "cases.csv:1:", "'colour'"),
    ("number\n13855550100\n", "cases.csv:1:", "'reference'"),
    ("reference\nT-1,too,many\n", "cases.csv:2:", "cells"),
    ('reference\n"T-1\n', "cases.csv:", "end of data"),
    ("", "cases.csv:1:", "reference"),
]


@pytest.mark.parametrize(("text", "where", "what"), MISTAKES, ids=[what for _, _, what in MISTAKES])
def test_a_mistake_in_a_file_is_named_with_its_line(tmp_path: Path, text: str, where: str, what: str) -> None:
    file = tmp_path / "cases.csv"
    file.write_text(text)
    with pytest.raises(CaseFileInvalid) as caught:
        read_cases(file, RULES, T0, "boss")
    assert where in caught.value.problem
    assert what in caught.value.problem


def test_a_file_is_imported_whole_or_not_at_all(path: Path, tmp_path: Path) -> None:
    file = tmp_path / "cases.csv"
    file.write_bytes(
        "\ufeffreference,number,kind,opened,zone\nT-1,138-5555-0100,installation,2026-01-31T14:05,Asia/Shanghai\nT-2,,,,\n".encode()
    )
    found = read_cases(file, RULES, T0, "boss")
    assert [(case.reference, case.number, case.kind) for case in found] == [
        ("T-1", NUMBER, CaseKind.INSTALLATION),
        ("T-2", "", CaseKind.GENERAL),
    ]
    watched = Watched(path)
    watched.cases.add(found[1])
    with pytest.raises(NoSuchCase):
        watched.cases.add(*found)
    assert [case.reference for case in watched.cases.open()] == ["T-2"]
    asyncio.run(watched.look(T0))
