"""Service level: the share of callers who were answered in time, by a formula that is always named beside the figure.

T is the threshold, S the time within which hanging up says nothing about the service; both are inclusive. The formulas
differ only in how they count abandoned calls.
"""

from dataclasses import dataclass
from enum import StrEnum


class Formula(StrEnum):
    """How callers who gave up count."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"
    E = "E"
    F = "F"


FORMULAS = {
    Formula.A: "answered within T / (answered + abandoned - short abandons)",
    Formula.B: "answered within T / offered",
    Formula.C: "(answered + abandoned within T) / offered",
    Formula.D: "answered within T / (answered + abandoned after T)",
    Formula.E: "answered within T / answered",
    Formula.F: "(answered within T + short abandons) / offered",
}
"""The formulas in words."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a service level is made of; `short` are those of the abandoned who waited at most S."""

    offered: int
    answered: int
    answered_in_time: int
    abandoned: int
    abandoned_in_time: int
    short: int


def service_level(formula: Formula, waiting: Waiting) -> float | None:
    """The share, 0 to 1; None where the denominator is zero: nobody called."""
    w = waiting
    match formula:
        case Formula.A:
            return share(w.answered_in_time, w.answered + w.abandoned - w.short)
        case Formula.B:
            return share(w.answered_in_time, w.offered)
        case Formula.C:
            return share(w.answered_in_time + w.abandoned_in_time, w.offered)
        case Formula.D:
            return share(w.answered_in_time, w.answered + w.abandoned - w.abandoned_in_time)
        case Formula.E:
            return share(w.answered_in_time, w.answered)
        case Formula.F:
            return share(w.answered_in_time + w.short, w.offered)


def share(part: float, whole: float) -> float | None:
    """`part` of `whole`; None of nothing."""
    return part / whole if whole else None
