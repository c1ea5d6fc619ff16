"""What is kept of assistance: one step for each thing said, told or done in a talk."""

from dataclasses import dataclass
from enum import StrEnum


class StepKind(StrEnum):
    """What sort of thing happened."""

    BEGAN = "began"
    SAID = "said"
    """`what`: the prompt; `outcome`: its outcome."""
    HEARD = "heard"
    """The caller was heard for the first time in the talk, or after `nuisance`."""
    ACTION = "action"
    """The agent asked for something; `what`: the action; `outcome`: done, or why it was refused."""
    SILENT = "silent"
    """The caller is silent, and the agent was told; `lasted_ms`: for how long."""
    QUIET = "quiet"
    """The caller's voice is too low, and the agent was told."""
    GAIN = "gain"
    CALLBACK_OFFERED = "callback_offered"
    CALLBACK_ACCEPTED = "callback_accepted"
    CALLBACK_ASKED = "callback_asked"
    """The agent asked for a call-back to the caller."""
    NAME_RECORDED = "name_recorded"
    """The caller has said a name; `what`: its file, `lasted_ms`: the time since the call-back was accepted."""
    NO_NAME = "no_name"
    """The caller was asked for a name, and there is none."""
    PARTED = "parted"
    """The agent was freed and the caller hears the goodbye."""
    RETURNED = "returned"
    """A parted caller spoke and goes back to an agent."""
    HUNG_UP = "hung_up"
    """callflow hung up on a parted caller."""
    WOULD_HANG_UP = "would_hang_up"
    DOUBT = "doubt"
    """callflow would have gone on, and was not certain enough."""
    ENDED = "ended"
    """`lasted_ms`: the talk's length."""


TO_CALL_BACK = (StepKind.CALLBACK_ACCEPTED, StepKind.CALLBACK_ASKED, StepKind.NAME_RECORDED, StepKind.HUNG_UP)
"""Callers who are put on the call-back list, where the profile wants it."""


@dataclass(frozen=True, slots=True)
class AssistStep:
    """One step of assistance in a talk, in order of `seq`."""

    step_id: str
    talk_id: str
    call_id: str
    seq: int
    agent: str
    queue: str
    profile: str
    mode: str
    """The profile's `assist`."""
    at_ms: int
    kind: StepKind
    what: str = ""
    outcome: str = ""
    why: str = ""
    """A sentence for a person."""
    lasted_ms: int | None = None
    caller_number: str = ""
    """Of those who are to be called back (TO_CALL_BACK) alone."""
