"""Erlang C: how long callers wait for a number of agents, if they come at random and none gives up (Erlang, 1917).

A load is given in erlangs: calls in an interval, times the time that one takes, over the length of the interval. The
blocking of Erlang B is built up agent by agent, which neither overflows nor loses digits for any load.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

MOST_AGENTS = 1_000_000


@dataclass(frozen=True, slots=True)
class Load:
    """The work to be done: `erlangs` of it, in calls that take `handling_s` each."""

    erlangs: float
    handling_s: float


@dataclass(frozen=True, slots=True)
class Goal:
    """`in_time` (a share) of the callers answered within `threshold_s`, agents busy at most `occupancy` (a share)."""

    in_time: float
    threshold_s: float
    occupancy: float = 1.0


@dataclass(frozen=True, slots=True)
class Staffed:
    """The result for a number of agents; `asa_s`, the mean wait, is None if the queue grows without end."""

    agents: int
    waiting: float
    """Share of callers who have to wait at all."""
    in_time: float
    asa_s: float | None
    occupancy: float

    def reaches(self, goal: Goal) -> bool:
        """The goal is met."""
        return self.asa_s is not None and self.in_time >= goal.in_time and self.occupancy <= goal.occupancy


def staffings(load: Load, threshold_s: float) -> Iterator[Staffed]:
    """The results for 1, 2, 3, ... agents."""
    blocked = 1.0
    for agents in count(1):
        blocked = load.erlangs * blocked / (agents + load.erlangs * blocked)
        yield _staffed(load, threshold_s, agents, blocked)


def agents_needed(load: Load, goal: Goal) -> int | None:
    """The fewest agents who reach the goal; None if a million do not."""
    for staffed in staffings(load, goal.threshold_s):
        if staffed.reaches(goal):
            return staffed.agents
        if staffed.agents >= MOST_AGENTS:
            return None
    return None


def _staffed(load: Load, threshold_s: float, agents: int, blocked: float) -> Staffed:
    spare = agents - load.erlangs
    if spare <= 0:
        return Staffed(agents, waiting=1.0, in_time=0.0, asa_s=None, occupancy=1.0)
    waiting = agents * blocked / (spare + load.erlangs * blocked)
    in_time = 1 - waiting * math.exp(-spare * threshold_s / load.handling_s)
    return Staffed(agents, waiting, in_time, waiting * load.handling_s / spare, load.erlangs / agents)
