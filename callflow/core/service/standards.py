"""Service standards (row A5): what is promised, and how what was measured compares with it.

MSA, the measure of service adequacy, is perceived - adequate; MSS, the measure of service superiority, is
perceived - desired. Where lower is better the signs are reversed: above zero is always good.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Literal, Self

from pydantic import Field, model_validator

from callflow.core.section import Section
from callflow.core.service.grouping import Counted, Scope
from callflow.core.service.measures import MEASURES, Measure

REVIEW_DAYS = 365


class Standard(Section):
    """One standard of the file."""

    name: str = Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f/+#$]+$", description="What it is called.")
    measure: str = Field(description="One of the measures of docs/standards.md.")
    adequate: float = Field(description="The level below which service is not adequate, in the unit of the measure.")
    desired: float = Field(description="The level to reach, in the same unit.")
    better: Literal["higher", "lower"] | None = Field(
        None, description="Which direction is better; left out: the measure's own."
    )
    queues: tuple[str, ...] = Field((), description="Only these queues; empty: all.")
    agents: tuple[str, ...] = Field((), description="Only these agents, by work number; empty: all.")
    lines: tuple[str, ...] = Field((), description="Only these direct lines; empty: all.")
    min_cases: int = Field(30, ge=1, le=1_000_000, description="With fewer cases the standard is not judged.")
    owner: str = Field(min_length=1, description="Who answers for it.")
    reviewed: date | None = Field(None, description="When it was reviewed last, as 2026-01-31.")

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.measure not in MEASURES:
            raise ValueError(f"there is no measure {self.measure!r}; it must be one of {', '.join(MEASURES)}")
        if (self.desired - self.adequate) * self.sign < 0:
            direction = "above" if self.sign > 0 else "below"
            raise ValueError(
                f"adequate ({self.adequate:g}) is {direction} desired ({self.desired:g}), "
                f"but {'higher' if self.sign > 0 else 'lower'} is better"
            )
        if sum(map(bool, (self.queues, self.agents, self.lines))) > 1 and not (self.queues and self.agents):
            raise ValueError("no record has both a line and a queue or an agent: name one of them")
        return self

    @property
    def taken(self) -> Measure:
        """How it is measured."""
        return MEASURES[self.measure]

    @property
    def sign(self) -> int:
        """1 where higher is better, else -1."""
        higher = self.taken.higher_is_better if self.better is None else self.better == "higher"
        return 1 if higher else -1

    @property
    def scope(self) -> Scope:
        """What it is measured over."""
        return Scope(self.queues, self.agents, self.lines)

    def overdue(self, today: date) -> bool:
        """It was not reviewed within a year."""
        return self.reviewed is None or (today - self.reviewed).days > REVIEW_DAYS


class Light(StrEnum):
    """The judgement, by its colour."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"
    NONE = "none"
    """Too few cases."""


class Trend(StrEnum):
    """Compared with the period before."""

    BETTER = "better"
    SAME = "same"
    WORSE = "worse"
    UNKNOWN = "unknown"
    """Too few cases in one of the two."""


WORDS = {
    Light.GREEN: "desired level reached",
    Light.YELLOW: "adequate",
    Light.RED: "below adequate",
    Light.NONE: "too few cases",
}


@dataclass(frozen=True, slots=True)
class Judged:
    """One standard, as a period was. Levels are in the unit of the measure."""

    standard: Standard
    perceived: float | None
    cases: int
    before: float | None
    """Perceived in the period before; None with too few cases."""
    overdue: bool

    @property
    def enough(self) -> bool:
        """There are cases enough to judge."""
        return self.perceived is not None and self.cases >= self.standard.min_cases

    @property
    def msa(self) -> float | None:
        """Perceived - adequate, above zero where service is adequate; None with too few cases."""
        return self._above(self.standard.adequate)

    @property
    def mss(self) -> float | None:
        """Perceived - desired, above zero where the desired level is passed; None with too few cases."""
        return self._above(self.standard.desired)

    @property
    def light(self) -> Light:
        """The judgement."""
        if self.msa is None or self.mss is None:
            return Light.NONE
        if self.mss >= 0:
            return Light.GREEN
        return Light.YELLOW if self.msa >= 0 else Light.RED

    @property
    def trend(self) -> Trend:
        """Against the period before."""
        if not self.enough or self.perceived is None or self.before is None:
            return Trend.UNKNOWN
        change = (self.perceived - self.before) * self.standard.sign
        if abs(change) < 1e-9:
            return Trend.SAME
        return Trend.BETTER if change > 0 else Trend.WORSE

    @property
    def words(self) -> str:
        """The judgement for people who see no colours."""
        if self.light is not Light.NONE:
            return WORDS[self.light]
        return f"{WORDS[Light.NONE]}: {self.cases} of {self.standard.min_cases}"

    def _above(self, level: float) -> float | None:
        if not self.enough or self.perceived is None:
            return None
        # Rounded: 80.1 - 80.1 in percent must not be judged by the last bit.
        return round((self.perceived - level) * self.standard.sign, 6) + 0.0


def judge(standard: Standard, now: Counted, before: Counted, today: date) -> Judged:
    """Compare what was counted in a period, and in the one before it, with a standard."""
    taken = standard.taken
    enough_before = taken.cases(before) >= standard.min_cases
    return Judged(
        standard,
        taken.value(now),
        taken.cases(now),
        taken.value(before) if enough_before else None,
        standard.overdue(today),
    )
