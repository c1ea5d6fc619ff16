"""The closed set of measures that a service standard can name: how each is taken from what was counted."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from callflow.core.screening.states import Result
from callflow.core.service.grouping import Counted
from callflow.core.service.level import share
from callflow.core.service.tallies import AgentTime, CallBacks, Ratings, Rings, Screened, Service, Talk, WrapUps

T = TypeVar("T")
HOUR_MS = 3_600_000


class Unit(StrEnum):
    """How a level is written: a share in percent, a time in seconds."""

    PERCENT = "%"
    SECONDS = "s"
    RINGS = "rings"
    SCORE = "of 5"


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure; `value` is None where nothing was measured, `cases` is the number of cases it is made of."""

    text: str
    unit: Unit
    higher_is_better: bool
    value: Callable[[Counted], float | None]
    cases: Callable[[Counted], int]
    of_time: bool = False
    """It is made of the agents' time, which takes much longer to count than all else."""


def _rings(take: Callable[[Rings], T]) -> Callable[[Counted], T | None]:
    return lambda counted: None if counted.rings is None else take(counted.rings)


def _service(take: Callable[[Service], T]) -> Callable[[Counted], T | None]:
    return lambda counted: None if counted.service is None else take(counted.service)


def _talk(take: Callable[[Talk], T]) -> Callable[[Counted], T | None]:
    return lambda counted: None if counted.talk is None else take(counted.talk)


def _screened(take: Callable[[Screened], T]) -> Callable[[Counted], T | None]:
    return lambda counted: None if counted.screened is None else take(counted.screened)


def _ratings(take: Callable[[Ratings], T]) -> Callable[[Counted], T | None]:
    return lambda counted: None if counted.ratings is None else take(counted.ratings)


def _callbacks(take: Callable[[CallBacks], T]) -> Callable[[Counted], T | None]:
    return lambda counted: None if counted.callbacks is None else take(counted.callbacks)


def _wrap_ups(take: Callable[[WrapUps], T]) -> Callable[[Counted], T | None]:
    return lambda counted: None if counted.wrap_ups is None else take(counted.wrap_ups)


def _time(take: Callable[[AgentTime], T]) -> Callable[[Counted], T | None]:
    return lambda counted: None if counted.time is None else take(counted.time)


def _n(of: Callable[[Counted], int | None]) -> Callable[[Counted], int]:
    return lambda counted: of(counted) or 0


def _percent(of: Callable[[Counted], float | None]) -> Callable[[Counted], float | None]:
    return lambda counted: None if (found := of(counted)) is None else 100 * found


def _seconds(of: Callable[[Counted], float | None]) -> Callable[[Counted], float | None]:
    return lambda counted: None if (found := of(counted)) is None else found / 1000


def _silent(screened: Screened) -> int:
    return screened.results[Result.SILENT.value]


def _rescued(screened: Screened) -> int:
    return screened.results[Result.RESCUED.value]


def _rang(rings: Rings) -> int:
    return rings.answered + rings.unanswered


MEASURES: dict[str, Measure] = {
    "service_level": Measure(
        "share of callers answered in time, by the queue's formula",
        Unit.PERCENT,
        True,
        _percent(lambda counted: counted.service_level),
        _n(_service(lambda service: service.offered)),
    ),
    "time_to_answer": Measure(
        "mean wait of answered callers",
        Unit.SECONDS,
        False,
        _seconds(_service(lambda service: service.asa_ms)),
        _n(_service(lambda service: service.answered)),
    ),
    "abandonment": Measure(
        "share of offered callers who gave up",
        Unit.PERCENT,
        False,
        _percent(_service(lambda service: service.abandonment)),
        _n(_service(lambda service: service.offered)),
    ),
    "within_three_rings": Measure(
        "share of ringing calls answered within three rings",
        Unit.PERCENT,
        True,
        _percent(_rings(lambda rings: rings.within_three)),
        _n(_rings(_rang)),
    ),
    "mean_rings": Measure(
        "mean number of rings until the answer",
        Unit.RINGS,
        False,
        _rings(lambda rings: rings.mean_rings),
        _n(_rings(lambda rings: rings.answered)),
    ),
    "mean_talk": Measure(
        "mean talk time",
        Unit.SECONDS,
        False,
        _seconds(_talk(lambda talk: talk.mean_ms)),
        _n(_talk(lambda talk: talk.talks)),
    ),
    "silent_share": Measure(
        "share of screened callers who stayed silent",
        Unit.PERCENT,
        False,
        _percent(_screened(lambda screened: share(_silent(screened), screened.calls))),
        _n(_screened(lambda screened: screened.calls)),
    ),
    "rescued_share": Measure(
        "share of the callers who were silent until the goodbye and were then heard",
        Unit.PERCENT,
        True,
        _percent(_screened(lambda screened: share(_rescued(screened), _rescued(screened) + _silent(screened)))),
        _n(_screened(lambda screened: _rescued(screened) + _silent(screened))),
    ),
    "efficiency": Measure(
        "mean rating of how quickly callers were helped",
        Unit.SCORE,
        True,
        _ratings(lambda ratings: ratings.efficiency),
        _n(_ratings(lambda ratings: ratings.efficiency_n)),
    ),
    "attitude": Measure(
        "mean rating of how kindly callers were treated",
        Unit.SCORE,
        True,
        _ratings(lambda ratings: ratings.attitude),
        _n(_ratings(lambda ratings: ratings.attitude_n)),
    ),
    "correctness": Measure(
        "mean rating of how well questions were answered",
        Unit.SCORE,
        True,
        _ratings(lambda ratings: ratings.correctness),
        _n(_ratings(lambda ratings: ratings.correctness_n)),
    ),
    "response_rate": Measure(
        "share of the callers asked to rate who answered",
        Unit.PERCENT,
        True,
        _percent(_ratings(lambda ratings: ratings.response_rate)),
        _n(_ratings(lambda ratings: ratings.asked)),
    ),
    "callbacks_reached": Measure(
        "share of settled call-backs whose caller was reached",
        Unit.PERCENT,
        True,
        _percent(_callbacks(lambda callbacks: callbacks.reached_share)),
        _n(_callbacks(lambda callbacks: callbacks.settled)),
    ),
    "time_to_reach": Measure(
        "mean time from raising a call-back until its caller is reached",
        Unit.SECONDS,
        False,
        _seconds(_callbacks(lambda callbacks: callbacks.mean_reach_ms)),
        _n(_callbacks(lambda callbacks: callbacks.reached)),
    ),
    "wrap_up": Measure(
        "mean length of a wrap-up",
        Unit.SECONDS,
        False,
        _seconds(_wrap_ups(lambda wrapped: wrapped.mean_ms)),
        _n(_wrap_ups(lambda wrapped: wrapped.wrap_ups)),
    ),
    "occupancy": Measure(
        "share of the agents' time on duty spent talking; a case is an hour on duty",
        Unit.PERCENT,
        True,
        _percent(_time(lambda time: time.occupancy)),
        _n(_time(lambda time: (time.available + time.ringing + time.talking + time.calling) // HOUR_MS)),
        of_time=True,
    ),
}
