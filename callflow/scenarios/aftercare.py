"""What is left after the calls: the call-back list and the ratings, as expected and as the daemon has recorded them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import Field

from callflow.core.callbacks.attempt import Outcome
from callflow.core.callbacks.entry import Reason
from callflow.core.callbacks.states import State
from callflow.scenarios.behaviour import Expected, Strict


class CommandRun(Strict):
    """A command of callflow that is run beside the daemon, as an operator would."""

    at_s: float = Field(ge=0, allow_inf_nan=False, description="Seconds after the scenario's beginning.")
    run: str = Field(min_length=1, description="What follows `callflow`, as a shell takes it.")
    exit_code: int = Field(0, description="The exit code that it must have.")


class ExpectedCallback(Strict):
    """One entry that must be on the call-back list at the end."""

    number: str = Field(description="The caller's number.")
    reasons: tuple[Reason, ...] = Field(min_length=1, description="Why; in any order.")
    state: State = Field(State.DONE, description="Where the entry stands.")
    outcomes: tuple[Outcome, ...] | None = Field(None, description="How its calls ended, in order.")
    spoken_name: bool = Field(False, description="The caller has said a name, and its file is there.")


@dataclass(frozen=True, slots=True)
class SeenCallback:
    """One entry of the list; `outcomes` are those of its calls, "" for a call that lasts."""

    number: str
    reasons: tuple[str, ...]
    state: str
    outcomes: tuple[str, ...]
    spoken_name: bool = False
    """There is one, and its file."""


@dataclass(frozen=True, slots=True)
class SeenRating:
    """The outcome of one rating: `rated`, `partly_rated`, `unrated` or `not_asked:REASON`; 0 is no answer."""

    call_id: str
    result: str
    scores: tuple[int, ...]
    ended: bool


@dataclass(frozen=True, slots=True)
class Aftercare:
    """All that the daemon has recorded so far."""

    callbacks: tuple[SeenCallback, ...] = ()
    ratings: tuple[SeenRating, ...] = ()


def disagreements(
    seen: Aftercare,
    callbacks: Sequence[ExpectedCallback] | None,
    groups: Iterable[tuple[str, Expected, Sequence[str]]],
) -> list[str]:
    """What differs, in sentences; `groups`: name, expectation and Uniqueids of each group of callers."""
    found = [] if callbacks is None else list(_of_callbacks(seen.callbacks, callbacks))
    ratings = {rating.call_id: rating for rating in seen.ratings}
    for name, expect, uniqueids in groups:
        found += _of_ratings(name, expect, uniqueids, ratings)
    return found


def _of_callbacks(seen: Iterable[SeenCallback], expected: Sequence[ExpectedCallback]) -> Iterator[str]:
    left = {callback.number: callback for callback in expected}
    for entry in seen:
        wanted = left.pop(entry.number, None)
        if wanted is None:
            yield f"call-back {entry.number} ({', '.join(entry.reasons)}) is not expected"
            continue
        if set(entry.reasons) != set(wanted.reasons):
            yield f"call-back {entry.number}: reasons {', '.join(entry.reasons)}, expected {', '.join(wanted.reasons)}"
        if entry.state != wanted.state:
            yield f"call-back {entry.number}: {entry.state}, expected {wanted.state}"
        if entry.spoken_name != wanted.spoken_name:
            names = {True: "a spoken name", False: "no spoken name"}
            yield f"call-back {entry.number}: {names[entry.spoken_name]}, expected {names[wanted.spoken_name]}"
        if wanted.outcomes is not None and entry.outcomes != wanted.outcomes:
            yield f"call-back {entry.number}: calls ended {_list(entry.outcomes)}, expected {_list(wanted.outcomes)}"
    yield from (f"call-back {number} is not on the list" for number in left)


def _of_ratings(
    name: str, expect: Expected, uniqueids: Iterable[str], ratings: Mapping[str, SeenRating]
) -> Iterator[str]:
    if not expect.after_the_call:
        return
    for uniqueid in uniqueids:
        rating = ratings.get(uniqueid)
        if rating is None or not rating.ended:
            yield f"{name}: no rating has ended"
            continue
        if expect.rating not in (None, rating.result):
            yield f"{name}: {rating.result}, expected {expect.rating}"
        if expect.scores not in (None, rating.scores):
            yield f"{name}: answers {_list(rating.scores)}, expected {_list(expect.scores or ())}"


def _list(values: Iterable[object]) -> str:
    return ", ".join(map(str, values)) or "none"
