"""Counts the results of calls; the memory does not grow with their number."""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from callflow.scenarios.aftercare import Aftercare
from callflow.scenarios.daemon_view import DaemonView
from callflow.scenarios.scenario import Scenario
from callflow.scenarios.seen import SeenCall

KEPT = 1000
HEARD = ("spoke", "key", "rescued")


@dataclass(slots=True)
class Progress:
    """How far a run is; `in_progress` counts the calls that have not ended, by state."""

    now_s: float = 0.0
    placed: int = 0
    ended: int = 0
    in_progress: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class GroupTally:
    """The results of one group of callers."""

    calls: int = 0
    passed: int = 0
    unjudged: int = 0
    agent: int = 0
    results: Counter[str] = field(default_factory=Counter)
    first_disagreement: str = ""


@dataclass(slots=True)
class Tally:
    """The results of all calls; keeps the first thousand calls whole, and the first thousand that disagree."""

    groups: dict[str, GroupTally] = field(default_factory=dict)
    calls: list[SeenCall] = field(default_factory=list)
    disagreeing: list[SeenCall] = field(default_factory=list)
    placed: int = 0
    lasted_s: float = 0.0
    aftercare: Aftercare = field(default_factory=Aftercare)
    """Call-backs and ratings of a scenario that expects some."""
    wrong_after: list[str] = field(default_factory=list)
    """What differs in them, and commands that failed, in sentences."""

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
        """Calls for which nobody could tell whether they ended as expected."""
        return sum(group.unjudged for group in self.groups.values())

    @property
    def results(self) -> Counter[str]:
        """How many calls had each result."""
        return sum((group.results for group in self.groups.values()), Counter())

    @property
    def lost(self) -> int:
        """Calls that were placed and whose end was not seen."""
        return max(0, self.placed - self.ended)

    @property
    def succeeded(self) -> bool:
        """Every call ended once, and nothing disagrees with the scenario."""
        return self.placed == self.ended == self.passed + self.unjudged and not self.wrong_after


@dataclass(slots=True)
class Run:
    """One run of a scenario; filled while its calls are placed. `daemon` is None while its database is not known."""

    scenario: Scenario
    progress: Progress = field(default_factory=Progress)
    tally: Tally = field(default_factory=Tally)
    daemon: DaemonView | None = None
    heard: Counter[str] = field(default_factory=Counter)
    """Calls by what the daemon heard of their sound."""
    hide: Callable[[], Awaitable[None]] | None = None
    """Ends the live view; set while there is one."""
    stay: Callable[[str], Awaitable[None]] | None = None
    """Awaited with the address of the daemon's page once every call has ended, while the daemon still runs."""
