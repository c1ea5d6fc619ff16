"""What the daemon may hold after its calls have ended: every place that grows with calls, callers or agents, and why.

`docs/operations.md` has the same plan in words. A place that grows and is not in it is a leak.
"""

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from signal import SIGUSR1
from typing import Any

from callflow.processes.daemon import Daemon
from tests.bench.watched_daemon import HOLDINGS

PLANNED = {
    "*._state.ended.*": "what ended in the last three to six minutes",
    "*._short_calls.*": "callers whose last calls were short: 50,000, for call-backs and for alerts",
    "*._trunks*": "calls of each trunk within its window: 100,000",
    "*.by_queue*": "stays and offers of each queue within its window: 20,000",
    "*._desk._asked": "callers who were asked to rate: 50,000",
    "*._confirmed._recent*": "events that the broker confirmed last",
    "*.board.*": "live states, and 1,000 that were removed",
    "*._messages._held": "live states that the broker retains",
    "*.live._state*": "live states as the page shows them",
    "*._today.*": "figures of each agent",
    "*.sample.*": "how the daemon is now, by agent and queue",
    "*._names.*": "work numbers by phone",
    "*._labels*": "names that have metrics",
    "*._wrap_ups._last*": "the last talk of each agent",
    "*.desk._entries.*": "the call-back list",
    "*._answered.*": "bridges and call-backs: 2,000",
    "*._kinds.*": "kinds of record: fixed",
    "*.session.config": "an AMI session: fixed",
    "*._loop_lag.*": "latest lags of the loop",
}
BASE_MB = 190.0
"""Everything enabled and 200 agents, before any caller is remembered."""
PER_CALL_MB = 0.1
"""For each call under way: it lasts 15 s in the soak."""
LASTS_S = 15.0
PER_CALLER_MB = 0.0018
"""For each caller who is remembered, in every window together."""
CALLERS = 50_000
SPARE = 1.25
"""What the allocator keeps free: the largest share that was seen."""
SETTLE_S = 2.0
SETTLES = 15
"""Looks at a daemon whose calls have just ended: on a busy machine it lags behind."""
TELL_S = 300.0
"""To look at every object of a daemon that has served 150,000 calls."""


@dataclass(frozen=True)
class Held:
    """What the daemon's objects hold, by place; and our own objects that only the collector would free, by class."""

    holdings: Mapping[str, int] = field(default_factory=dict)
    cycles: Mapping[str, int] = field(default_factory=dict)


async def held(daemon: Daemon) -> Held:
    """Ask a daemon that was started as `tests.bench.watched_daemon`; raises TimeoutError."""
    file = daemon.work / HOLDINGS
    file.unlink(missing_ok=True)
    daemon.send_signal(SIGUSR1)
    async with asyncio.timeout(TELL_S):
        while not file.exists():  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.1)
    told: dict[str, Any] = json.loads(file.read_text())
    return Held(told["holdings"], told["cycles"])


async def settled(daemon: Daemon, before: Held, calls: int) -> Held:
    """What it holds once nothing is unplanned, or half a minute after its calls. The first look frees the cycles."""
    first = after = await held(daemon)
    for _ in range(SETTLES):
        if not any(unplanned(before, Held(after.holdings), calls)):
            break
        await asyncio.sleep(SETTLE_S)
        after = await held(daemon)
    return Held(after.holdings, first.cycles)


def unplanned(before: Held, after: Held, calls: int) -> Iterator[str]:
    """Places that grew by more than one thing in twenty calls and are not planned; classes that leave cycles behind."""
    allowed = max(5, calls // 20)
    for place, number in sorted(after.holdings.items()):
        grown = number - before.holdings.get(place, 0)
        if grown > allowed and not any(fnmatchcase(place, pattern) for pattern in PLANNED):
            yield f"{place} has grown by {grown}"
    for name, number in sorted(after.cycles.items()):
        if number > allowed:
            yield f"{number} of {name} wait for the garbage collector"


def planned_mb(rate: float, calls: int) -> float:
    """The most memory that the daemon may have after so many calls at this rate, MB."""
    return SPARE * (BASE_MB + PER_CALL_MB * LASTS_S * rate + PER_CALLER_MB * min(calls, CALLERS))
