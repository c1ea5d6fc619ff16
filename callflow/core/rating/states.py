"""Every state and transition of one rating, in one table.

The caller is asked three questions. A key from 1 to 5 answers a question, `#` or a time-out skips it, and after a wrong
key it is asked once more. Whatever happens, the next question follows or the rating ends: no loop is possible.
"""

from enum import StrEnum


class Scale(StrEnum):
    """What a caller rates, in the order of asking."""

    EFFICIENCY = "efficiency"
    ATTITUDE = "attitude"
    CORRECTNESS = "correctness"


class State(StrEnum):
    """Which prompt plays, or that none follows."""

    EFFICIENCY = "efficiency"
    EFFICIENCY_AGAIN = "efficiency_again"
    ATTITUDE = "attitude"
    ATTITUDE_AGAIN = "attitude_again"
    CORRECTNESS = "correctness"
    CORRECTNESS_AGAIN = "correctness_again"
    THANKS = "thanks"
    ENDED = "ended"


class Reply(StrEnum):
    """The result of a prompt."""

    SCORE = "score"
    """A key from 1 to 5."""
    SKIPPED = "skipped"
    """The key #."""
    SILENCE = "silence"
    """No key within the answering time."""
    WRONG_KEY = "wrong_key"
    PLAYED = "played"
    """The thanks have been said."""
    GONE = "gone"
    """The caller has hung up, or the connection has ended."""
    FAILED = "failed"
    """Asterisk has no such prompt, or did not answer."""


_ANSWERS = (Reply.SCORE, Reply.SKIPPED, Reply.SILENCE)


def _question(after_answer: State, after_wrong_key: State) -> dict[Reply, State]:
    ends = dict.fromkeys((Reply.GONE, Reply.FAILED), State.ENDED)
    return dict.fromkeys(_ANSWERS, after_answer) | {Reply.WRONG_KEY: after_wrong_key} | ends


TRANSITIONS: dict[State, dict[Reply, State]] = {
    State.EFFICIENCY: _question(State.ATTITUDE, State.EFFICIENCY_AGAIN),
    State.EFFICIENCY_AGAIN: _question(State.ATTITUDE, State.ATTITUDE),
    State.ATTITUDE: _question(State.CORRECTNESS, State.ATTITUDE_AGAIN),
    State.ATTITUDE_AGAIN: _question(State.CORRECTNESS, State.CORRECTNESS),
    State.CORRECTNESS: _question(State.THANKS, State.CORRECTNESS_AGAIN),
    State.CORRECTNESS_AGAIN: _question(State.THANKS, State.THANKS),
    State.THANKS: dict.fromkeys((Reply.PLAYED, Reply.GONE, Reply.FAILED), State.ENDED),
    State.ENDED: {},
}

SCALE: dict[State, Scale] = {
    State.EFFICIENCY: Scale.EFFICIENCY,
    State.EFFICIENCY_AGAIN: Scale.EFFICIENCY,
    State.ATTITUDE: Scale.ATTITUDE,
    State.ATTITUDE_AGAIN: Scale.ATTITUDE,
    State.CORRECTNESS: Scale.CORRECTNESS,
    State.CORRECTNESS_AGAIN: Scale.CORRECTNESS,
}
"""The scale that a question is about."""

PROMPT: dict[State, str] = {
    State.EFFICIENCY: "rate_efficiency",
    State.EFFICIENCY_AGAIN: "rate_again",
    State.ATTITUDE: "rate_attitude",
    State.ATTITUDE_AGAIN: "rate_again",
    State.CORRECTNESS: "rate_correctness",
    State.CORRECTNESS_AGAIN: "rate_again",
    State.THANKS: "rate_thanks",
}
"""What is played in a state."""

SCORES = {"1": 1, "2": 2, "3": 3, "4": 4, "5": 5}


def reply_to(key: str | None) -> Reply:
    """What a key means to a question: "" is #, None is no key in time."""
    if key is None:
        return Reply.SILENCE
    if key == "":
        return Reply.SKIPPED
    return Reply.SCORE if key in SCORES else Reply.WRONG_KEY
