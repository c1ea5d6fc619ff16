"""The states of a screened call, and every transition between them, in one table.

Rules:
1. A call is in exactly one state; only `next_state` moves it.
2. A caller who can be understood leaves every state for DONE at once: no state hangs up on a speaking caller.
3. The one way to a hang-up is PAUSING -> FENCING -> CONFIRMING -> RELEASING -> DONE, on a ladder's last rung alone.
4. Whatever is lost (ear, prompt, link, certainty) leads to DONE and hands the caller on.
5. JUDGING and WEIGHING ask what was heard; only the answer moves a call up a ladder, or from one ladder to the other.
6. PROBING, TRYING and PACING look for low voices where no tap can be had.
7. An input that the table does not list for a state raises IllegalInput and changes nothing.
"""

from enum import StrEnum


class Result(StrEnum):
    """The outcome of a screening: the values of CALLFLOW_RESULT, a closed set."""

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


HANG_UPS = (Result.SILENT, Result.QUIET)
"""The dialplan hangs up on these."""


class State(StrEnum):
    """Where a call is on its ladder."""

    ARMING = "arming"
    """Asterisk's ear is being set."""
    SPEAKING = "speaking"
    LISTENING = "listening"
    PROBING = "probing"
    """Listening at the low threshold."""
    TRYING = "trying"
    """A sound at the low threshold is tried at the usual one."""
    PACING = "pacing"
    """Is that sound steady, or does it come and go?"""
    JUDGING = "judging"
    """The listening time is over; what was heard in it is asked."""
    MEASURING = "measuring"
    """A voice is under way and is measured."""
    WEIGHING = "weighing"
    """What that voice was is asked."""
    RAISING = "raising"
    """The gain is being set."""
    PAUSING = "pausing"
    """The pause before the hang-up."""
    FENCING = "fencing"
    """Waiting for every event that is still on its way."""
    HOLDING = "holding"
    """A sound is under way that may be speech."""
    CONFIRMING = "confirming"
    """The last question: what was heard, and would a sound have been heard?"""
    RELEASING = "releasing"
    """The hang-up is under way; the ears are still on."""
    WATCHING = "watching"
    """Observe mode, after the moment of the hang-up."""
    DONE = "done"


class Input(StrEnum):
    """What can move a call; time-outs are inputs like any other."""

    EAR_ARMED = "ear armed"
    EAR_FAILED = "ear failed"
    ONLY_LISTEN = "rung without a prompt"
    PROMPT_ENDED = "prompt ended"
    PROMPT_FAILED = "prompt failed"
    PROBE_DUE = "half of the listening time over"
    LOW_SOUND = "a sound at the low threshold"
    NOT_UNDERSTOOD = "nothing at the usual threshold"
    LISTENED = "listening time over"
    VOICE = "a voice"
    MEASURED = "measured long enough"
    INCONCLUSIVE = "no voice after all"
    ON_HOLD = "music"
    JUST_BEGUN = "a sound that has just begun"
    STILL_SILENT = "silence, rungs left"
    SILENT_PASS_ON = "silence, last rung passes on"
    LAST_RUNG = "silence, last rung hangs up"
    RAISE_GAIN = "too low, gain left"
    ASK_LOUDER = "too low, rungs left"
    LOW_PASS_ON = "too low, no rung left"
    PAUSE_OVER = "pause over"
    FENCED = "no event on its way"
    SOUND = "a sound under way"
    NO_SPEECH = "it was no speech"
    STALE = "the answer came late"
    CERTAIN = "nobody was heard"
    WOULD_HANG_UP = "nobody was heard (observe mode)"
    RELEASED = "hang-up carried out"
    WATCHED = "observed to the end"
    DOUBT = "not certain"
    HEARD = "speech or key"
    HUNG_UP = "caller hung up"
    TAKEN = "call taken elsewhere"
    SCREENED_AGAIN = "screened again"
    LINK_LOST = "AMI lost"


class IllegalInput(Exception):
    """The table has no transition for this input in this state."""

    def __init__(self, state: State, what: Input) -> None:
        super().__init__(f"{what.value!r} in state {state.value!r}")
        self.state = state
        self.what = what


_FROM_ANYWHERE = dict.fromkeys(
    (
        Input.HEARD,
        Input.HUNG_UP,
        Input.TAKEN,
        Input.SCREENED_AGAIN,
        Input.LINK_LOST,
        Input.EAR_FAILED,
        Input.DOUBT,
    ),
    State.DONE,
)
_TOO_LOW = {
    Input.RAISE_GAIN: State.RAISING,
    Input.ASK_LOUDER: State.SPEAKING,
    Input.LOW_PASS_ON: State.DONE,
}

TRANSITIONS: dict[State, dict[Input, State]] = {
    State.ARMING: _FROM_ANYWHERE | {Input.EAR_ARMED: State.SPEAKING},
    State.SPEAKING: _FROM_ANYWHERE
    | {
        Input.ONLY_LISTEN: State.LISTENING,
        Input.PROMPT_ENDED: State.LISTENING,
        Input.VOICE: State.MEASURING,
        Input.PROMPT_FAILED: State.DONE,
    },
    State.LISTENING: _FROM_ANYWHERE
    | {
        Input.PROBE_DUE: State.PROBING,
        Input.LISTENED: State.JUDGING,
        Input.VOICE: State.MEASURING,
    },
    State.PROBING: _FROM_ANYWHERE
    | {
        Input.LOW_SOUND: State.TRYING,
        Input.LISTENED: State.JUDGING,
    },
    State.TRYING: _FROM_ANYWHERE | {Input.NOT_UNDERSTOOD: State.PACING},
    State.PACING: _FROM_ANYWHERE | _TOO_LOW,
    State.JUDGING: _FROM_ANYWHERE
    | _TOO_LOW
    | {
        Input.VOICE: State.WEIGHING,
        Input.ON_HOLD: State.LISTENING,
        Input.JUST_BEGUN: State.LISTENING,
        Input.STILL_SILENT: State.SPEAKING,
        Input.LAST_RUNG: State.PAUSING,
        Input.SILENT_PASS_ON: State.DONE,
    },
    State.MEASURING: _FROM_ANYWHERE | {Input.MEASURED: State.WEIGHING},
    State.WEIGHING: _FROM_ANYWHERE
    | _TOO_LOW
    | {
        Input.INCONCLUSIVE: State.LISTENING,
        Input.ON_HOLD: State.LISTENING,
        Input.JUST_BEGUN: State.LISTENING,
        Input.LAST_RUNG: State.PAUSING,
    },
    State.RAISING: _FROM_ANYWHERE
    | {
        Input.ASK_LOUDER: State.SPEAKING,
        Input.LOW_PASS_ON: State.DONE,
    },
    State.PAUSING: _FROM_ANYWHERE
    | {
        Input.PAUSE_OVER: State.FENCING,
        Input.VOICE: State.MEASURING,
    },
    State.FENCING: _FROM_ANYWHERE
    | {
        Input.FENCED: State.CONFIRMING,
        Input.SOUND: State.HOLDING,
        Input.VOICE: State.MEASURING,
    },
    State.HOLDING: _FROM_ANYWHERE
    | {
        Input.NO_SPEECH: State.FENCING,
        Input.VOICE: State.MEASURING,
    },
    State.CONFIRMING: _FROM_ANYWHERE
    | _TOO_LOW
    | {
        Input.SOUND: State.HOLDING,
        Input.STALE: State.FENCING,
        Input.VOICE: State.MEASURING,
        Input.CERTAIN: State.RELEASING,
        Input.WOULD_HANG_UP: State.WATCHING,
    },
    State.RELEASING: _FROM_ANYWHERE | {Input.RELEASED: State.DONE},
    State.WATCHING: _FROM_ANYWHERE | {Input.WATCHED: State.DONE},
    State.DONE: {},
}


def next_state(state: State, what: Input) -> State:
    """The state that `what` leads to; raises IllegalInput when the table has none."""
    try:
        return TRANSITIONS[state][what]
    except KeyError:
        raise IllegalInput(state, what) from None


def allows(state: State, what: Input) -> bool:
    """The table has a transition for this input in this state."""
    return what in TRANSITIONS[state]
