"""Every state of an entry of the call-back list, and every step between them.

A step that the table does not name raises IllegalStep and changes nothing. `DONE` and `GIVEN_UP` are final. An entry in
any other state is *live*: the database allows one live entry for each caller and day.
"""

from enum import StrEnum


class State(StrEnum):
    """The state of an entry."""

    OPEN = "open"
    CLAIMED = "claimed"
    """An agent or a person has taken it on."""
    DIALLING = "dialling"
    """callflow is placing the call, or the call lasts."""
    TRIED = "tried"
    """The last call did not reach the caller; the next one is due at `due_ms`."""
    UNKNOWN = "unknown"
    """Nobody saw the outcome of the last call: a person decides."""
    DONE = "done"
    GIVEN_UP = "given_up"


class Step(StrEnum):
    """What happens to an entry."""

    CLAIM = "claim"
    RELEASE = "release"
    DIAL = "dial"
    UNDIAL = "undial"
    """The call-back was not placed, or the caller's phone was never dialled."""
    REACH = "reach"
    MISS = "miss"
    EXHAUST = "exhaust"
    """Not reached, and no attempt is left."""
    LOSE = "lose"
    """Nobody saw the outcome."""
    ANSWER = "answer"
    """Another call with the caller was answered."""
    DONE = "done"
    """A person says that it is settled."""
    REOPEN = "reopen"
    GIVE_UP = "give_up"


class ByHand(StrEnum):
    """The steps that a person takes; the daemon takes those of a call, which `DIAL` asks for."""

    CLAIM = Step.CLAIM
    RELEASE = Step.RELEASE
    REOPEN = Step.REOPEN
    DONE = Step.DONE
    GIVE_UP = Step.GIVE_UP


class IllegalStep(ValueError):
    """A step that is not allowed in this state; nothing was changed."""

    def __init__(self, state: State, step: Step) -> None:
        super().__init__(f"{step.value} is not possible in state {state.value}")
        self.state, self.step = state, step


_ENDS = {Step.ANSWER: State.DONE, Step.DONE: State.DONE, Step.GIVE_UP: State.GIVEN_UP}
_WAITS = {Step.CLAIM: State.CLAIMED, Step.DIAL: State.DIALLING, **_ENDS}

TRANSITIONS: dict[State, dict[Step, State]] = {
    State.OPEN: _WAITS,
    State.TRIED: _WAITS,
    State.CLAIMED: {Step.RELEASE: State.OPEN, Step.DIAL: State.DIALLING, **_ENDS},
    State.UNKNOWN: {Step.REOPEN: State.OPEN, **_WAITS},
    State.DIALLING: {
        Step.UNDIAL: State.OPEN,
        Step.REACH: State.DONE,
        Step.MISS: State.TRIED,
        Step.EXHAUST: State.GIVEN_UP,
        Step.LOSE: State.UNKNOWN,
        Step.ANSWER: State.DONE,
    },
    State.DONE: {},
    State.GIVEN_UP: {},
}

LIVE = tuple(state for state, steps in TRANSITIONS.items() if steps)
WAITING = (State.OPEN, State.TRIED)
"""States in which an entry may be dialled automatically."""


def after(state: State, step: Step) -> State:
    """The state that a step leads to; raises IllegalStep."""
    try:
        return TRANSITIONS[state][step]
    except KeyError:
        raise IllegalStep(state, step) from None
