"""Talks: a caller and who answered, from the bridge until the first of the two leaves; reported as they happen."""

from collections.abc import Callable

from callflow.core.rings import facts
from callflow.core.rings.channels import Channel
from callflow.core.rings.live import LiveOffer, LiveStay, LiveTalk, Purpose
from callflow.core.rings.local_removal import LocalRemoval
from callflow.core.rings.names import interface_of
from callflow.core.rings.open_talks import OpenTalks
from callflow.core.rings.talk_events import TalkBegan, TalkEnded, TalkHeld, TalkParties, TalkResumed
from callflow.core.rings.talk_records import TalkRecords
from callflow.core.rings.tracker_state import LONGEST_CALL_MS, SETTLE_MS, TrackerState


class Talks:
    """Begins, moves and ends talks. `on_stay_began` and `on_stay_ended` are called for the talks of a stay."""

    def __init__(self, state: TrackerState, open_talks: OpenTalks) -> None:
        self._state = state
        self._open = open_talks
        self._records = TalkRecords(state)
        self._removal = LocalRemoval(state, open_talks)
        self.on_stay_began: Callable[[LiveStay, LiveTalk, int], None]
        self.on_stay_ended: Callable[[LiveStay, LiveTalk, int | None], None]
        self.on_originated: Callable[[Channel, int], None]
        """Called when an agent of an originated call hears the other party."""

    @property
    def sizes(self) -> dict[str, int]:
        """How much is remembered, by name."""
        return {**self._open.sizes, "talk_records": len(self._records)}

    def connected(self, offer: LiveOffer, answerers: list[Channel], at_ms: int) -> None:
        """The caller and the phones that answered hear each other."""
        winner = offer.winner.agent if offer.winner is not None else ""
        talk = LiveTalk(
            call_id=offer.call_id,
            caller=offer.caller,
            answerers=answerers,
            purpose=Purpose.CONSULTATION if self._is_consultation(offer) else offer.purpose,
            stay=offer.stay,
            agent=offer.picked_by or winner,
            line="" if offer.stay is not None else offer.target,
            partial=offer.partial,
        )
        self._open.add(talk)
        self._state.due(talk, LONGEST_CALL_MS)
        if offer.stay is not None:
            self.on_stay_began(offer.stay, talk, at_ms)
        self._begin(talk, at_ms)

    def found(self, talk: LiveTalk, at_ms: int) -> None:
        """A talk whose beginning was not seen, or not the call that led to it."""
        self._open.add(talk)
        self._state.due(talk, LONGEST_CALL_MS)
        self._begin(talk, at_ms)

    def _is_consultation(self, offer: LiveOffer) -> bool:
        """An agent waited in the queue. The stay counts, the talk only from when a caller is transferred to it."""
        return offer.stay is not None and self._open.is_consulting(offer.caller)

    def _begin(self, talk: LiveTalk, at_ms: int) -> None:
        """Report that it began, if both parties are known."""
        answerer, behind = talk.answerers[0], self._state.channels.party_behind(talk.caller)
        match talk.purpose:
            case Purpose.CALLER:
                caller, agent, number = behind or talk.caller, answerer, talk.agent
            case Purpose.ORIGINATED if behind is not None:
                caller, agent = answerer, behind
                number = self._state.names.agent(interface_of(agent.name))
                self.on_originated(agent, at_ms)
            case _:
                return
        talk.parties = TalkParties(
            call_id=talk.call_id,
            caller_uniqueid=caller.uniqueid,
            caller_channel=caller.name,
            agent_uniqueid=agent.uniqueid,
            agent_channel=agent.name,
            agent=number,
            queue=talk.stay.queue if talk.stay is not None else talk.queue,
            line=talk.line if talk.purpose is Purpose.CALLER else "",
            originated=talk.purpose is Purpose.ORIGINATED,
            caller_number=caller.number if talk.purpose is Purpose.CALLER else "",
        )
        talk.under_way = True
        for party in (caller, agent):
            if self._open.of(party.uniqueid) is None:
                self._open.add_channel(talk, party.uniqueid)
        self._records.report(talk, TalkBegan(at_ms, talk.parties))
        for channel in (caller, agent):
            if channel.held:
                self._hold(talk, channel.uniqueid, at_ms, held=True)

    def held(self, fact: facts.ChannelHeld) -> None:
        """A phone has put the other party on hold, or taken them back."""
        channel, talk = self._state.channels.known(fact.uniqueid), self._open.of(fact.uniqueid)
        if channel is not None:
            channel.held = fact.held
        if talk is not None and talk.ended_at is None:
            self._hold(talk, fact.uniqueid, fact.when.at_ms, held=fact.held)

    def _hold(self, talk: LiveTalk, uniqueid: str, at_ms: int, *, held: bool) -> None:
        parties = talk.parties
        if parties is None or not talk.under_way or held is (uniqueid in talk.held_by):
            return
        by_agent = uniqueid == parties.agent_uniqueid
        if held:
            talk.held_by.add(uniqueid)
            self._records.report(talk, TalkHeld(at_ms, parties, by_agent))
        else:
            talk.held_by.discard(uniqueid)
            self._records.report(talk, TalkResumed(at_ms, parties, by_agent))

    def transferred(self, fact: facts.Transferred) -> None:
        """The agent transfers the caller: the agent's talk is over, the call is not."""
        for uniqueid in fact.transferers:
            talk = self._open.of(uniqueid)
            if talk is not None and any(one.uniqueid == uniqueid for one in talk.answerers):
                self.end(talk, fact.when.at_ms)

    def move(self, old: str, new: Channel, call_id: str, at_ms: int) -> None:
        """The agent who talks to `old` talks to `new` from here; a consultation becomes a talk with the caller."""
        talk = self._open.of(old)
        if talk is None or talk.final or talk.caller.uniqueid != old or self._has_moved(talk, new, call_id):
            return
        self._report_end(talk, at_ms)
        self._open.stop_answering(talk)
        self._open.remove(talk)
        if talk.purpose is not Purpose.ORIGINATED:
            talk.purpose = Purpose.CALLER
        talk.caller, talk.call_id, talk.ended_at, talk.parties, talk.doubted_at = new, call_id, None, None, None
        talk.held_by.clear()
        self._open.add(talk)
        self._state.put_off(talk, LONGEST_CALL_MS)
        self._begin(talk, at_ms)

    def _has_moved(self, talk: LiveTalk, new: Channel, call_id: str) -> bool:
        """True if an earlier event of the same transfer has moved the talk already."""
        if talk.caller is not new or talk.call_id != call_id or talk.parties is None or not talk.under_way:
            return False
        party = self._state.channels.party_behind(new)
        return party is not None and party.uniqueid == talk.parties.caller_uniqueid

    def channel_ended(self, channel: Channel, at_ms: int) -> None:
        """A Hangup ends the talk, unless it is that of a Local channel and the two parties talk on without it."""
        for talk in self._open.at(channel.uniqueid):
            if not self._removal.goes_on_without(talk, channel, at_ms):
                self.end(talk, at_ms)

    def end(self, talk: LiveTalk, at_ms: int) -> None:
        """It is over; the exact time is known once all events are there."""
        if talk.ended_at is None:
            talk.ended_at = at_ms
            self._open.stop_answering(talk)
            self._state.put_off(talk, SETTLE_MS)
            self._report_end(talk, at_ms)

    def _report_end(self, talk: LiveTalk, at_ms: int) -> None:
        if talk.parties is not None and talk.under_way:
            talk.under_way = False
            end_ms = talk.end_ms()
            ended = TalkEnded(at_ms if end_ms is None else min(at_ms, end_ms), talk.parties)
            self._records.report(talk, ended)

    def finish(self, talk: LiveTalk) -> None:
        """All events are there: its end is final."""
        if talk.final or self._removal.is_confirmed(talk):
            return
        self._report_end(talk, self._state.now_ms)
        self._open.stop_answering(talk)
        self._state.done(talk)
        self._open.remove(talk)
        if talk.stay is not None:
            self.on_stay_ended(talk.stay, talk, talk.end_ms())
            talk.stay = None  # no cycle of references is left

    def link_lost(self) -> None:
        """What is in progress may go on unseen from here."""
        for talk in self._open.all:
            talk.partial = True
            self._removal.link_lost(talk)
        self._records.link_lost()
