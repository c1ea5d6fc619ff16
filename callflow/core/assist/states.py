"""The states of assistance in one talk, and every transition between them, in one table.

Rules:
1. A talk is in exactly one state; only `next_state` moves it.
2. A caller who is heard in a bridged state is left to the agent (TALKING); one who is heard after PARTING returns.
3. The one way to a hang-up: FENCING, CONFIRMING, PARTING, GOODBYE, PAUSING, LAST_FENCE, LAST_LOOK, DONE.
4. A doubt before the goodbye leads to TOLD: the agent knows, and no more is said. After it, the caller returns.
5. An agent who speaks on the ladder takes the talk back to GREETING; the place on the ladder is kept.
6. A caller who speaks in PARTING returns as soon as the outcome of the redirect is known: two redirects never race.
7. An agent who calls the call a nuisance begins a ladder of one question; a caller who answers it is in TALKING again.
8. In TALKING the level of the caller's voice is measured beside all else (voice_level.py), which moves no talk.
9. An input that the table does not list for a state raises IllegalInput and changes nothing.
"""

from enum import StrEnum


class State(StrEnum):
    """Where assistance in a talk is."""

    ARMING = "arming"
    """The ears of both parties are being set."""
    GREETING = "greeting"
    """The caller has not been heard; the agent has yet to speak, or speaks."""
    TIMING = "timing"
    """Both are silent; the silence is timed."""
    JUDGING = "judging"
    """The listening time is over; what was heard in it is asked."""
    RAISING = "raising"
    """The gain is being set."""
    ASKING = "asking"
    """A prompt to the caller waits for a pause, or is said."""
    TOLD = "told"
    """The agent has been told; nothing more is said."""
    TALKING = "talking"
    """The caller has been heard."""
    HELD = "held"
    FENCING = "fencing"
    """Waiting for every event that is still on its way."""
    CONFIRMING = "confirming"
    """The last question before the goodbye."""
    PARTING = "parting"
    """The caller is being taken out of the talk."""
    GOODBYE = "goodbye"
    """The agent is free, the caller hears the goodbye."""
    PAUSING = "pausing"
    """The pause after the goodbye."""
    LAST_FENCE = "last fence"
    LAST_LOOK = "last look"
    """The last question before the hang-up."""
    DONE = "done"


class Input(StrEnum):
    """What can move a talk; time-outs are inputs like any other."""

    EARS_READY = "ears armed"
    AGENT_STOPPED = "agent stopped speaking"
    AGENT_SPEAKS = "agent speaks"
    LISTENED = "listening time over"
    RAISE_GAIN = "voice too low, gain left"
    CLEAR = "clear voice"
    ASK = "next rung"
    ASKED = "prompt over"
    AGAIN = "prompt not said"
    TELL = "tell the agent"
    NUISANCE = "agent calls it a nuisance"
    LAST_RUNG = "silence, last rung hangs up"
    FENCED = "no event on its way"
    CERTAIN = "nobody was heard"
    DOUBT = "not certain"
    PARTED = "caller redirected"
    SPOKEN = "goodbye over"
    PAUSE_OVER = "pause over"
    HEARD = "caller speaks"
    HOLD = "put on hold"
    RESUME = "taken back, caller heard before"
    RESUME_UNHEARD = "taken back, caller not heard"
    TALK_ENDED = "talk ended"
    HUNG_UP = "caller hung up"
    LINK_LOST = "AMI lost"


class IllegalInput(Exception):
    """The table has no transition for this input in this state."""

    def __init__(self, state: State, what: Input) -> None:
        super().__init__(f"{what.value!r} in state {state.value!r}")
        self.state = state
        self.what = what


_ENDS = {Input.HUNG_UP: State.DONE, Input.LINK_LOST: State.DONE}
_BRIDGED = _ENDS | {Input.TALK_ENDED: State.DONE, Input.HOLD: State.HELD}
_UNHEARD = _BRIDGED | {Input.HEARD: State.TALKING, Input.TELL: State.TOLD, Input.AGENT_SPEAKS: State.GREETING}
_PARTED = _ENDS | {Input.HEARD: State.DONE, Input.DOUBT: State.DONE}

TRANSITIONS: dict[State, dict[Input, State]] = {
    State.ARMING: _BRIDGED | {Input.EARS_READY: State.GREETING},
    State.GREETING: _UNHEARD | {Input.AGENT_STOPPED: State.TIMING, Input.NUISANCE: State.ASKING},
    State.TIMING: _UNHEARD | {Input.LISTENED: State.JUDGING},
    State.JUDGING: _UNHEARD
    | {
        Input.RAISE_GAIN: State.RAISING,
        Input.CLEAR: State.TALKING,
        Input.ASK: State.ASKING,
        Input.LAST_RUNG: State.FENCING,
    },
    State.RAISING: _UNHEARD | {Input.CLEAR: State.TALKING, Input.ASK: State.ASKING},
    State.ASKING: _UNHEARD | {Input.ASKED: State.TIMING, Input.AGAIN: State.TIMING},
    State.FENCING: _UNHEARD | {Input.FENCED: State.CONFIRMING},
    State.CONFIRMING: _UNHEARD | {Input.CERTAIN: State.PARTING},
    State.TOLD: _BRIDGED | {Input.HEARD: State.TALKING, Input.NUISANCE: State.ASKING},
    State.TALKING: _BRIDGED | {Input.NUISANCE: State.ASKING},
    State.HELD: _ENDS
    | {
        Input.TALK_ENDED: State.DONE,
        Input.RESUME: State.TALKING,
        Input.RESUME_UNHEARD: State.GREETING,
    },
    State.PARTING: _ENDS | {Input.PARTED: State.GOODBYE, Input.TELL: State.TOLD},
    State.GOODBYE: _PARTED | {Input.SPOKEN: State.PAUSING},
    State.PAUSING: _PARTED | {Input.PAUSE_OVER: State.LAST_FENCE},
    State.LAST_FENCE: _PARTED | {Input.FENCED: State.LAST_LOOK},
    State.LAST_LOOK: _PARTED | {Input.CERTAIN: State.DONE},
    State.DONE: {},
}

AFTER_PARTING = frozenset({State.PARTING, State.GOODBYE, State.PAUSING, State.LAST_FENCE, State.LAST_LOOK})
"""The agent is free, or about to be: the end of the talk is expected."""
UNHEARD = frozenset(
    {State.GREETING, State.TIMING, State.JUDGING, State.RAISING, State.ASKING, State.FENCING, State.CONFIRMING}
)
"""The caller has not been heard, and is on the ladder or about to be."""


def next_state(state: State, what: Input) -> State:
    """The state that `what` leads to; raises IllegalInput when the table has none."""
    try:
        return TRANSITIONS[state][what]
    except KeyError:
        raise IllegalInput(state, what) from None
