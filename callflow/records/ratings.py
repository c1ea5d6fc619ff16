"""Ratings: what a caller answered about a call, or why they were not asked."""

from dataclasses import replace
from functools import partial
from typing import Any

import sqlalchemy as sa

from callflow.core.publishing.envelope import utc
from callflow.core.publishing.events import EventFacts, EventKind
from callflow.core.publishing.privacy import Pseudonymizer
from callflow.core.rating.record import Ending, NotAsked, Rating, RatingOutcome
from callflow.core.rating.states import SCORES, Scale
from callflow.records.event_fields import last_of
from callflow.records.kind import Age, Count, Figures, Named, RecordKind, metadata

LASTING = sa.text("ended_ms IS NULL")

ratings = sa.Table(
    "ratings",
    metadata,
    sa.Column("rating_id", sa.Text, primary_key=True),
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("call_id", sa.Text, nullable=False),
    sa.Column("profile", sa.Text, nullable=False),
    sa.Column("queue", sa.Text, nullable=False),
    sa.Column("line", sa.Text, nullable=False),
    sa.Column("agent", sa.Text, nullable=False),
    sa.Column("caller", sa.Text, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("talk_began_ms", sa.BigInteger),
    sa.Column("came_ms", sa.BigInteger, nullable=False),
    sa.Column("ended_ms", sa.BigInteger),
    sa.Column("not_asked", sa.Text),
    sa.Column("ending", sa.Text),
    sa.Column("efficiency", sa.Integer),
    sa.Column("attitude", sa.Integer),
    sa.Column("correctness", sa.Integer),
    sa.Column("wrong_keys", sa.Integer, nullable=False),
    sa.Index("ix_ratings_came", "came_ms"),
    sa.Index("ix_ratings_caller", "caller", "came_ms"),
    sa.Index("ix_ratings_open", "node", sqlite_where=LASTING),
)
"""One row per caller who came to rate a call. `caller` is a keyed hash; an unanswered scale is null."""


def _ended_at_restart(rating: Rating, known_ms: int) -> Rating:
    """What was answered before the daemon died counts."""
    return replace(rating, ended_ms=max(rating.came_ms, known_ms), ending=Ending.INTERRUPTED)


def _event(rating: Rating, names: Pseudonymizer) -> EventFacts:
    data: dict[str, Any] = {
        "rating_id": rating.rating_id,
        "profile": rating.profile,
        "queue": names.name(rating.queue),
        "line": names.name(rating.line),
        "agent": names.name(rating.agent),
        "language": rating.language,
        "came_at": utc(rating.came_ms),
        "ended_at": utc(rating.ended_ms),
        "outcome": rating.outcome.value,
        "not_asked": rating.not_asked and rating.not_asked.value,
        "ending": rating.ending and rating.ending.value,
        **{scale.value: getattr(rating, scale.value) for scale in Scale},
        "wrong_keys": rating.wrong_keys,
    }
    return EventFacts(rating.rating_id, rating.call_id, last_of(rating.came_ms, rating.ended_ms), data)


def _metrics(figures: Figures) -> Count[Rating]:
    place = ["target_type", "target"]
    ratings_total = figures.counter(
        "callflow_ratings", "Callers who reached a rating, by outcome.", [*place, "outcome"]
    )
    not_asked = figures.counter(
        "callflow_ratings_not_asked", "Callers who were not asked to rate a call, by reason.", [*place, "reason"]
    )
    answers = figures.counter(
        "callflow_rating_answers", "Answers to the rating's questions, 1 to 5.", ["agent", "scale", "score"]
    )

    def target_at_zero(kind: str, target: str) -> None:
        for outcome in RatingOutcome:
            ratings_total.labels(kind, target, outcome.value)
        for reason in NotAsked:
            not_asked.labels(kind, target, reason.value)

    def agent_at_zero(agent: str) -> None:
        for scale in Scale:
            for score in SCORES:
                answers.labels(agent, scale.value, score)

    def count(rating: Rating) -> None:
        kind = Named.QUEUE if rating.queue else Named.LINE
        target = figures.label(kind, rating.queue or rating.line)
        ratings_total.labels(kind.value, target, rating.outcome.value).inc()
        if rating.not_asked is not None:
            not_asked.labels(kind.value, target, rating.not_asked.value).inc()
        for scale, score in rating.scores.items():
            answers.labels(figures.label(Named.AGENT, rating.agent), scale.value, str(score)).inc()

    for kind in (Named.QUEUE, Named.LINE):
        figures.each_new(kind, partial(target_at_zero, kind.value))
    figures.each_new(Named.AGENT, agent_at_zero)
    return count


RATINGS = RecordKind(
    record=Rating,
    table=ratings,
    began=ratings.c.came_ms,
    age=Age.RECORDS,
    ended_at_restart=_ended_at_restart,
    event=EventKind("rating", _event),
    metrics=_metrics,
)
