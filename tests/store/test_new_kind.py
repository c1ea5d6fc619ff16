"""A kind of record that the daemon does not know yet is described once, and then treated like every other."""

import json
from contextlib import closing
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import pytest
import sqlalchemy as sa

from callflow.adapters.http.sample import Sample
from callflow.adapters.store.database import writing_engine
from callflow.adapters.store.migrate import bring_to_head
from callflow.adapters.store.queries import Reader
from callflow.adapters.store.retention import Limits, clear
from callflow.adapters.store.schema import outbox
from callflow.adapters.store.store import Store
from callflow.core.publishing.events import EventFacts, EventKind
from callflow.publishing.publisher import Publishing
from callflow.records import KINDS
from callflow.records.kind import OPEN, Age, Count, Figures, Kinds, Named, RecordKind, metadata
from callflow.settings.model import Settings
from tests.metrics.scraped import sample_at
from tests.store.samples import T0

# -- the description: all there is to write for a new kind ------------------------------------------------------------


class Mark(StrEnum):
    GOOD = "good"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Survey:
    """A caller's opinion of a call."""

    survey_id: str
    call_id: str
    revision: int
    queue: str
    asked_ms: int
    ended_ms: int | None
    mark: Mark | None
    words: tuple[str, ...] = ()
    partial: bool = False


surveys = sa.Table(
    "surveys",
    sa.MetaData(),
    sa.Column("survey_id", sa.Text, primary_key=True),
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("call_id", sa.Text, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("queue", sa.Text, nullable=False),
    sa.Column("asked_ms", sa.BigInteger, nullable=False),
    sa.Column("ended_ms", sa.BigInteger),
    sa.Column("mark", sa.Text),
    sa.Column("words", sa.Text, nullable=False),
    sa.Column("partial", sa.Boolean, nullable=False),
    sa.Column("open", sa.Boolean, nullable=False),
    sa.Index("ix_surveys_asked", "asked_ms"),
    sa.Index("ix_surveys_open", "node", sqlite_where=OPEN),
)


def count_surveys(figures: Figures) -> Count[Survey]:
    counter = figures.counter("callflow_surveys", "Surveys by mark.", ["queue", "mark"])

    def start_at_zero(queue: str) -> None:
        for mark in Mark:
            counter.labels(queue, mark.value)

    def count(survey: Survey) -> None:
        counter.labels(figures.label(Named.QUEUE, survey.queue), survey.mark or "none").inc()

    figures.each_new(Named.QUEUE, start_at_zero)
    return count


SURVEYS = RecordKind(
    record=Survey,
    table=surveys,
    began=surveys.c.asked_ms,
    age=Age.RECORDS,
    ended_at_restart=lambda survey, known_ms: replace(
        survey, ended_ms=max(survey.asked_ms, known_ms), partial=True, revision=survey.revision + 1
    ),
    event=EventKind(
        "survey",
        lambda survey, names: EventFacts(
            survey.survey_id,
            survey.call_id,
            survey.ended_ms or survey.asked_ms,
            {"queue": names.name(survey.queue), "mark": survey.mark, "partial": survey.partial},
            survey.revision,
        ),
    ),
    metrics=count_surveys,
)

# -- what the daemon makes of it --------------------------------------------------------------------------------------

ASKED = Survey("s1", "1769864703.12", 1, "support", T0, None, None)
ANSWERED = replace(ASKED, revision=2, ended_ms=T0 + 9000, mark=Mark.GOOD, words=("quick", "kind"))


class Life:
    """One life of a daemon that knows surveys."""

    def __init__(self, database: Path) -> None:
        self._settings = Settings(
            store={"path": database}, http={"enabled": False}, mqtt={"enabled": True}, privacy={"key": "a key"}
        )
        self._kinds = Kinds(*KINDS, SURVEYS)
        self.store = Store(database, "main", kinds=self._kinds)
        self._publishing = Publishing(self._settings, self.store, self._sample, lambda: T0, self._kinds)
        self.recording = self._publishing.recording

    def _sample(self) -> Sample:
        return sample_at(T0)

    def counted(self, mark: str) -> float | None:
        """The metric of one mark."""
        labels = {"queue": "support", "mark": mark}
        return self._publishing.registry.get_sample_value("callflow_surveys_total", labels)


@pytest.fixture
def made(database: Path) -> Path:
    """A database with the table, as a migration would make it."""
    bring_to_head(database)
    engine = writing_engine(database, 1.0)
    surveys.create(engine)
    engine.dispose()
    return database


def stored(database: Path) -> list[Survey]:
    with Reader(database) as reader:
        return [SURVEYS.rows.record(row) for row in reader.rows(sa.select(surveys).order_by(surveys.c.survey_id))]


def events(database: Path) -> list[dict[str, object]]:
    with Reader(database) as reader:
        rows = reader.rows(sa.select(outbox).order_by(outbox.c.seq))
        return [json.loads(row["body"]) | {"topic": row["topic"]} for row in rows]


async def test_it_is_saved_counted_and_published(made: Path) -> None:
    life = Life(made)
    with closing(life.store):
        life.recording.open()
        life.recording.save(ASKED, final=False)
        assert await life.recording.flush(5)
        assert (stored(made), events(made), life.counted("good")) == ([ASKED], [], None)
        life.recording.save(ANSWERED, final=True)
        life.recording.save(ASKED, final=False)
        assert await life.recording.flush(5)
    assert stored(made) == [ANSWERED]
    (event,) = events(made)
    assert event["topic"] == "callflow/v1/main/event/call/survey"
    assert (event["schema"], event["call_id"], event["revision"]) == ("callflow.call.survey/1", "1769864703.12", 2)
    assert event["data"] == {"node": "main", "queue": "support", "mark": "good", "partial": False}
    assert (life.counted("good"), life.counted("bad")) == (1, 0)


def test_one_that_a_dead_daemon_left_open_is_ended_counted_and_published_once(made: Path) -> None:
    first = Life(made)
    with closing(first.store):
        first.recording.open()
        first.recording.save(ASKED, final=False)
    for number in (1, 0):
        later = Life(made)
        with closing(later.store):
            assert len(later.recording.open().ended) == number
        assert later.counted("none") == (1 if number else None)
    assert stored(made) == [replace(ASKED, revision=2, ended_ms=T0, partial=True)]
    assert [event["revision"] for event in events(made)] == [2]


def test_it_is_deleted_at_its_age_and_never_while_it_lasts(made: Path) -> None:
    life = Life(made)
    with closing(life.store):
        life.recording.open()
        for number in range(20):
            life.recording.save(replace(ANSWERED, survey_id=f"old {number}"), final=True)
        life.recording.save(replace(ASKED, survey_id="lasts"), final=False)
        life.recording.save(replace(ANSWERED, survey_id="new", asked_ms=T0 + 1), final=True)
    engine = writing_engine(made, 1.0)
    with engine.connect() as connection:
        clear(connection, Limits(T0 + 1, T0 + 1), lambda seconds: False, 7, Kinds(*KINDS, SURVEYS))
    assert [survey.survey_id for survey in stored(made)] == ["lasts", "new"]


def test_the_kinds_that_ship_know_nothing_of_it() -> None:
    assert Survey not in {kind.record for kind in KINDS}
    assert "surveys" not in metadata.tables
