"""Open cases (row A3), and what happened to them."""

import sqlalchemy as sa

from callflow.core.cases import Case, CaseChange, CaseKind, CaseStep
from callflow.core.publishing.envelope import utc
from callflow.core.publishing.events import EventFacts, EventKind
from callflow.core.publishing.privacy import Pseudonymizer
from callflow.records.kind import OPEN, Age, Count, Figures, RecordKind, metadata

cases = sa.Table(
    "cases",
    metadata,
    sa.Column("reference", sa.Text, primary_key=True),
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("profile", sa.Text, nullable=False),
    sa.Column("zone", sa.Text, nullable=False),
    sa.Column("opened_ms", sa.BigInteger, nullable=False),
    sa.Column("news_due_ms", sa.BigInteger, nullable=False),
    sa.Column("reminded_ms", sa.BigInteger),
    sa.Column("overdue_ms", sa.BigInteger),
    sa.Column("step", sa.Text, nullable=False),
    sa.Column("changed_ms", sa.BigInteger, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("news", sa.Text, nullable=False),
    sa.Column("closed_ms", sa.BigInteger),
    sa.Column("open", sa.Boolean, nullable=False),
    sa.Index("ix_cases_open", "node", "news_due_ms", sqlite_where=OPEN),
    sa.Index("ix_cases_opened", "opened_ms"),
)
"""One row per case, by its reference."""

case_changes = sa.Table(
    "case_changes",
    metadata,
    sa.Column("reference", sa.Text, primary_key=True),
    sa.Column("revision", sa.Integer, primary_key=True),
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("at_ms", sa.BigInteger, nullable=False),
    sa.Column("step", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("opened_ms", sa.BigInteger, nullable=False),
    sa.Column("news_due_ms", sa.BigInteger, nullable=False),
    sa.Column("news", sa.Text, nullable=False),
    sa.Column("open", sa.Boolean, nullable=False),
    sa.Index("ix_case_changes_at", "at_ms"),
    sa.Index("ix_case_changes_open", "node", sqlite_where=OPEN),
)
"""One row per step of a case. `open`: the daemon has not published it yet."""


def _event(change: CaseChange, names: Pseudonymizer) -> EventFacts:
    data = {
        "reference": change.reference,
        "step": change.step.value,
        "kind": change.kind.value,
        "actor": names.name(change.actor),
        "caller": names.caller(change.number),
        "opened_at": utc(change.opened_ms),
        "news_due_at": utc(change.news_due_ms),
    }
    return EventFacts(change.reference, "", change.at_ms, data, change.revision)


def _metrics(figures: Figures) -> Count[CaseChange]:
    steps = figures.counter("callflow_case_steps", "Steps of cases, by what they are about.", ["kind", "step"])
    for kind in CaseKind:
        for step in CaseStep:
            steps.labels(kind.value, step.value)
    return lambda change: steps.labels(change.kind.value, change.step.value).inc()


CASES = RecordKind(record=Case, table=cases, began=cases.c.opened_ms, age=Age.RECORDS, ended_at_restart=None)
CASE_CHANGES = RecordKind(
    record=CaseChange,
    table=case_changes,
    began=case_changes.c.at_ms,
    age=Age.RECORDS,
    ended_at_restart=None,
    event=EventKind("case", _event),
    metrics=_metrics,
)
