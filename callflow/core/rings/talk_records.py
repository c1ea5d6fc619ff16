"""Reports talks as they happen, and keeps a record of each talk and of each hold in it."""

from dataclasses import dataclass, field, replace

from callflow.core.rings.live import LiveTalk
from callflow.core.rings.measuring import span_ms
from callflow.core.rings.records import HeldBy, Hold, Talk
from callflow.core.rings.talk_events import TalkBegan, TalkEnded, TalkEvent, TalkHeld, TalkParties, TalkResumed
from callflow.core.rings.tracker_state import TrackerState


@dataclass(slots=True)
class _Open:
    """A talk in progress, and the holds in it."""

    talk: Talk
    holds: dict[HeldBy, Hold] = field(default_factory=dict)
    holds_so_far: int = 0


class TalkRecords:
    """Takes every event of every talk, in order: `report` passes it on and saves what it changes."""

    def __init__(self, state: TrackerState) -> None:
        self._state = state
        self._open: dict[LiveTalk, _Open] = {}

    def __len__(self) -> int:
        return len(self._open)

    def report(self, live: LiveTalk, event: TalkEvent) -> None:
        """Report an event of the talk `live`, and save its record."""
        self._state.report(event)
        if isinstance(event, TalkBegan):
            self._begin(live, event)
        elif (found := self._open.get(live)) is not None:
            match event:
                case TalkHeld(at_ms, _, by_agent):
                    self._hold(found, at_ms, _party(by_agent))
                case TalkResumed(at_ms, _, by_agent):
                    self._resume(found, at_ms, _party(by_agent))
                case TalkEnded(at_ms):
                    self._end(live, found, at_ms)

    def link_lost(self) -> None:
        """What is in progress may go on unseen from here."""
        for found in self._open.values():
            found.talk = replace(found.talk, partial=True)
            found.holds = {party: replace(hold, partial=True) for party, hold in found.holds.items()}

    def _begin(self, live: LiveTalk, event: TalkBegan) -> None:
        parties = event.parties
        talk = Talk(
            talk_id=self._new_id(parties, event.at_ms),
            call_id=parties.call_id,
            revision=1,
            agent=parties.agent,
            queue=parties.queue,
            line=parties.line,
            originated=parties.originated,
            began_ms=event.at_ms,
            ended_ms=None,
            talk_ms=None,
            hold_count=0,
            hold_ms=0,
            longest_hold_ms=0,
            partial=live.partial,
        )
        self._open[live] = _Open(talk)
        self._state.save(talk, final=False)

    def _new_id(self, parties: TalkParties, at_ms: int) -> str:
        """The agent's channel and a number: when the talk began, unless it had one that began then already."""
        number = at_ms
        while self._state.is_past(talk_id := f"{parties.agent_uniqueid}-{number}"):
            number += 1
        self._state.remember(talk_id)
        return talk_id

    def _hold(self, found: _Open, at_ms: int, party: HeldBy) -> None:
        talk = found.talk
        found.holds_so_far += 1
        hold = found.holds[party] = Hold(
            hold_id=f"{talk.talk_id}-{found.holds_so_far}",
            talk_id=talk.talk_id,
            call_id=talk.call_id,
            revision=1,
            agent=talk.agent,
            queue=talk.queue,
            line=talk.line,
            held_by=party,
            began_ms=at_ms,
            ended_ms=None,
            hold_ms=None,
            partial=talk.partial,
        )
        self._state.save(hold, final=False)
        if party is HeldBy.AGENT:
            self._save(found, replace(talk, hold_count=talk.hold_count + 1))

    def _resume(self, found: _Open, at_ms: int, party: HeldBy) -> None:
        if party in found.holds:
            lasted_ms = self._end_hold(found, at_ms, party)
            if party is HeldBy.AGENT:
                self._save(found, _with_hold(found.talk, lasted_ms))

    def _end(self, live: LiveTalk, found: _Open, at_ms: int) -> None:
        """A talk that ends while on hold ends the hold."""
        for party in list(found.holds):
            lasted_ms = self._end_hold(found, at_ms, party)
            if party is HeldBy.AGENT:
                found.talk = _with_hold(found.talk, lasted_ms)
        del self._open[live]
        marks = set(found.talk.marks)
        talk_ms = span_ms(found.talk.began_ms, at_ms, marks)
        talk = replace(found.talk, ended_ms=at_ms, talk_ms=talk_ms, marks=tuple(sorted(marks)))
        self._save(found, talk, final=True)

    def _end_hold(self, found: _Open, at_ms: int, party: HeldBy) -> int:
        """The record of a hold that is over; returns how long it was."""
        hold = found.holds.pop(party)
        marks = set(hold.marks)
        lasted_ms = span_ms(hold.began_ms, at_ms, marks)
        ended = replace(hold, revision=2, ended_ms=at_ms, hold_ms=lasted_ms, marks=tuple(sorted(marks)))
        self._state.save(ended, final=True)
        return lasted_ms or 0

    def _save(self, found: _Open, talk: Talk, *, final: bool = False) -> None:
        found.talk = replace(talk, revision=talk.revision + 1)
        self._state.save(found.talk, final=final)


def _party(by_agent: bool) -> HeldBy:
    return HeldBy.AGENT if by_agent else HeldBy.CALLER


def _with_hold(talk: Talk, lasted_ms: int) -> Talk:
    """The talk after one more hold of the agent's."""
    longest_ms = max(talk.longest_hold_ms, lasted_ms)
    return replace(talk, hold_ms=talk.hold_ms + lasted_ms, longest_hold_ms=longest_ms)
