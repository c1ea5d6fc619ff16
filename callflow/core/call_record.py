"""What is kept of a call: one record, and one timeline entry for each thing heard, said or decided."""

from dataclasses import dataclass
from enum import StrEnum

from callflow.core.heard import Heard
from callflow.core.profile import Mode
from callflow.core.screening.states import Result


class Kind(StrEnum):
    """What sort of thing happened."""

    ARRIVED = "arrived"
    EAR = "ear"
    SAID = "said"
    PROMPT_ENDED = "prompt_ended"
    PROMPT_STOPPED = "prompt_stopped"
    PROMPT_FAILED = "prompt_failed"
    CLICK = "click"
    SPEECH = "speech"
    HEARD = "heard"
    GAIN = "gain"
    KEY = "key"
    SILENCE = "silence"
    PAUSE = "pause"
    DECIDED = "decided"
    WOULD = "would"
    LINK_LOST = "link_lost"
    HUNG_UP = "hung_up"
    TAKEN = "taken"


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One thing that happened: `what` names it (a prompt, a key, a result), `why` is a sentence for a person."""

    seq: int
    at_ms: int
    kind: Kind
    what: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One screened call. `result` is None while it lasts; `would` is what observe mode would have done."""

    call_id: str
    uniqueid: str
    channel: str
    profile: str
    mode: Mode
    ladder: str
    ear: str
    language: str
    caller_number: str
    caller_name: str
    dialled: str
    arrived_ms: int
    ended_ms: int | None
    result: Result | None
    would: Result | None
    rung: int
    heard_at_ms: int | None
    heard_after_would: bool
    partial: bool
    heard: Heard | None = None
    """What the last thing judged was; None where only Asterisk's ear listened and heard nothing."""
    level_dbov: float | None = None
    """Active speech level of the caller's voice, without our gain; None without a tap."""
    gain_db: float = 0.0
    """What the caller's audio is raised by, for the rest of the call."""
