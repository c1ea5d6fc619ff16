"""Transfers: an agent has handed a caller over."""

import sqlalchemy as sa

from callflow.core.publishing.envelope import utc
from callflow.core.publishing.events import EventFacts, EventKind
from callflow.core.publishing.privacy import Pseudonymizer
from callflow.core.rings.records import Transfer, TransferKind
from callflow.records.kind import OPEN, Age, Count, Figures, RecordKind, metadata

transfers = sa.Table(
    "transfers",
    metadata,
    sa.Column("transfer_id", sa.Text, primary_key=True),
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("call_id", sa.Text, nullable=False),
    sa.Column("agent", sa.Text, nullable=False),
    sa.Column("queue", sa.Text, nullable=False),
    sa.Column("line", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("at_ms", sa.BigInteger, nullable=False),
    sa.Column("open", sa.Boolean, nullable=False),
    sa.Index("ix_transfers_at", "at_ms"),
    sa.Index("ix_transfers_open", "node", sqlite_where=OPEN),
)
"""One row per transfer; none is ever open."""


def _event(transfer: Transfer, names: Pseudonymizer) -> EventFacts:
    data = {
        "transfer_id": transfer.transfer_id,
        "agent": names.name(transfer.agent),
        "queue": names.name(transfer.queue),
        "line": names.name(transfer.line),
        "kind": transfer.kind.value,
        "target": names.name(transfer.target),
        "at": utc(transfer.at_ms),
    }
    return EventFacts(transfer.transfer_id, transfer.call_id, transfer.at_ms, data)


def _metrics(figures: Figures) -> Count[Transfer]:
    counted = figures.counter("callflow_transfers", "Callers whom an agent has handed over.", ["kind"])
    for kind in TransferKind:
        counted.labels(kind.value)

    def count(transfer: Transfer) -> None:
        counted.labels(transfer.kind.value).inc()

    return count


TRANSFERS = RecordKind(
    record=Transfer,
    table=transfers,
    began=transfers.c.at_ms,
    age=Age.DETAILS,
    ended_at_restart=None,
    event=EventKind("transfer", _event),
    metrics=_metrics,
)
