"""Talks: a caller and who answered, from the bridge until the first of the two leaves; reported as they happen."""

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import chain

from callflow.core.rings import facts
from callflow.core.rings.channels import Channel
from callflow.core.rings.live import LiveOffer, LiveStay, LiveTalk, Purpose
from callflow.core.rings.names import interface_of
from callflow.core.rings.talk_events import TalkBegan, TalkEnded, TalkHeld, TalkParties, TalkResumed
from callflow.core.rings.talk_records import TalkRecords
from callflow.core.rings.tracker_state import LONGEST_CALL_MS, SETTLE_MS, TrackerState


class Talks:
    """Every talk in progress. `on_stay_began` and `on_stay_ended` are called for the talks of a stay in a queue."""

    def __init__(self, state: TrackerState) -> None:
        self._state = state
        self._records = TalkRecords(state)
        self._talks: dict[str, list[LiveTalk]] = {}
        """By the Uniqueid of everybody in them, the latest talk last."""
        self._answering: dict[str, list[Channel]] = {}
        """Who has answered and is in a talk, by phone."""
        self.on_stay_began: Callable[[LiveStay, LiveTalk, int], None]
        self.on_stay_ended: Callable[[LiveStay, LiveTalk, int | None], None]
        self.on_originated: Callable[[Channel, int], None]
        """Called when an agent of an originated call hears the other party."""

    def __len__(self) -> int:
        return len(self._talks)

    @property
    def size(self) -> int:
        """How much is remembered."""
        return len(self._talks) + len(self._answering) + len(self._records)

    def of(self, uniqueid: str) -> LiveTalk | None:
        """The talk that a channel is in: the latest."""
        talks = self._talks.get(uniqueid)
        return talks[-1] if talks else None

    def answering(self, channel: Channel) -> Channel | None:
        """Another channel of this phone that has answered a caller and still talks."""
        others = self._answering.get(interface_of(channel.name), ())
        return next((one for one in others if one is not channel), None)

    def is_answering(self, channel: Channel) -> bool:
        """It has answered a caller and still talks."""
        return channel in self._answering.get(interface_of(channel.name), ())

    def may_hide_one(self, caller: Channel) -> bool:
        """The same phone, or who speaks through this Local channel, is in a talk that nobody saw begin."""
        if caller.is_local:
            party = self._state.channels.party_behind(caller)
            others = [] if party is None else [party]
        else:
            others = [one for one in self._state.channels.talking(interface_of(caller.name)) if one is not caller]
        return any(not one.began_here and self.of(one.uniqueid) is None for one in others)

    @property
    def by_line(self) -> Counter[str]:
        """Talks under way, by direct line."""
        lines = {talk: talk.line for talk in self._all if talk.purpose is Purpose.CALLER}
        return Counter(line for talk, line in lines.items() if line and talk.ended_at is None)

    @property
    def _all(self) -> Iterator[LiveTalk]:
        """Every talk, once for each of its channels."""
        return chain.from_iterable(self._talks.values())

    # -- from beginning to end ------------------------------------------------------------------------------------

    def connected(self, offer: LiveOffer, answerers: list[Channel], at_ms: int) -> None:
        """Who waited or dialled and who answered hear each other."""
        winner = offer.winner.agent if offer.winner is not None else ""
        talk = LiveTalk(
            call_id=offer.call_id,
            caller=offer.caller,
            answerers=answerers,
            purpose=offer.purpose,
            stay=offer.stay,
            agent=offer.picked_by or winner,
            line="" if offer.stay is not None else offer.target,
            partial=offer.partial,
        )
        self._enlist(talk)
        self._state.due(talk, LONGEST_CALL_MS)
        if offer.stay is not None:
            self.on_stay_began(offer.stay, talk, at_ms)
        self._begin(talk, at_ms)

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
            queue=talk.stay.queue if talk.stay is not None else "",
            line=talk.line if talk.purpose is Purpose.CALLER else "",
            originated=talk.purpose is Purpose.ORIGINATED,
            caller_number=caller.number if talk.purpose is Purpose.CALLER else "",
        )
        talk.under_way = True
        for party in (caller, agent):
            if party.uniqueid not in self._talks:
                self._map(talk, party.uniqueid)
        self._records.report(talk, TalkBegan(at_ms, talk.parties))
        for channel in (caller, agent):
            if channel.held:
                self._hold(talk, channel.uniqueid, at_ms, held=True)

    def held(self, fact: facts.ChannelHeld) -> None:
        """A phone has put the other party on hold, or taken them back."""
        channel, talk = self._state.channels.known(fact.uniqueid), self.of(fact.uniqueid)
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
        """The agent hands the caller on: the agent's talk is over, the call is not."""
        for uniqueid in fact.transferers:
            talk = self.of(uniqueid)
            if talk is not None and any(one.uniqueid == uniqueid for one in talk.answerers):
                self.end(talk, fact.when.at_ms)

    def move(self, old: str, new: Channel, call_id: str, at_ms: int) -> None:
        """Whom the caller `old` talks to talks to `new` from here; a consultation becomes a talk with the caller."""
        talk = self.of(old)
        if talk is None or talk.final or talk.caller.uniqueid != old or self._has_moved(talk, new, call_id):
            return
        self._report_end(talk, at_ms)
        self._stop_answering(talk)
        self._forget(talk)
        if talk.purpose is not Purpose.ORIGINATED:
            talk.purpose = Purpose.CALLER
        talk.caller, talk.call_id, talk.ended_at, talk.parties, talk.doubted_at = new, call_id, None, None, None
        talk.held_by.clear()
        self._enlist(talk)
        self._state.put_off(talk, LONGEST_CALL_MS)
        self._begin(talk, at_ms)

    def _has_moved(self, talk: LiveTalk, new: Channel, call_id: str) -> bool:
        """Two events tell of one transfer: the talk that it makes is reported already."""
        if talk.caller is not new or talk.call_id != call_id or talk.parties is None or not talk.under_way:
            return False
        party = self._state.channels.party_behind(new)
        return party is not None and party.uniqueid == talk.parties.caller_uniqueid

    def channel_ended(self, channel: Channel, at_ms: int) -> None:
        """A Hangup ends the talk, unless it is that of a Local channel between two parties who talk on without it."""
        for talk in list(self._talks.get(channel.uniqueid, ())):
            if not self._goes_on_without(talk, channel, at_ms):
                self.end(talk, at_ms)

    def _goes_on_without(self, talk: LiveTalk, channel: Channel, at_ms: int) -> bool:
        """Asterisk brings the two into one bridge and removes the Local channel; in which order this is told varies."""
        two = self._two(talk)
        if two is None or not talk.under_way or not channel.is_local:
            return False
        caller, agent = two
        if talk.caller is channel:
            talk.caller = agent if caller in talk.answerers else caller
            if talk.caller.uniqueid not in talk.uniqueids:
                self._map(talk, talk.caller.uniqueid)
        if not self._state.channels.are_together(caller, agent):
            talk.doubted_at = at_ms
            self._state.due(talk, SETTLE_MS)
        return True

    def end(self, talk: LiveTalk, at_ms: int) -> None:
        """It is over; when exactly is clear once all events are there."""
        if talk.ended_at is None:
            talk.ended_at = at_ms
            self._stop_answering(talk)
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
        if talk.final or self._was_doubted_in_vain(talk):
            return
        self._report_end(talk, self._state.now_ms)
        self._stop_answering(talk)
        self._state.done(talk)
        self._forget(talk)
        if talk.stay is not None:
            self.on_stay_ended(talk.stay, talk, talk.end_ms())
            talk.stay = None  # whose stay this is: the two would keep each other alive

    def _was_doubted_in_vain(self, talk: LiveTalk) -> bool:
        """The Local channel between the two is gone, and they hear each other: the talk goes on."""
        doubted_at = talk.doubted_at
        if doubted_at is None or talk.ended_at is not None or talk.parties is None:
            return False
        talk.doubted_at = None
        two = self._two(talk)
        if two is not None and self._state.channels.are_together(*two):
            self._state.put_off(talk, LONGEST_CALL_MS)
            return True
        talk.ended_at = doubted_at
        return False

    def _two(self, talk: LiveTalk) -> tuple[Channel, Channel] | None:
        """The channels of caller and agent, as reported, while both are there."""
        if talk.parties is None:
            return None
        known = self._state.channels.known
        caller, agent = known(talk.parties.caller_uniqueid), known(talk.parties.agent_uniqueid)
        return None if caller is None or agent is None else (caller, agent)

    def _map(self, talk: LiveTalk, uniqueid: str) -> None:
        self._talks.setdefault(uniqueid, []).append(talk)
        talk.uniqueids.append(uniqueid)

    def _enlist(self, talk: LiveTalk) -> None:
        for channel in talk.channels:
            self._map(talk, channel.uniqueid)
        for channel in talk.answerers:
            channel.call_id = talk.call_id
            if talk.purpose is Purpose.CALLER:
                self._answering.setdefault(interface_of(channel.name), []).append(channel)

    def _stop_answering(self, talk: LiveTalk) -> None:
        for channel in talk.answerers:
            phone = interface_of(channel.name)
            others = [one for one in self._answering.pop(phone, ()) if one is not channel]
            if others:
                self._answering[phone] = others

    def _forget(self, talk: LiveTalk) -> None:
        for uniqueid in talk.uniqueids:
            talks = self._talks[uniqueid]
            talks.remove(talk)
            if not talks:
                del self._talks[uniqueid]
        talk.uniqueids.clear()

    def link_lost(self) -> None:
        """What is under way may go on unseen from here; what was doubted, the next snapshot decides."""
        for talk in self._all:
            talk.partial = True
            if talk.doubted_at is not None and talk.ended_at is None:
                talk.doubted_at = None
                self._state.put_off(talk, LONGEST_CALL_MS)
        self._records.link_lost()
