"""When the calls of a scenario come: in order of time, the same for the same seed."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice, takewhile
from math import inf
from random import Random

from callflow.scenarios.scenario import CallerGroup, Scenario

_HOUR_S = 3600.0
_DAY_S = 86400.0


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """One call to be placed at `at_s` seconds after the beginning; `index` counts all calls from 0, in this order."""

    at_s: float
    caller: CallerGroup
    number: str
    name: str
    index: int


def schedule(scenario: Scenario) -> Iterator[PlannedCall]:
    """Every call in order of time; the memory does not grow with their number."""
    groups = [_group(scenario, place) for place in range(len(scenario.callers))]
    for index, (at_s, place, turn) in enumerate(heapq.merge(*groups)):
        caller = scenario.callers[place]
        yield PlannedCall(at_s, caller, caller.number_of(turn), caller.caller_name, index)


def expected_calls(scenario: Scenario) -> float:
    """How many calls there will be, on average: the length of a progress bar."""
    return sum(_expected(caller, scenario.lasts_s or inf) for caller in scenario.callers)


def _group(scenario: Scenario, place: int) -> Iterator[tuple[float, int, int]]:
    """Time, place of the group in the file, and turn within the group."""
    caller, ends_s = scenario.callers[place], scenario.lasts_s or inf
    moments = takewhile(lambda at_s: at_s <= ends_s, _moments(caller, Random(f"{scenario.seed} {caller.name}")))
    return ((at_s, place, turn) for turn, at_s in enumerate(islice(moments, caller.calls)))


def _moments(caller: CallerGroup, chance: Random) -> Iterator[float]:
    if caller.at_s is not None:
        yield from sorted(caller.at_s)
    elif caller.rate_per_s is not None:
        now = 0.0
        while True:
            now += chance.expovariate(caller.rate_per_s)
            yield now
    elif caller.per_hour is not None:
        yield from _over_the_day(caller.per_hour, _starts_s(caller), chance)


def _over_the_day(per_hour: tuple[float, ...], starts_s: float, chance: Random) -> Iterator[float]:
    """A Poisson process whose rate changes at every full hour: a gap is used up at the rate of each hour it crosses."""
    now = starts_s
    for hour in count(int(starts_s // _HOUR_S)):
        rate, ends_s = per_hour[hour % 24] / _HOUR_S, (hour + 1) * _HOUR_S
        while rate:
            now += chance.expovariate(rate)
            if now >= ends_s:
                break  # memoryless: the rest of the gap is drawn again at the next hour's rate
            yield now - starts_s
        now = ends_s


def _starts_s(caller: CallerGroup) -> float:
    start = caller.day_starts_at
    return start.hour * _HOUR_S + start.minute * 60.0 + start.second


def _expected(caller: CallerGroup, lasts_s: float) -> float:
    if caller.at_s is not None:
        calls = float(len(caller.at_s))
    elif caller.rate_per_s is not None:
        calls = caller.rate_per_s * lasts_s
    else:
        calls = _over_hours(caller, lasts_s) if lasts_s < inf else inf
    return min(calls, caller.calls or inf)


def _over_hours(caller: CallerGroup, lasts_s: float) -> float:
    per_hour = caller.per_hour or ()
    days, rest_s = divmod(lasts_s, _DAY_S)
    start, total = _starts_s(caller), days * sum(per_hour)
    end, hour = start + rest_s, int(start // _HOUR_S)
    while hour * _HOUR_S < end:
        covered_s = min(end, (hour + 1) * _HOUR_S) - max(start, hour * _HOUR_S)
        total += per_hour[hour % 24] * covered_s / _HOUR_S
        hour += 1
    return total
