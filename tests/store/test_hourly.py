"""Hourly counts give what the records give, whatever comes late, changes or is deleted."""

import random
import sqlite3
from contextlib import closing
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callflow.adapters.store.hourly import BOUNDS_S, BY_HOUR
from callflow.adapters.store.places import Where
from callflow.adapters.store.queries import Reader
from callflow.adapters.store.store import Store
from callflow.adapters.store.tallying import cadences, tally
from callflow.core.rings.records import AgentInterval, Outcome, Stay
from callflow.core.service.grouping import DAY_MS, HOUR_MS, Counted, Key, Question, Span, gathered
from callflow.core.service.targets import QueueTarget, Targets
from tests.conftest import At
from tests.services.postgres import copy_of
from tests.store.hours import count_all, engine_of, uncount_all
from tests.store.plausible_day import MIDNIGHT, plausible_day
from tests.store.test_tallying import BY, SCOPES, SPANS, TARGETS, made_up

NEXT_WEEK = MIDNIGHT + 8 * DAY_MS
DAY = SPANS["day"]
OTHERS = Targets(queues={"default": QueueTarget(threshold_s=17)})
"""A standard between two bounds."""
QUESTIONS = [
    Question(targets, frozenset(by), slot_ms, scope)
    for by, scope, slot_ms, targets in product(BY, SCOPES.values(), (None, HOUR_MS, DAY_MS), (TARGETS, OTHERS))
]


def counts(database: Where, span: Span, questions: list[Question] = QUESTIONS) -> list[dict[Key, Counted]]:
    """Every question's answer."""
    with Reader(database) as reader:
        answers = [gathered(tally(reader, span, asked)) for asked in questions]
        return [*answers, {Key(): Counted()} if cadences(reader, span) else {}]


@pytest.fixture(scope="module")
def filled(kept_at: At, tmp_path_factory: pytest.TempPathFactory) -> Where:
    database = tmp_path_factory.mktemp("hourly") / "callflow.db"
    with Store(database, "main") as store:
        for record in made_up():
            store.save(record, final=not isinstance(record, AgentInterval) or record.ended_ms is not None)
    return kept_at(database)


@pytest.mark.parametrize("span", SPANS.values(), ids=SPANS)
def test_counts_by_the_hour_are_those_of_the_records(filled: Where, span: Span) -> None:
    uncount_all(filled)
    of_records = counts(filled, span)
    assert count_all(filled, NEXT_WEEK) > 4 * 10
    assert counts(filled, span) == of_records


def test_the_hourly_counts_are_what_is_read(filled: Where) -> None:
    """Counts that are wrong on purpose come through; without marks they do not."""
    count_all(filled, NEXT_WEEK)
    engine, _ = engine_of(filled)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE hourly_stays SET n = n + 1000"))
    asked = Question(Targets(queues={"default": QueueTarget()}))
    seen = []
    for mend in (lambda _: 0, uncount_all):
        mend(filled)
        with Reader(filled) as reader:
            found = gathered(tally(reader, DAY, asked))[Key()].service
        assert found is not None
        seen.append(found.turned_away)
    assert seen[0] > 1000 > seen[1]


def test_an_hour_that_is_not_over_is_not_counted(filled: Where) -> None:
    uncount_all(filled)
    assert count_all(filled, MIDNIGHT + 9 * HOUR_MS) < count_all(filled, MIDNIGHT + 12 * HOUR_MS)


@given(seed=st.integers(0, 10_000), deleted=st.booleans())
@settings(max_examples=3, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
def test_late_revised_and_deleted_records_change_the_counts(
    at: At, tmp_path_factory: pytest.TempPathFactory, seed: int, deleted: bool
) -> None:
    """Records come in any order, and hours are counted in between."""
    chance = random.Random(seed)
    database = tmp_path_factory.mktemp("late") / "callflow.db"
    day = plausible_day(calls=40, agents=3, seed=seed % 7)
    day.rate()
    records = [record for record in day if not isinstance(record, AgentInterval)]
    chance.shuffle(records)
    kept: Where | None = None
    for start in range(0, len(records), 60):
        some = records[start : start + 60]
        with Store(database, "main") as store:
            for record in some:
                if isinstance(record, Stay) and chance.random() < 0.5:
                    store.save(replace(record, outcome=None, wait_ms=None, revision=0), final=False)
                store.save(record, final=True)
            count_all(database, chance.choice((MIDNIGHT + 12 * HOUR_MS, NEXT_WEEK)))
            revised = [record for record in some if isinstance(record, Stay) and chance.random() < 0.3]
            for stay in revised:
                longer = replace(stay, outcome=Outcome.ANSWERED, wait_ms=chance.choice((None, 19_999, 20_000, 20_001)))
                store.save(replace(longer, revision=stay.revision + 1), final=True)
        if kept is None:
            kept = at(database)
            count_all(kept, NEXT_WEEK)
    assert kept is not None
    if deleted:
        with closing(sqlite3.connect(database)) as connection, connection:
            connection.execute("DELETE FROM stays WHERE wait_ms > 15000")
    if isinstance(kept, str):
        copy_of(database, kept)
    with_counts = counts(kept, DAY, QUESTIONS[::7])
    uncount_all(kept)
    assert counts(kept, DAY, QUESTIONS[::7]) == with_counts


def test_every_default_and_round_time_is_a_bound() -> None:
    assert {QueueTarget().threshold_s, QueueTarget().short_abandon_s, 10, 15, 20, 30, 60, 120} <= set(BOUNDS_S)


def test_a_wait_counts_by_the_bound_that_it_just_keeps(tmp_path: Path) -> None:
    """A wait of exactly 20 s is in time, 20.001 s is not; nor is a wait without a time."""
    database = tmp_path / "callflow.db"
    stay = next(stay for stay in plausible_day(calls=20).stays if stay.outcome is Outcome.ANSWERED)
    with Store(database, "main") as store:
        for number, wait_ms in enumerate((20_000, 20_001, 3_600_001, None)):
            store.save(replace(stay, entry_id=f"{number}", wait_ms=wait_ms), final=True)
    of_records = counts(database, DAY)
    count_all(database, NEXT_WEEK)
    assert counts(database, DAY) == of_records
    with Reader(database) as reader:
        found = gathered(tally(reader, DAY, Question(Targets(queues={"default": QueueTarget()}))))[Key()].service
    assert found is not None
    assert (found.answered, found.answered_in_time, found.uncertain) == (3, 1, 1)


def test_every_source_with_hours_has_the_columns_of_its_rows() -> None:
    for source in BY_HOUR:
        assert source.hourly is not None
        assert set(source.hourly.c.keys()) <= set(source.rows.c.keys())
