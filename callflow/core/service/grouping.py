"""What is counted, for whom and when; and how counts of different things come together in the rows of a report.

Time is counted in *slots*: local hours or days, counted from the epoch's beginning in local time. A span has one offset
from UTC, so a change of the clocks parts a day in two spans, whose slots add up again.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from enum import StrEnum

from callflow.core.service.level import Formula, service_level
from callflow.core.service.tallies import AgentTime, CallBacks, Ratings, Rings, Screened, Service, Talk, WrapUps
from callflow.core.service.targets import QueueTarget, Targets

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


class Whom(StrEnum):
    """What a figure can be of."""

    QUEUE = "queue"
    AGENT = "agent"
    LINE = "line"


@dataclass(frozen=True, slots=True)
class Span:
    """From `start_ms` up to, not including, `end_ms`; local time is UTC plus `offset_ms` all through."""

    start_ms: int
    end_ms: int
    offset_ms: int = 0

    def slot(self, at_ms: int, slot_ms: int) -> int:
        """The slot that a moment is in."""
        return (at_ms + self.offset_ms) // slot_ms

    def pieces(self, slot_ms: int | None) -> Iterator["Span"]:
        """The span cut into its slots; whole for None."""
        at_ms = self.start_ms
        while at_ms < self.end_ms:
            next_ms = self.end_ms if slot_ms is None else (self.slot(at_ms, slot_ms) + 1) * slot_ms - self.offset_ms
            yield Span(at_ms, min(next_ms, self.end_ms), self.offset_ms)
            at_ms = next_ms


@dataclass(frozen=True, slots=True)
class Scope:
    """Only these; an empty tuple is all of them."""

    queues: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    node: str | None = None

    def names(self, whom: Whom) -> tuple[str, ...]:
        """The names asked for."""
        return {Whom.QUEUE: self.queues, Whom.AGENT: self.agents, Whom.LINE: self.lines}[whom]

    def asked(self) -> set[Whom]:
        """Which of the three are limited."""
        return {whom for whom in Whom if self.names(whom)}


@dataclass(frozen=True, slots=True)
class Question:
    """How to group (`by`, and slots of `slot_ms`; None: not by time) and what to include.

    A record that lacks a name that is asked for is not counted.
    """

    targets: Targets
    by: frozenset[Whom] = frozenset()
    slot_ms: int | None = None
    scope: Scope = Scope()

    def whom(self) -> frozenset[Whom]:
        """The names that a record must have to be counted."""
        return self.by | self.scope.asked()


@dataclass(frozen=True, slots=True)
class Key:
    """Which group a figure belongs to; None where the figures are not grouped by that."""

    queue: str | None = None
    agent: str | None = None
    line: str | None = None
    slot: int | None = None

    def name(self, whom: Whom) -> str | None:
        """The name of the queue, agent or line."""
        return {Whom.QUEUE: self.queue, Whom.AGENT: self.agent, Whom.LINE: self.line}[whom]


@dataclass(frozen=True, slots=True)
class Counted:
    """All that was counted for one row; None for what was not measured there at all."""

    rings: Rings | None = None
    service: Service | None = None
    talk: Talk | None = None
    screened: Screened | None = None
    time: AgentTime | None = None
    ratings: Ratings | None = None
    callbacks: CallBacks | None = None
    """Counted for standards alone."""
    wrap_ups: WrapUps | None = None
    """Counted for standards, and for an agent's figures."""
    targets: frozenset[QueueTarget] = frozenset()
    """The standards that `service` was counted by."""

    @property
    def formula(self) -> Formula | None:
        """The formula of the service level that all queues share; None if they do not."""
        formulas = {target.formula for target in self.targets}
        return formulas.pop() if len(formulas) == 1 else None

    @property
    def service_level(self) -> float | None:
        """The service level by that formula; None without one: figures of different formulas do not add up."""
        if self.service is None or self.formula is None:
            return None
        return service_level(self.formula, self.service.waiting)

    def __add__(self, other: "Counted") -> "Counted":
        values = {}
        for name in (field.name for field in fields(self)):
            mine, theirs = getattr(self, name), getattr(other, name)
            if name == "targets":
                values[name] = mine | theirs
            else:
                values[name] = theirs if mine is None else mine if theirs is None else mine + theirs
        return Counted(**values)


def gathered(parts: Iterable[tuple[Key, Counted]]) -> dict[Key, Counted]:
    """Parts with the same key, added up."""
    sums: dict[Key, Counted] = {}
    for key, counted in parts:
        sums[key] = sums[key] + counted if key in sums else counted
    return sums


def total(rows: Iterable[Counted]) -> Counted:
    """All rows added up."""
    return sum(rows, Counted())
