"""What an agent may ask for in a call: a closed set, whichever door a request comes in by, and its answers."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Action(StrEnum):
    """What an agent asks for."""

    LOUDER = "louder"
    """Q5: the caller cannot hear the agent."""
    SOFTER = "softer"
    SPEAKER = "speaker"
    """Q6: the caller is on a loudspeaker."""
    REPEAT = "repeat"
    """D3: the agent has not understood."""
    LOOKUP = "lookup"
    """D4: the agent looks something up, without putting the caller on hold."""
    BACK = "back"
    CALLBACK = "callback"
    """D5: the caller is to be called back."""
    SUPERVISOR = "supervisor"
    """D6: the caller goes to the profile's supervisor."""
    WRAPUP = "wrapup"
    """D7: business is finished; after the talk the agent has time to write it up."""
    NUISANCE = "nuisance"
    """D7: ask once whether there is anything else, then treat the call as a silent one."""
    CLOSE_ENQUIRY = "close:enquiry"
    """D8: say goodbye as the outcome wants it."""
    CLOSE_ORDER = "close:order"
    CLOSE_NO_ORDER = "close:no_order"
    READY = "ready"
    """The wrap-up is over."""


class Door(StrEnum):
    """How a request came."""

    CODE = "feature code"
    HTTP = "HTTP"
    MQTT = "MQTT"


class Refusal(StrEnum):
    """Why a request was refused."""

    UNKNOWN_ACTION = "unknown_action"
    OFF = "off"
    """The profile does not allow it."""
    OBSERVING = "observing"
    NO_TALK = "no_talk"
    NOT_YOURS = "not_yours"
    """The call is not this agent's."""
    CALLER_TYPED = "caller_typed"
    TOO_MANY = "too_many"
    """The agent asks too often."""
    NOT_NOW = "not_now"
    """The talk has just begun, the caller is on hold, or is hearing the goodbye."""
    AT_LIMIT = "at_limit"
    NO_LOOKUP = "no_lookup"
    NO_NUMBER = "no_number"
    ALREADY = "already"
    NO_SUPERVISOR = "no_supervisor"
    NO_WRAP_UP = "no_wrap_up"
    ASTERISK = "asterisk"
    """Asterisk refused, or did not answer."""


WORDS: dict[Refusal, str] = {
    Refusal.UNKNOWN_ACTION: "there is no such action",
    Refusal.OFF: "the profile of this call does not allow it",
    Refusal.OBSERVING: "the profile of this call is in observe mode",
    Refusal.NO_TALK: "the agent is in no talk that callflow assists",
    Refusal.NOT_YOURS: "the call is not this agent's",
    Refusal.CALLER_TYPED: "the caller typed the code",
    Refusal.TOO_MANY: "the agent asks too often",
    Refusal.NOT_NOW: "the talk is not in a state for it: just begun, on hold, or at the goodbye",
    Refusal.AT_LIMIT: "the level is at its limit",
    Refusal.NO_LOOKUP: "no look-up is under way",
    Refusal.NO_NUMBER: "the caller's number is not known",
    Refusal.ALREADY: "it was asked for in this call before",
    Refusal.NO_SUPERVISOR: "the profile names no supervisor",
    Refusal.NO_WRAP_UP: "the agent has no wrap-up under way",
    Refusal.ASTERISK: "Asterisk refused it or did not answer",
}


@dataclass(frozen=True, slots=True)
class ActionWanted:
    """An agent asks for something -> AnswerAction with the same `request_id`."""

    request_id: str
    action: str
    """As it was asked for; one that is no `Action` is refused."""
    door: Door
    agent: str
    """Work number of who asks."""
    uniqueid: str = ""
    """Of the channel on which a code was typed; "" for the other doors."""
    call_id: str = ""
    """The call that is meant; "" for the one the agent is in."""
    queues: tuple[str, ...] = ()
    """The queues that the request is limited to; none: it is not limited."""


@dataclass(frozen=True, slots=True)
class ActionCarried:
    """Asterisk has done what an action needs, or has not: `error` is a sentence then."""

    request_id: str
    error: str = ""


@dataclass(frozen=True, slots=True)
class ActionAnswer:
    """The answer to a request. Done: its immediate part is carried out, and its prompt waits for a pause."""

    request_id: str
    action: str
    refusal: Refusal | None = None
    why: str = ""
    """A sentence; "" where the request is done."""

    @property
    def done(self) -> bool:
        return self.refusal is None


class AgentActions(Protocol):
    """What the doors ask: the outcome of one request; never raises. `queues`: those that it is limited to."""

    async def act(
        self, action: str, door: Door, agent: str, call_id: str = "", queues: tuple[str, ...] = ()
    ) -> ActionAnswer: ...
