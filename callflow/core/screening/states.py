"""The states of a screened call, and every transition between them, in one table.

Rules:
1. A call is in exactly one state; only `next_state` moves it.
2. A caller who can be understood leaves every state for DONE at once: no state hangs up on a speaking caller.
3. The one way to a hang-up is WEIGHING -> PAUSING -> CONFIRMING -> DONE by CERTAIN, on a ladder's last rung alone.
4. Whatever is lost (ear, prompt, link, certainty) leads to DONE and hands the caller on.
5. WEIGHING asks what was heard; only its answer moves a call up a ladder (silent or quiet), or from one to the other.
6. An input that the table does not list for a state raises IllegalInput and changes nothing.
"""

from enum import StrEnum


class Result(StrEnum):
    """What became of a screening: the values of CALLFLOW_RESULT, a closed set."""

    SPOKE = "spoke"
    KEY = "key"
    RESCUED = "rescued"
    PASSED = "passed"
    SILENT = "silent"
    QUIET = "quiet"
    OBSERVED = "observed"
    OFF = "off"
    UNAVAILABLE = "unavailable"
    TAKEN = "taken"
    HANGUP = "hangup"


class State(StrEnum):
    """Where a call is on its ladder."""

    ARMING = "arming"
    SPEAKING = "speaking"
    LISTENING = "listening"
    WEIGHING = "weighing"
    RAISING = "raising"
    PAUSING = "pausing"
    CONFIRMING = "confirming"
    DONE = "done"


class Input(StrEnum):
    """What can move a call; time-outs are inputs like any other."""

    EAR_ARMED = "ear armed"
    EAR_FAILED = "ear failed"
    ONLY_LISTEN = "rung without a prompt"
    PROMPT_ENDED = "prompt ended"
    PROMPT_FAILED = "prompt failed"
    LISTENED = "listening time over"
    VOICE = "a voice"
    NO_VOICE = "no voice after all"
    STILL_SILENT = "silence, rungs left"
    SILENT_PASS_ON = "silence, last rung passes on"
    LAST_RUNG = "silence, last rung hangs up"
    RAISE_GAIN = "too low, gain left"
    ASK_LOUDER = "too low, rungs left"
    LOW_PASS_ON = "too low, no rung left"
    PAUSE_OVER = "pause over"
    CERTAIN = "no event on its way"
    DOUBT = "not certain"
    HEARD = "speech or key"
    HUNG_UP = "caller hung up"
    TAKEN = "call taken elsewhere"
    LINK_LOST = "AMI lost"


class IllegalInput(Exception):
    """The table has no transition for this input in this state."""

    def __init__(self, state: State, what: Input) -> None:
        super().__init__(f"{what.value!r} in state {state.value!r}")
        self.state = state
        self.what = what


_FROM_ANYWHERE = {
    Input.HEARD: State.DONE,
    Input.HUNG_UP: State.DONE,
    Input.TAKEN: State.DONE,
    Input.LINK_LOST: State.DONE,
    Input.EAR_FAILED: State.DONE,
    Input.DOUBT: State.DONE,
}

TRANSITIONS: dict[State, dict[Input, State]] = {
    State.ARMING: _FROM_ANYWHERE | {Input.EAR_ARMED: State.SPEAKING},
    State.SPEAKING: _FROM_ANYWHERE
    | {
        Input.ONLY_LISTEN: State.LISTENING,
        Input.PROMPT_ENDED: State.LISTENING,
        Input.VOICE: State.WEIGHING,
        Input.PROMPT_FAILED: State.DONE,
    },
    State.LISTENING: _FROM_ANYWHERE
    | {
        Input.LISTENED: State.WEIGHING,
        Input.VOICE: State.WEIGHING,
    },
    State.WEIGHING: _FROM_ANYWHERE
    | {
        Input.NO_VOICE: State.LISTENING,
        Input.STILL_SILENT: State.SPEAKING,
        Input.ASK_LOUDER: State.SPEAKING,
        Input.RAISE_GAIN: State.RAISING,
        Input.LAST_RUNG: State.PAUSING,
        Input.SILENT_PASS_ON: State.DONE,
        Input.LOW_PASS_ON: State.DONE,
    },
    State.RAISING: _FROM_ANYWHERE
    | {
        Input.ASK_LOUDER: State.SPEAKING,
        Input.LOW_PASS_ON: State.DONE,
    },
    State.PAUSING: _FROM_ANYWHERE
    | {
        Input.PAUSE_OVER: State.CONFIRMING,
        Input.VOICE: State.WEIGHING,
    },
    State.CONFIRMING: _FROM_ANYWHERE
    | {
        Input.CERTAIN: State.DONE,
        Input.VOICE: State.WEIGHING,
    },
    State.DONE: {},
}


def next_state(state: State, what: Input) -> State:
    """The state that `what` leads to; raises IllegalInput when the table has none."""
    try:
        return TRANSITIONS[state][what]
    except KeyError:
        raise IllegalInput(state, what) from None
