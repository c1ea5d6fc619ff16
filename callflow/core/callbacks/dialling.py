"""One attempt from the first look to its end: one object per attempt, told by `receive` and `expire`.

The claim is saved before anything is touched, and a second mark before Asterisk is told to call. So a start after a
crash knows: without the mark, no call was placed; with it, the channel is asked for by its id, and if it is not there,
the outcome is unknown. Place is returned once in the life of an attempt, whatever happens.
"""

from collections.abc import Callable
from dataclasses import replace
from enum import Enum, auto
from typing import Any

from callflow.core.callbacks import signals
from callflow.core.callbacks.attempt import Attempt, Outcome, agent_outcome, customer_outcome, first_leg_outcome
from callflow.core.callbacks.look import Look, Plan, obstacle
from callflow.core.callbacks.signals import Command, Signal

SETTLE_MS = 30
"""A queue was seen to ring a member up to 8.2 ms after the pause was confirmed."""
ASK_AFTER_MS = 60
"""A channel was seen to exist up to 3.3 ms after Originate was confirmed."""
CONCLUDE_MS = 250
"""OriginateResponse, DialEnd and Hangup of one leg come in any order within this time."""
STEP_MS = 10_000
"""A step before the call that takes longer has failed."""
PATIENCE_MS = 15_000
"""Beyond the time that phones may ring: then the channel is asked for."""
TALK_LOOK_MS = 300_000
"""How often a lasting call is asked for."""


class Stage(Enum):
    """How far the attempt has come."""

    LOOKING = auto()
    CLAIMING = auto()
    PAUSING = auto()
    SETTLING = auto()
    MARKING = auto()
    LOOKING_AGAIN = auto()
    PLACING = auto()
    ASKING = auto()
    WATCHING = auto()
    CONCLUDING = auto()
    ENDED = auto()


BEFORE_CALL = (
    Stage.LOOKING,
    Stage.CLAIMING,
    Stage.PAUSING,
    Stage.SETTLING,
    Stage.MARKING,
    Stage.LOOKING_AGAIN,
)


class Dialling:
    """`begin` starts a new attempt, `resume` one that an earlier life of the daemon has left open."""

    def __init__(self, attempt: Attempt, plan: Plan, ring_ms: int) -> None:
        self.attempt = attempt
        self.stage = Stage.LOOKING
        self.refusal = ""
        """Why no call was placed."""
        self.ended_unclaimed = False
        """It has ended before its entry was claimed: there is nothing to save."""
        self._plan = plan
        self._ring_ms = ring_ms
        self._phones: frozenset[str] = frozenset((attempt.interface,))
        self._due_ms: int | None = None
        self._link_up = True
        self._saw_all = True
        """No event of the call can have been missed."""
        self._answered = False
        self._leg_status = ""
        self._leg_cause = ""
        self._status = ""
        self._gosub_result = ""
        self._first_rang_ms: int | None = None
        self._second_rang_ms: int | None = None

    # -- in and out -----------------------------------------------------------------------------------------------

    def begin(self, now_ms: int) -> list[Command]:
        """Take the first look."""
        self._wait(now_ms + STEP_MS)
        return [signals.TakeLook()]

    def resume(self, now_ms: int, link_up: bool) -> list[Command]:
        """Go on with an attempt that was left open."""
        self._saw_all = False
        self._link_up = link_up
        if self.attempt.placed_ms is None:
            return self._end(Outcome.UNPLACED, "callflow stopped before the call was placed", now_ms)
        return self._ask(now_ms)

    def next_deadline(self) -> int | None:
        """When `expire` is to be called; None for never."""
        return self._due_ms

    def expire(self, now_ms: int) -> list[Command]:
        """A deadline has come."""
        if self._due_ms is None or now_ms < self._due_ms:
            return []
        self._due_ms = None
        match self.stage:
            case Stage.SETTLING:
                self.stage = Stage.MARKING
                self._set(placed_ms=now_ms)
                self._wait(now_ms + STEP_MS)
                return [signals.SavePlacing(self.attempt)]
            case Stage.ASKING:
                return self._ask_now(now_ms)
            case Stage.WATCHING | Stage.PLACING:
                return self._ask(now_ms)
            case Stage.CONCLUDING:
                return self._conclude(now_ms)
            case stage if stage in BEFORE_CALL:
                return self._undo("Asterisk or the database took too long", now_ms)
        return []

    def receive(self, signal: Signal, now_ms: int) -> list[Command]:
        """Take in one event; one that does not fit the stage changes nothing."""
        if self.stage is Stage.ENDED:
            return []
        handle: Callable[[Any, int], list[Command]] | None = _HANDLERS.get(type(signal))
        return [] if handle is None else handle.__get__(self)(signal, now_ms)

    @property
    def automatic(self) -> bool:
        """Nobody has asked for this call."""
        return self._plan.automatic

    @property
    def calls(self) -> bool:
        """It has found who is free, and has not reached the caller yet: it alone may call these two."""
        return self.stage not in (Stage.LOOKING, Stage.ENDED) and self.attempt.reached_ms is None

    @property
    def called_agents(self) -> frozenset[str]:
        """The agent's work number and interfaces, as far as they are known."""
        return self._phones.union((self.attempt.agent, self.attempt.interface)) - {""}

    # -- before the call ------------------------------------------------------------------------------------------

    def _looked(self, signal: signals.Looked, now_ms: int) -> list[Command]:
        if self.stage not in (Stage.LOOKING, Stage.LOOKING_AGAIN):
            return []
        if reason := self._find_agent(signal.look):
            return self._undo(reason, now_ms)
        places = signal.look.of_agent(self.attempt.interface)
        self._phones = frozenset((self.attempt.interface, *(one.phone for one in places)))
        if reason := obstacle(signal.look, self._plan, self.called_agents, self._phones, signal.under_way):
            return self._undo(reason, now_ms)
        if self.stage is Stage.LOOKING_AGAIN:
            self.stage = Stage.PLACING
            self._wait(now_ms + self._ring_ms + PATIENCE_MS)
            return [signals.Place(self.attempt)]
        self._set(paused_in=tuple(one.queue for one in places if not one.paused))
        self.stage = Stage.CLAIMING
        self._wait(now_ms + STEP_MS)
        return [signals.SaveClaim(self.attempt)]

    def _find_agent(self, look: Look) -> str:
        """Whom to call, at the first look; why that is not known, "" if it is."""
        if self.attempt.interface:
            return ""
        places = look.of_agent(self._plan.agent)
        if not places and "/" not in self._plan.agent:
            return f"no queue has a member with the work number {self._plan.agent}"
        if len({one.interface for one in places}) > 1:
            return f"agent {self._plan.agent} is a member with several phones: name one of them"
        if places:
            self._set(interface=places[0].interface, agent=places[0].agent)
        else:
            self._set(interface=self._plan.agent)
        return ""

    def _saved(self, signal: signals.Saved, now_ms: int) -> list[Command]:
        if self.stage is Stage.CLAIMING:
            self.stage = Stage.PAUSING
            self._wait(now_ms + STEP_MS)
            return [signals.Pause(self.attempt)]
        if self.stage is Stage.MARKING:
            self.stage = Stage.LOOKING_AGAIN
            self._wait(now_ms + STEP_MS)
            return [signals.TakeLook()]
        return []

    def _paused(self, signal: signals.Paused, now_ms: int) -> list[Command]:
        if self.stage is Stage.PAUSING:
            self.stage = Stage.SETTLING
            self._wait(now_ms + SETTLE_MS)
        return []

    def _failed(self, signal: signals.Failed, now_ms: int) -> list[Command]:
        return self._undo(signal.reason, now_ms) if self.stage in BEFORE_CALL else []

    def _undo(self, reason: str, now_ms: int) -> list[Command]:
        """No call is placed. An entry that was never claimed stays as it is."""
        self.refusal = reason
        self.ended_unclaimed = self.stage is Stage.LOOKING
        self._set(placed_ms=None)
        ended = self._end(Outcome.UNPLACED, reason, now_ms)
        return [] if self.ended_unclaimed else ended

    # -- the call -------------------------------------------------------------------------------------------------

    def _taken(self, signal: signals.OriginateTaken, now_ms: int) -> list[Command]:
        if self.stage is Stage.PLACING:
            self._watch(now_ms, self._ring_ms + PATIENCE_MS)
        return []

    def _refused(self, signal: signals.OriginateRefused, now_ms: int) -> list[Command]:
        if self.stage is not Stage.PLACING:
            return []
        self.refusal = signal.reason
        return self._end(Outcome.UNPLACED, signal.reason, now_ms)

    def _unanswered(self, signal: signals.OriginateUnanswered, now_ms: int) -> list[Command]:
        return self._ask(now_ms) if self.stage is Stage.PLACING else []

    def _originate_ended(self, signal: signals.OriginateEnded, now_ms: int) -> list[Command]:
        if signal.answered:
            self._answered = True
            return []
        return self._soon(now_ms)

    def _call_ended(self, signal: signals.CallEnded, now_ms: int) -> list[Command]:
        if self.stage in BEFORE_CALL:
            return []
        self._leg_cause = self._leg_cause or signal.cause
        if not self.attempt.cause:
            self._set(cause=f"cause {signal.cause}")
        return self._soon(now_ms)

    def _rang(self, signal: signals.LegRang, now_ms: int) -> list[Command]:
        """Behind a Local channel the first phone is a channel of its own: it rings before anybody has accepted."""
        first = signal.first or self.attempt.accepted_ms is None
        if first and self._first_rang_ms is None:
            self._first_rang_ms = now_ms
        elif not first and self._second_rang_ms is None:
            self._second_rang_ms = now_ms
        return []

    def _leg_answered(self, signal: signals.LegAnswered, now_ms: int) -> list[Command]:
        if not self._answered and self._first_rang_ms is not None:
            self._set_ring(True, now_ms - self._first_rang_ms)
        self._answered = True
        return []

    def _dial_ended(self, signal: signals.LegDialEnded, now_ms: int) -> list[Command]:
        self._leg_status = self._leg_status or signal.status
        return []

    def _reported(self, signal: signals.CallReported, now_ms: int) -> list[Command]:
        """The dialplan's word counts before every event."""
        if self.stage in BEFORE_CALL:
            return []
        self._answered = True
        if signal.accepted and self.attempt.accepted_ms is None:
            self._set(accepted_ms=now_ms)
        if signal.status and not self._status:
            self._status, self._gosub_result = signal.status, signal.gosub_result
            self._set(cause=f"{signal.status} {signal.cause}".strip())
        if signal.step == "ended":
            self._saw_all = True
        if not signal.reached or self.attempt.reached_ms is not None:
            return []
        if self._second_rang_ms is not None:
            self._set_ring(False, now_ms - self._second_rang_ms)
        self._set(reached_ms=now_ms)
        if self.stage is not Stage.CONCLUDING:
            self._watch(now_ms, TALK_LOOK_MS)
        return [signals.SaveReached(self.attempt)]

    # -- not seen -------------------------------------------------------------------------------------------------

    def _link_lost(self, signal: signals.LinkLost, now_ms: int) -> list[Command]:
        self._link_up = False
        if self.stage in BEFORE_CALL:
            return self._undo("AMI was lost", now_ms)
        self._saw_all = False
        self.stage, self._due_ms = Stage.ASKING, None
        return []

    def _link_is_up(self, signal: signals.LinkUp, now_ms: int) -> list[Command]:
        self._link_up = True
        return self._ask(now_ms) if self.stage is Stage.ASKING else []

    def _ask(self, now_ms: int) -> list[Command]:
        """Ask for the channel, once it had the time to exist."""
        self.stage = Stage.ASKING
        self._due_ms = now_ms + ASK_AFTER_MS if self._link_up else None
        return []

    def _ask_now(self, now_ms: int) -> list[Command]:
        self._wait(now_ms + STEP_MS)  # asked again if nothing comes back
        return [signals.AskForChannel(self.attempt.attempt_id)]

    def _found(self, signal: signals.ChannelFound, now_ms: int) -> list[Command]:
        if self.stage is Stage.ASKING:
            self._watch(now_ms, TALK_LOOK_MS if self.attempt.reached_ms else self._ring_ms + PATIENCE_MS)
        return []

    def _gone(self, signal: signals.ChannelGone, now_ms: int) -> list[Command]:
        if self.stage is not Stage.ASKING:
            return []
        if self.attempt.reached_ms is None:
            self._saw_all = self._saw_all and bool(self._status)
        return self._conclude(now_ms)

    # -- the end --------------------------------------------------------------------------------------------------

    def _soon(self, now_ms: int) -> list[Command]:
        """What else belongs to the end comes within a moment."""
        if self.stage in (Stage.PLACING, Stage.WATCHING, Stage.ASKING):
            self.stage = Stage.CONCLUDING
            self._wait(now_ms + CONCLUDE_MS)
        return []

    def _conclude(self, now_ms: int) -> list[Command]:
        if self.attempt.reached_ms is not None:
            return self._end(Outcome.REACHED, self.attempt.cause, now_ms)
        if not self._saw_all:
            return self._end(Outcome.UNKNOWN, self.attempt.cause, now_ms)
        return self._end(self._judge(), self.attempt.cause, now_ms)

    def _judge(self) -> Outcome:
        """Who did not take the call, by what was seen."""
        customer_first = self.attempt.first == "customer"
        if customer_first:
            if not self._answered:
                return first_leg_outcome(self._leg_status, self._leg_cause)
            return Outcome.AGENT_MISSED if self.attempt.accepted_ms is not None else Outcome.NOT_CONFIRMED
        if self.attempt.accepted_ms is None:
            return agent_outcome(self._leg_status, self._answered)
        outcome = customer_outcome(self._status or "CANCEL", self._gosub_result)
        return Outcome.NOT_CONFIRMED if outcome is Outcome.REACHED else outcome

    def _end(self, outcome: Outcome, cause: str, now_ms: int) -> list[Command]:
        self.stage, self._due_ms = Stage.ENDED, None
        self._set(ended_ms=now_ms, outcome=outcome, cause=cause[:200])
        return [signals.SaveEnd(self.attempt)]

    def _watch(self, now_ms: int, for_ms: int) -> None:
        self.stage = Stage.WATCHING
        self._wait(now_ms + for_ms)

    def _wait(self, until_ms: int) -> None:
        self._due_ms = until_ms

    def _set(self, **changes: Any) -> None:
        self.attempt = replace(self.attempt, **changes)

    def _set_ring(self, first: bool, ring_ms: int) -> None:
        is_agent = first == (self.attempt.first == "agent")
        self._set(**{"agent_ring_ms" if is_agent else "customer_ring_ms": ring_ms})


_HANDLERS: dict[type[Any], Any] = {
    signals.Looked: Dialling._looked,
    signals.Saved: Dialling._saved,
    signals.Failed: Dialling._failed,
    signals.Paused: Dialling._paused,
    signals.OriginateTaken: Dialling._taken,
    signals.OriginateRefused: Dialling._refused,
    signals.OriginateUnanswered: Dialling._unanswered,
    signals.OriginateEnded: Dialling._originate_ended,
    signals.ChannelFound: Dialling._found,
    signals.ChannelGone: Dialling._gone,
    signals.LegRang: Dialling._rang,
    signals.LegAnswered: Dialling._leg_answered,
    signals.LegDialEnded: Dialling._dial_ended,
    signals.CallReported: Dialling._reported,
    signals.CallEnded: Dialling._call_ended,
    signals.LinkLost: Dialling._link_lost,
    signals.LinkUp: Dialling._link_is_up,
}
