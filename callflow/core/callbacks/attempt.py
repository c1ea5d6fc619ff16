"""One attempt to call back: its record, how it can end, and what that means for its entry."""

from dataclasses import dataclass
from enum import StrEnum

from callflow.core.callbacks.states import Step


class Outcome(StrEnum):
    """How an attempt ended: a closed set."""

    REACHED = "reached"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    FAILED = "failed"
    """The caller's number was refused, or the network failed."""
    CANCELLED = "cancelled"
    """The agent hung up while the caller's phone rang."""
    NOT_CONFIRMED = "not_confirmed"
    """Something answered, and did not press 1: perhaps voicemail."""
    AGENT_MISSED = "agent_missed"
    """Customer first: the caller answered, and no agent took the call."""
    AGENT_NO_ANSWER = "agent_no_answer"
    AGENT_BUSY = "agent_busy"
    AGENT_DECLINED = "agent_declined"
    """The agent answered, and did not press 1."""
    AGENT_FAILED = "agent_failed"
    """The agent's phone cannot be reached."""
    UNPLACED = "unplaced"
    """No call was placed: somebody was on the line, or something failed before."""
    UNKNOWN = "unknown"
    """Nobody saw the end."""


CALLER_NOT_REACHED = (
    Outcome.BUSY,
    Outcome.NO_ANSWER,
    Outcome.FAILED,
    Outcome.CANCELLED,
    Outcome.NOT_CONFIRMED,
    Outcome.AGENT_MISSED,
)
"""The caller's phone was dialled: the attempt is used up."""

WORDS = {
    Outcome.REACHED: "reached",
    Outcome.BUSY: "the caller's line was busy",
    Outcome.NO_ANSWER: "the caller did not answer",
    Outcome.FAILED: "the caller's number could not be reached",
    Outcome.CANCELLED: "the agent hung up before the caller answered",
    Outcome.NOT_CONFIRMED: "the call was answered, but nobody pressed 1",
    Outcome.AGENT_MISSED: "the caller answered, but the agent did not",
    Outcome.AGENT_NO_ANSWER: "the agent did not answer",
    Outcome.AGENT_BUSY: "the agent's phone was busy",
    Outcome.AGENT_DECLINED: "the agent did not press 1",
    Outcome.AGENT_FAILED: "the agent's phone could not be reached",
    Outcome.UNPLACED: "no call was placed",
    Outcome.UNKNOWN: "nobody saw the outcome; a person decides",
}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt; `attempt_id` is the ChannelId of its call, used once. Times are epoch ms."""

    attempt_id: str
    callback_id: str
    agent: str
    interface: str
    """What Asterisk calls to ring the agent: PJSIP/1001, Local/1001@agents/n."""
    actor: str
    first: str
    """Who is called first, agent or customer."""
    began_ms: int
    paused_in: tuple[str, ...] = ()
    """Queues in which the attempt has paused the agent, and not released them again."""
    placed_ms: int | None = None
    """Saved before Asterisk is told to call; None: Asterisk was not told."""
    agent_ring_ms: int | None = None
    """How long the agent's phone rang."""
    customer_ring_ms: int | None = None
    accepted_ms: int | None = None
    """The agent pressed 1."""
    reached_ms: int | None = None
    ended_ms: int | None = None
    outcome: Outcome | None = None
    cause: str = ""
    """DIALSTATUS and HANGUPCAUSE, or what prevented the call."""


def step_of(outcome: Outcome, attempts_left: bool) -> Step:
    """What an ended attempt means for its entry."""
    if outcome is Outcome.REACHED:
        return Step.REACH
    if outcome is Outcome.UNKNOWN:
        return Step.LOSE
    if outcome in CALLER_NOT_REACHED:
        return Step.MISS if attempts_left else Step.EXHAUST
    return Step.UNDIAL


def customer_outcome(dial_status: str, gosub_result: str = "") -> Outcome:
    """What became of the caller's leg, from DIALSTATUS; `gosub_result` is left by a caller who did not press 1."""
    if dial_status == "ANSWER":
        return Outcome.NOT_CONFIRMED if gosub_result else Outcome.REACHED
    known = {"BUSY": Outcome.BUSY, "NOANSWER": Outcome.NO_ANSWER, "CANCEL": Outcome.CANCELLED}
    return known.get(dial_status, Outcome.FAILED)


NOT_ANSWERED = ("", "0", "16", "18", "19")
"""Hangup Cause of a leg that rang in vain: time-out, 480, or hung up by Originate."""


def first_leg_outcome(dial_status: str, cause: str) -> Outcome:
    """What became of the caller's leg where the caller is called first: DialEnd says NOANSWER for a refusal, too."""
    if dial_status in ("", "NOANSWER") and cause in NOT_ANSWERED:
        return Outcome.NO_ANSWER
    return Outcome.BUSY if dial_status == "BUSY" else Outcome.FAILED


def agent_outcome(dial_status: str, answered: bool) -> Outcome:
    """What became of the agent's leg, from DialEnd."""
    if answered:
        return Outcome.AGENT_DECLINED
    known = {"BUSY": Outcome.AGENT_BUSY, "NOANSWER": Outcome.AGENT_NO_ANSWER, "": Outcome.AGENT_NO_ANSWER}
    return known.get(dial_status, Outcome.AGENT_FAILED)
