"""Counting what came of the calls: the same memory for ten of them and for ten million."""

from collections import Counter
from dataclasses import dataclass, field

from callflow.scenarios.seen import SeenCall

KEPT = 1000
HEARD = ("spoke", "key", "rescued")


@dataclass(slots=True)
class Progress:
    """Where a run is; `in_progress` counts the calls that have not ended, by state."""

    now_s: float = 0.0
    placed: int = 0
    ended: int = 0
    in_progress: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class GroupTally:
    """What came of one group's calls."""

    calls: int = 0
    passed: int = 0
    unjudged: int = 0
    agent: int = 0
    results: Counter[str] = field(default_factory=Counter)
    first_disagreement: str = ""


@dataclass(slots=True)
class Tally:
    """What came of all of them; the first thousand calls, and the first that disagree, are kept whole."""

    groups: dict[str, GroupTally] = field(default_factory=dict)
    calls: list[SeenCall] = field(default_factory=list)
    disagreeing: list[SeenCall] = field(default_factory=list)
    placed: int = 0
    lasted_s: float = 0.0

    def add(self, seen: SeenCall) -> None:
        """Count one call that has ended."""
        group = self.groups.setdefault(seen.caller, GroupTally())
        group.calls += 1
        group.passed += seen.passed
        group.unjudged += not seen.judged and not seen.disagreements
        group.agent += bool(seen.agent)
        group.results[seen.result or "unknown"] += 1
        if len(self.calls) < KEPT:
            self.calls.append(seen)
        if seen.disagreements:
            group.first_disagreement = group.first_disagreement or "; ".join(seen.disagreements)
            if len(self.disagreeing) < KEPT:
                self.disagreeing.append(seen)

    @property
    def ended(self) -> int:
        return sum(group.calls for group in self.groups.values())

    @property
    def passed(self) -> int:
        return sum(group.passed for group in self.groups.values())

    @property
    def unjudged(self) -> int:
        """Calls of which nobody could tell whether they ended as expected."""
        return sum(group.unjudged for group in self.groups.values())

    @property
    def results(self) -> Counter[str]:
        """How many calls had each result."""
        return sum((group.results for group in self.groups.values()), Counter())

    @property
    def lost(self) -> int:
        """Calls that were placed and of which no end was seen."""
        return max(0, self.placed - self.ended)

    @property
    def all_well(self) -> bool:
        """Every call was accounted for, exactly once, and none ended otherwise than its scenario says."""
        return self.placed == self.ended == self.passed + self.unjudged
