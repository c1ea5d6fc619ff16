"""Dialling: what DialBegin, DialState, DialEnd, AgentCalled and Hangup tell of offers and legs."""

from collections.abc import Callable

from callflow.core.rings import facts
from callflow.core.rings.channels import Channel
from callflow.core.rings.live import LiveLeg, LiveOffer, LiveStay, Purpose
from callflow.core.rings.marks import ORIGINATED, TRANSFERRED
from callflow.core.rings.measuring import target_type
from callflow.core.rings.names import interface_of, local_pair
from callflow.core.rings.open_offers import OpenOffers
from callflow.core.rings.open_talks import OpenTalks
from callflow.core.rings.records import RingSource
from callflow.core.rings.tracker_state import LONGEST_RING_MS, SETTLE_MS, TrackerState


class Dialling:
    """Begins and ends offers and legs. `stay_of` finds who waits in a queue; `on_moved`: a caller has a new channel."""

    def __init__(
        self,
        state: TrackerState,
        open_offers: OpenOffers,
        talks: OpenTalks,
        stay_of: Callable[[str], LiveStay | None],
        on_moved: Callable[[str, Channel, int], None],
        on_originated: Callable[[Channel, int], None],
    ) -> None:
        self._state = state
        self._channels = state.channels
        self._open = open_offers
        self._talks = talks
        self._stay_of = stay_of
        self._on_moved = on_moved
        self._on_originated = on_originated

    def dial_began(self, fact: facts.DialBegan) -> None:
        """A leg of its own, or a phone behind the Local channel of one."""
        state, when = self._state, fact.when
        channel = self._channels.note(when, fact.dest, state.now_ms)
        if self._open.leg(channel.uniqueid) is not None or state.is_past(channel.uniqueid):
            if not self._goes_on(self._open.leg(channel.uniqueid), fact):
                state.anomaly("DialBegin repeated")
            return
        technology = channel.name.partition("/")[0]
        channel.dialled_at = when.at_ms
        channel.dial_string = fact.dial_string.removeprefix(f"{technology}/")  # Dial leaves it out, Queue does not
        state.names.learn_dialled(f"{technology}/{channel.dial_string}")
        if fact.ringing:
            channel.rang(when.at_ms, RingSource.DIAL_BEGIN)
        if not fact.caller.uniqueid:
            channel.originated = True
            self._on_originated(channel, when.at_ms)
            return
        caller = self._channels.note(when, fact.caller, state.now_ms)
        leg = self._leg_in_front_of(caller)
        if leg is not None:
            self._open.add_behind(leg, channel)
            return
        offer = self._open.by_caller.get(caller.uniqueid)
        if offer is None or not offer.open:
            offer = self._begin_offer(fact, caller, channel)
        if offer is not None:
            self._begin_leg(fact, offer, channel)

    def _goes_on(self, leg: LiveLeg | None, fact: facts.DialBegan) -> bool:
        """After a transfer before any ringing, Asterisk ends the dial for the agent and begins it for the caller."""
        offer = leg.offer if leg is not None else None
        if leg is None or offer is None or leg.answered or fact.caller.uniqueid in ("", offer.moved_from):
            return False
        if offer.caller.uniqueid != fact.caller.uniqueid:
            caller = self._channels.note(fact.when, fact.caller, self._state.now_ms)
            self._on_moved(offer.caller.uniqueid, caller, fact.when.at_ms)
        elif not offer.moved_from:
            return False
        leg.ended_ms, leg.status = None, ""
        self._state.put_off(offer, LONGEST_RING_MS)
        return True

    def _leg_in_front_of(self, caller: Channel) -> LiveLeg | None:
        """The leg that a Local channel dials for; None once its phone has talked: what it dials then is a transfer."""
        half = local_pair(caller.name)
        if half is None or half[1] != "2" or self._stay_of(caller.uniqueid) is not None:
            return None
        leg = self._open.leg_of_pair(half[0])
        if leg is None or leg.handed_on or leg.offer is None:
            return None
        has_talked = leg.offer.connect_ms is not None and not any(phone.bridge for phone in leg.phones)
        return None if has_talked else leg

    def _purpose(self, caller: Channel) -> Purpose:
        """For whom a channel dials that does not wait in a queue."""
        if self._channels.is_originated(caller):
            return Purpose.ORIGINATED
        if caller.is_local:
            party = self._channels.party_behind(caller)
            known = party is not None and party.began_here and not self._talks.is_answering(party)
            return Purpose.CALLER if known else Purpose.CONSULTATION
        if self._talks.is_consulting(caller):
            return Purpose.CONSULTATION
        return Purpose.CALLER if self._talks.answering(caller) is None else Purpose.UNCERTAIN

    def _begin_offer(self, fact: facts.DialBegan, caller: Channel, channel: Channel) -> LiveOffer | None:
        state, stay = self._state, self._stay_of(caller.uniqueid)
        purpose = Purpose.CALLER if stay is not None else self._purpose(caller)
        if stay is not None:
            target = stay.queue
        else:
            target = state.names.line_dialled(fact.caller.exten, caller.exten, interface_of(channel.name))
        if not target and purpose in (Purpose.CALLER, Purpose.UNCERTAIN):
            return None
        before = self._open.by_caller.get(caller.uniqueid)
        if before is not None:
            state.due(before, SETTLE_MS)
        raw_queue = stay.raw_queue if stay else ""
        offer = LiveOffer(
            call_id=stay.call_id if stay else state.call_of(caller),
            offer_id=channel.uniqueid,
            purpose=purpose,
            caller=caller,
            stay=stay,
            target_type=target_type(stay),
            target=target,
            cadence=state.rules.cadence_name(queue=raw_queue, line="" if stay else target),
            began_ms=fact.when.at_ms,
            partial=stay.partial if stay else not caller.began_here or self._talks.may_consult(caller),
        )
        if self._channels.is_originated(caller):
            offer.marks.add(ORIGINATED)
        self._open.by_caller[caller.uniqueid] = offer
        self._open.live.add(offer)
        if stay is not None:
            stay.offers.append(offer)
        return offer

    def _begin_leg(self, fact: facts.DialBegan, offer: LiveOffer, channel: Channel) -> None:
        member, names = channel.member, self._state.names
        interface = member.interface if member else interface_of(channel.name)
        forwarded = next((leg for leg in reversed(offer.legs) if leg.forwarded), None) if offer.forwarding else None
        agent = names.agent(interface, member.name if member else "")
        leg = LiveLeg(
            call_id=offer.call_id,
            leg_id=channel.uniqueid,
            offer=offer,
            root=channel,
            interface=interface,
            agent=forwarded.agent if forwarded is not None and offer.stay is not None else agent,
            queue=offer.target if offer.stay else "",
            began_ms=fact.when.at_ms,
            offset_ms=self._state.offset_ms if channel.name.startswith("DAHDI/") else 0,
            stamped=fact.when.stamped,
            partial=offer.partial,
        )
        offer.forwarding = False
        offer.legs.append(leg)
        self._state.put_off(offer, LONGEST_RING_MS)
        self._open.mark_waiting(leg, channel)
        self._open.save(offer)
        self._open.save_leg(leg, offer)
        self._open.add_channel(leg, channel)
        if offer.purpose is Purpose.ORIGINATED and not channel.is_local and offer.caller.name.endswith(";2"):
            self._on_originated(channel, fact.when.at_ms)

    def agent_called(self, fact: facts.AgentCalled) -> None:
        """Which member a leg is for; comes before or after its DialBegin."""
        member, names = fact.member, self._state.names
        names.learn_member(member.interface, member.name)
        leg = self._open.leg(fact.dest)
        if leg is not None:
            leg.interface, leg.agent = member.interface, names.agent(member.interface, member.name)
        else:
            self._channels.touch(fact.dest, self._state.now_ms).member = member

    def dial_progressed(self, fact: facts.DialProgressed) -> None:
        """RINGING and PROGRESS, as the dialling application heard them."""
        channel = self._channels.note(fact.when, fact.dest, self._state.now_ms)
        if fact.status == "RINGING":
            channel.rang(fact.when.at_ms, RingSource.DIAL_STATE)
        elif fact.status == "PROGRESS" and channel.progress_at is None:
            channel.progress_at = fact.when.at_ms

    def dial_ended(self, fact: facts.DialEnded) -> None:
        """The first one closes the leg; that of a phone behind a Local channel only gives the phone's answer."""
        leg = self._open.leg(fact.dest.uniqueid)
        if leg is None or leg.offer is None:
            return
        channel = self._channels.known(fact.dest.uniqueid)
        if channel is not None and not channel.dial_status:
            channel.dial_status = fact.status
        if leg.root.uniqueid != fact.dest.uniqueid:
            return
        offer, by = leg.offer, "" if fact.caller is None else fact.caller.uniqueid
        if by and by == offer.moved_from:
            return  # the dial has ended for the agent, and goes on for the caller
        if fact.caller is not None and by not in ("", offer.caller.uniqueid):
            caller = self._channels.note(fact.when, fact.caller, self._state.now_ms)
            self._on_moved(offer.caller.uniqueid, caller, fact.when.at_ms)
        self._open.close(leg, fact.when, fact.status, forwarded=bool(fact.forward))

    def channel_ended(self, channel: Channel, when: facts.When) -> None:
        """A Hangup, of phone or caller, closes what no DialEnd has closed."""
        leg = self._open.leg(channel.uniqueid)
        if leg is not None and leg.offer is not None:
            if leg.root is channel:
                self._open.close(leg, when, "")
            if leg.ended_ms is not None and (leg.root is channel or leg.offer.picker is channel):
                self._end_soon(leg.offer)
        if (offer := self._open.by_caller.get(channel.uniqueid)) is not None:
            self._state.due(offer, SETTLE_MS)

    def _end_soon(self, offer: LiveOffer) -> None:
        """The phone that was picked up has ended before it was connected: there is nothing to wait for."""
        if not offer.open:
            self._state.due(offer, SETTLE_MS)

    def move(self, old: str, new: Channel, call_id: str) -> None:
        """What was dialled for `old` is dialled for `new`; if it still rings, it becomes an offer to the caller."""
        offer = self._open.by_caller.get(old)
        if offer is None or offer.final or offer.purpose is Purpose.ORIGINATED:
            return
        del self._open.by_caller[old]
        self._open.by_caller[new.uniqueid] = offer
        offer.caller, offer.moved_from = new, old if old != new.uniqueid else ""
        if offer.connect_ms is None and offer.target:
            offer.purpose = Purpose.CALLER
            offer.marks.add(TRANSFERRED)
        elif offer.purpose is Purpose.UNCERTAIN:
            offer.purpose = Purpose.CONSULTATION
        offer.call_id = call_id
        for leg in offer.legs:
            leg.call_id = call_id
        self._state.put_off(offer, LONGEST_RING_MS)
        self._open.settle(offer)
        self._open.save(offer)
        for leg in offer.legs:
            self._open.save_leg(leg, offer)

    # -- while callflow was not connected -------------------------------------------------------------------------

    def channel_lost(self, channel: Channel, when: facts.When) -> None:
        """A snapshot does not show the channel any more: how it ended is not known."""
        leg = self._open.leg(channel.uniqueid)
        if leg is not None and leg.ended_ms is None and leg.root is channel:
            leg.lost = leg.partial = True
        self.channel_ended(channel, when)
