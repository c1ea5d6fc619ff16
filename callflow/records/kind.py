"""What a `RecordKind` says of a kind of record."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any, Generic, Protocol, TypeVar

import sqlalchemy as sa

from callflow.core.publishing.events import EventKind
from callflow.core.rings.records import Leg, Stay, Timing
from callflow.records.rows import Rows

R = TypeVar("R")

Record = Any
"""An instance of the class of some kind of record."""

metadata = sa.MetaData()
"""Every table of the database."""

OPEN = sa.text("open")
"""The condition of the indexes of what is open: only a query that has it word for word can use them."""

INTERRUPTED = "interrupted"
"""The mark of a record that a dead daemon has left open."""

UNKNOWN = "unknown"
"""The label value for what a record does not know."""


class Age(StrEnum):
    """Which of the two ages in [store] a record is deleted at."""

    DETAILS = "details"
    RECORDS = "records"


class Named(StrEnum):
    """Names that become labels of metrics. The number of each is bounded; further ones share the label `other`."""

    QUEUE = "queue"
    LINE = "line"
    AGENT = "agent"
    TRUNK = "trunk"


class Counter(Protocol):
    """A counter of prometheus_client."""

    def labels(self, *values: str) -> Any: ...


class Figures(Protocol):
    """What the metrics of a kind are made with. `label` is the label value to use for a name."""

    ring_s: tuple[float, ...]
    """Bounds in seconds that histograms of ringing must have."""
    wait_s: tuple[float, ...]

    def counter(self, name: str, text: str, labels: list[str]) -> Counter: ...
    def histogram(self, name: str, text: str, labels: list[str], buckets: Iterable[float]) -> Counter: ...
    def label(self, named: Named, name: str) -> str: ...
    def each_new(self, named: Named, start_at_zero: Callable[[str], None]) -> None: ...
    def unresolved(self, reason: str) -> None: ...


def count_doubts(figures: Figures, record: Leg | Stay) -> None:
    """Count a record that nobody saw all of, or that Asterisk did not stamp."""
    if record.partial:
        figures.unresolved("partial")
    if record.timing is Timing.ARRIVAL:
        figures.unresolved("no_time_stamp")


Count = Callable[[R], None]
"""Counts one record that has ended."""


@dataclass(frozen=True)
class RecordKind(Generic[R]):
    """One kind of record. Its class is a dataclass; `table` has a column of each field, and of `node` in its key."""

    record: type[R]
    table: sa.Table
    began: sa.Column[int]
    """When a record began, epoch ms. An index finds rows by it, or by `stored_by` and it."""
    age: Age
    """Deleted at the age of details, or of records; never while it is open."""
    ended_at_restart: Callable[[R, int], R] | None
    """How a start ends a record that a dead daemon has left open, given when the last thing known of it happened.

    None: the record goes on, and its owner in the daemon takes it up.
    """
    event: EventKind[R] | None = None
    """The event of a record that has ended; None for a kind without events."""
    metrics: Callable[[Figures], Count[R]] | None = None
    """Makes the metrics of the kind, and returns what counts a record that has ended."""
    stored_by: sa.Column[str] | None = None
    """Rows are stored together by this column; there is no index of `began` alone."""
    timeline: sa.Table | None = None
    """What happened during a record: its key, then seq and at_ms. Deleted at the age of details."""

    @cached_property
    def rows(self) -> Rows[R]:
        return Rows(self.record)

    @cached_property
    def key_fields(self) -> tuple[str, ...]:
        """The fields that identify a record."""
        return tuple(column.name for column in self.table.primary_key if column.name != "node")

    def key(self, record: R) -> tuple[str, ...]:
        """The same for every version of the same record."""
        return (self.table.name, *(str(getattr(record, name)) for name in self.key_fields))

    def row(self, record: R, node: str, *, final: bool, interrupted: bool = False) -> dict[str, Any]:
        """The row of a record; `interrupted`: a dead daemon left it open."""
        row = self.rows.row(record)
        row["node"] = node
        if "open" in self.table.c:
            row["open"] = not final
        if INTERRUPTED in self.table.c:
            row[INTERRUPTED] = interrupted
        return row

    def is_open(self, columns: Any) -> sa.ColumnElement[bool]:
        """More may follow; `columns` are the table's or those of a row to be inserted."""
        is_open: sa.ColumnElement[bool] = columns.open if "open" in columns else columns.ended_ms.is_(None)
        return is_open

    @property
    def open_rows(self) -> sa.ColumnElement[bool] | sa.TextClause:
        """The condition that the index of open rows has."""
        return OPEN if "open" in self.table.c else self.is_open(self.table.c)


def interrupted(marks: tuple[str, ...]) -> tuple[str, ...]:
    """The marks of a record that a dead daemon has left open."""
    return (*marks, INTERRUPTED)


class Kinds:
    """The kinds that a daemon keeps."""

    def __init__(self, *kinds: RecordKind[Any]) -> None:
        self._of: Mapping[type[Any], RecordKind[Any]] = {kind.record: kind for kind in kinds}

    def __iter__(self) -> Iterator[RecordKind[Any]]:
        return iter(self._of.values())

    def of(self, record: object) -> RecordKind[Any]:
        """The kind of a record; raises KeyError for something else."""
        return self._of[type(record)]
