"""What the database counts is what a plain recount of the records gives."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from itertools import pairwise, product
from pathlib import Path

import pytest

from callflow.adapters.store.agent_time import agent_time, lasting
from callflow.adapters.store.places import Where
from callflow.adapters.store.queries import Reader
from callflow.adapters.store.store import Store
from callflow.adapters.store.tallying import tally
from callflow.core.rings.names import safe_name
from callflow.core.rings.records import AgentInterval, AgentWork, LegEnd, Outcome, Timing
from callflow.core.service.grouping import DAY_MS, HOUR_MS, Counted, Key, Question, Scope, Span, Whom, gathered, total
from callflow.core.service.level import Formula
from callflow.core.service.tallies import AgentTime, Service
from callflow.core.service.targets import QueueTarget, Targets
from tests.conftest import At
from tests.store.plausible_day import MIDNIGHT, Day, plausible_day
from tests.store.recount import recount

TARGETS = Targets(
    queues={"default": QueueTarget(), "sales": QueueTarget(formula=Formula.B, threshold_s=10, short_abandon_s=3)}
)
SHANGHAI_MS = 8 * HOUR_MS
NOON = MIDNIGHT + 12 * HOUR_MS
ODD = Span(MIDNIGHT + 9 * HOUR_MS + 123_456, NOON + 7, 19_800_000)
"""Begins and ends nowhere in particular, in a zone of +05:30."""
SPANS = {"day": Span(MIDNIGHT, MIDNIGHT + DAY_MS, SHANGHAI_MS), "odd": ODD, "empty": Span(0, DAY_MS)}
BY = [(), (Whom.QUEUE,), (Whom.AGENT,), (Whom.LINE,), (Whom.QUEUE, Whom.AGENT)]
SCOPES = {
    "all": Scope(),
    "sales": Scope(queues=("sales",)),
    "agents": Scope(agents=("201", "204")),
    "lines": Scope(lines=("8001", "1000")),
}


def made_up() -> Day:
    """A day in which everything occurs: rare outcomes, interrupted records, a spell that still lasts."""
    day = plausible_day(calls=300, agents=4, seed=3)
    rare = [o for o in Outcome if o not in {s.outcome for s in day.stays}]
    for number, outcome in enumerate(rare):
        day.stays[number] = replace(day.stays[number], outcome=outcome, talk_ms=None, agent="")
        if outcome is Outcome.WITHDRAWN:
            day.stays[number] = replace(day.stays[number], queue="support", wait_ms=3_600_000)
    day.rate()
    day.stays[-1] = replace(day.stays[-1], outcome=None, partial=True, wait_ms=None)
    day.offers[-1] = replace(day.offers[-1], answer_class=None, partial=True)
    day.offers[-2] = replace(day.offers[-2], timing=Timing.ARRIVAL)
    day.legs[-1] = replace(day.legs[-1], answer_class=None, end=LegEnd.UNKNOWN, partial=True)
    last = max(day.spells, key=lambda spell: spell.ended_ms or 0)
    day.spells[day.spells.index(last)] = replace(last, partial=True)
    day.spells.append(AgentInterval("300", MIDNIGHT - 3 * DAY_MS, MIDNIGHT + 30 * HOUR_MS, AgentWork.PAUSED, "ill"))
    day.spells.append(AgentInterval("301", MIDNIGHT + 10 * HOUR_MS + 5, None, AgentWork.AVAILABLE))
    return day


@pytest.fixture(scope="module")
def day() -> Day:
    return made_up()


@pytest.fixture(scope="module")
def filled(kept_at: At, day: Day, tmp_path_factory: pytest.TempPathFactory) -> Where:
    database = tmp_path_factory.mktemp("day") / "callflow.db"
    with Store(database, "main") as store:
        for record in day:
            store.save(record, final=not isinstance(record, AgentInterval) or record.ended_ms is not None)
    return kept_at(database)


def counted(database: Where, span: Span, asked: Question, now_ms: int = NOON) -> dict[Key, Counted]:
    with Reader(database) as reader:
        return gathered((*tally(reader, span, asked), *agent_time(reader, span, asked, {"main": now_ms})))


def known(rows: dict[Key, Counted]) -> dict[Key, Counted]:
    """Without rows and parts in which nothing was counted."""
    empty = Counted()
    bare = {
        key: Counted(
            **{
                name: part
                for name in ("rings", "service", "talk", "screened", "time")
                if (part := getattr(row, name)) is not None and part != type(part)()
            },
            targets=row.targets,
        )
        for key, row in rows.items()
    }
    return {key: row for key, row in bare.items() if replace(row, targets=frozenset()) != empty}


@pytest.mark.parametrize("slot_ms", [None, HOUR_MS, DAY_MS], ids=["whole", "hours", "days"])
@pytest.mark.parametrize("span", SPANS.values(), ids=SPANS)
@pytest.mark.parametrize(("by", "scope"), [(by, scope) for by, scope in product(BY, SCOPES)])
def test_the_database_counts_what_a_recount_gives(
    filled: Where, day: Day, by: tuple[Whom, ...], scope: str, span: Span, slot_ms: int | None
) -> None:
    asked = Question(TARGETS, frozenset(by), slot_ms, SCOPES[scope])
    assert known(counted(filled, span, asked)) == known(recount(day, span, asked, NOON))


def test_the_parts_of_a_day_add_up_to_the_day(filled: Where) -> None:
    day_span = SPANS["day"]
    cuts = [MIDNIGHT, MIDNIGHT + 9 * HOUR_MS + 1, NOON, NOON + 777, MIDNIGHT + DAY_MS]
    asked = Question(TARGETS, frozenset((Whom.AGENT,)))
    parts = [Span(start, end, SHANGHAI_MS) for start, end in pairwise(cuts)]
    sums = gathered(part for span in parts for part in counted(filled, span, asked).items())
    assert known(sums) == known(counted(filled, day_span, asked))
    by_queue = counted(filled, day_span, Question(TARGETS, frozenset((Whom.QUEUE,))))
    everything = counted(filled, day_span, Question(TARGETS, scope=Scope(queues=("sales", "support"))))
    assert total(by_queue.values()).service == total(everything.values()).service


def test_the_numbers_of_the_day_are_not_empty(filled: Where) -> None:
    row = total(counted(filled, SPANS["day"], Question(TARGETS)).values())
    assert row.rings is not None
    assert row.service is not None
    assert min(row.rings.early, row.rings.ideal, row.rings.late, row.rings.unanswered, row.rings.uncertain) > 0
    service = row.service
    assert min(service.answered, service.short, service.sent_on, service.turned_away, service.withdrawn) > 0
    assert service.uncertain > 0
    assert service.abandoned > service.short
    assert row.targets == set(TARGETS.queues.values())


def test_another_daemon_of_the_same_database_can_be_told_apart(filled: Where) -> None:
    elsewhere = Question(TARGETS, scope=Scope(node="elsewhere"))
    assert known(counted(filled, SPANS["day"], elsewhere)) == {}
    here = Question(TARGETS, scope=Scope(node="main"))
    assert known(counted(filled, SPANS["day"], here)) == known(counted(filled, SPANS["day"], Question(TARGETS)))


def test_a_limit_is_inclusive(database: Path, day: Day) -> None:
    """As Prometheus' `le` and Asterisk's own service level are."""
    stay = next(s for s in day.stays if s.outcome is Outcome.ANSWERED and s.timing is Timing.STAMPED and not s.partial)
    gave_up = next(s for s in day.stays if s.outcome is Outcome.ABANDONED_RINGING and not s.partial)
    with Store(database, "main") as store:
        for number, wait_ms in enumerate((20_000, 20_001)):
            store.save(replace(stay, entry_id=f"a{number}", queue="support", wait_ms=wait_ms), final=True)
        for number, wait_ms in enumerate((5000, 5001)):
            store.save(replace(gave_up, entry_id=f"b{number}", queue="support", wait_ms=wait_ms), final=True)
    service = total(counted(database, SPANS["day"], Question(TARGETS)).values()).service
    assert service == Service(
        answered=2,
        answered_in_time=1,
        abandoned=2,
        abandoned_in_time=2,
        short=1,
        wait_ms=40_001,
        longest_wait_ms=20_001,
    )


def test_a_queue_with_an_odd_name_is_held_to_its_own_standard(database: Path, day: Day) -> None:
    stay = next(s for s in day.stays if s.outcome is Outcome.ANSWERED and s.timing is Timing.STAMPED and not s.partial)
    with Store(database, "main") as store:
        store.save(replace(stay, queue=safe_name("Sales Team"), wait_ms=45_000), final=True)
    patient = QueueTarget(threshold_s=60)
    targets = Targets(queues={"default": QueueTarget(), "Sales Team": patient})
    row = total(counted(database, SPANS["day"], Question(targets)).values())
    assert row.targets == {patient}
    assert row.service is not None
    assert row.service.answered_in_time == 1


def test_what_an_agent_does_at_each_node_reaches_into_the_span(database: Path) -> None:
    for node, began_ms in (("pbx1", MIDNIGHT), ("pbx2", MIDNIGHT + HOUR_MS)):
        with Store(database, node) as store:
            store.save(AgentInterval("201", began_ms - DAY_MS, began_ms, AgentWork.PAUSED), final=True)
            store.save(AgentInterval("201", began_ms, NOON, AgentWork.AVAILABLE), final=True)
    span = Span(NOON - 4 * HOUR_MS, NOON + HOUR_MS)
    for only, hours in (("pbx1", 4), ("pbx2", 4), (None, 8)):
        asked = Question(TARGETS, frozenset((Whom.AGENT,)), scope=Scope(node=only))
        (row,) = known(counted(database, span, asked)).values()
        assert row.time == AgentTime(available=hours * HOUR_MS)


async def test_what_an_agent_does_now_lasts_while_the_daemon_runs(database: Path, tmp_path: Path) -> None:
    """In a copy, and once the daemon is gone, it is known up to the last thing that began."""
    copy = tmp_path / "copy.db"
    with Store(database, "main") as store:
        store.save(AgentInterval("201", MIDNIGHT, None, AgentWork.TALKING), final=False)
        store.save(AgentInterval("202", MIDNIGHT + HOUR_MS, None, AgentWork.AVAILABLE), final=False)
        assert await store.flush(5)
        with Reader(database) as reader:
            assert lasting(reader, NOON) == {"main": NOON}
        with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
    for left in (copy, database):
        with Reader(left) as reader:
            assert lasting(reader, NOON) == {"main": MIDNIGHT + HOUR_MS}
            parts = agent_time(reader, SPANS["day"], Question(TARGETS), lasting(reader, NOON))
            assert total(part for _, part in parts).time == AgentTime(talking=HOUR_MS)
