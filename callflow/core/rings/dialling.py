"""Legs and offers: who is dialled for whom, when it rings, who picks up, and when the two are connected."""

from collections.abc import Callable

from callflow.core.rings import facts
from callflow.core.rings.channels import Channel
from callflow.core.rings.endings import UNRESOLVED, leg_end
from callflow.core.rings.live import LiveLeg, LiveOffer, LiveStay
from callflow.core.rings.measuring import leg_record, leg_ring, offer_record, target_type
from callflow.core.rings.names import interface_of, local_pair
from callflow.core.rings.records import LegEnd, RingSource
from callflow.core.rings.tracker_state import LONGEST_RING_MS, SETTLE_MS, TrackerState

CALL_WAITING = "call_waiting"
MAX_WAITING = 1_000


class Dialling:
    """Every leg and offer under way. `stay_of` knows who waits in a queue; `on_connect` is told who talks to whom."""

    def __init__(
        self,
        state: TrackerState,
        stay_of: Callable[[str], LiveStay | None],
        on_connect: Callable[[LiveOffer, list[Channel], int], None],
    ) -> None:
        self._state = state
        self._stay_of = stay_of
        self._on_connect = on_connect
        self.offers: dict[str, LiveOffer] = {}
        """The latest offer of each caller, by the caller's Uniqueid."""
        self.live: set[LiveOffer] = set()
        """Every offer that has had no final record."""
        self._legs: dict[str, LiveLeg] = {}
        """Legs by the Uniqueid of every channel that belongs to them."""
        self._locals: dict[str, LiveLeg] = {}
        self._early: dict[str, list[facts.DialBegan]] = {}
        """Dials from within a Local channel whose own DialBegin has not come yet."""
        self._called: dict[str, facts.Member] = {}

    def leg(self, uniqueid: str) -> LiveLeg | None:
        """The leg that a channel belongs to."""
        return self._legs.get(uniqueid)

    # -- dialling -------------------------------------------------------------------------------------------------

    def dial_began(self, fact: facts.DialBegan) -> None:
        """A leg of its own, or a phone behind the Local channel of one."""
        state, dest = self._state, fact.dest
        channel = state.channels.get(dest.uniqueid, state.now_ms)
        channel.note(fact.when, dest)
        if dest.uniqueid in self._legs or state.is_past(dest.uniqueid):
            state.anomaly("DialBegin repeated")
            return
        channel.dialled_at = fact.when.at_ms
        if fact.ringing:
            channel.rang(fact.when.at_ms, RingSource.DIAL_BEGIN)
        pair = local_pair(fact.caller.channel)
        if pair is not None and pair[1] == "2":
            if (leg := self._locals.get(pair[0])) is not None:
                self._behind(leg, channel)
            elif len(self._early) < MAX_WAITING:
                self._early.setdefault(pair[0], []).append(fact)
        elif fact.caller.uniqueid:
            self._dialled_for(fact, channel)

    def _dialled_for(self, fact: facts.DialBegan, channel: Channel) -> None:
        caller = self._state.channels.get(fact.caller.uniqueid, self._state.now_ms)
        caller.note(fact.when, fact.caller)
        offer = self.offers.get(caller.uniqueid)
        if offer is None or not offer.open:
            offer = self._begin_offer(fact, caller, channel)
            if offer is None:
                return
        self._begin_leg(fact, offer, channel)

    def _begin_offer(self, fact: facts.DialBegan, caller: Channel, channel: Channel) -> LiveOffer | None:
        state, stay = self._state, self._stay_of(caller.uniqueid)
        if stay is None:
            numbers = state.names.line_numbers(fact.caller.exten, caller.exten, interface_of(channel.name))
            target = state.names.line(numbers)
            if target is None:
                return None
        else:
            target = stay.queue
        before = self.offers.get(caller.uniqueid)
        if before is not None:
            state.due(before, SETTLE_MS)
        raw_queue = stay.raw_queue if stay else ""
        offer = LiveOffer(
            call_id=stay.call_id if stay else call_id_of(caller),
            offer_id=channel.uniqueid,
            caller=caller,
            stay=stay,
            target_type=target_type(stay),
            target=target,
            cadence=state.rules.cadence_name(queue=raw_queue, line="" if stay else target),
            began_ms=fact.when.at_ms,
            partial=stay.partial if stay else not caller.began_here,
        )
        self.offers[caller.uniqueid] = offer
        self.live.add(offer)
        if stay is not None:
            stay.offers.append(offer)
        return offer

    def _begin_leg(self, fact: facts.DialBegan, offer: LiveOffer, channel: Channel) -> None:
        member = self._called.pop(channel.uniqueid, None)
        interface = member.interface if member else interface_of(channel.name)
        forwarded = next((leg for leg in reversed(offer.legs) if leg.forwarded), None) if offer.forwarding else None
        agent = self._state.names.agent(interface, member.name if member else "")
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
        self._mark_waiting(leg, channel)
        self._save(offer)
        self._save_leg(leg, offer)
        self._add(leg, channel)

    def _behind(self, leg: LiveLeg, channel: Channel) -> None:
        """What rings behind a Local channel belongs to its leg; behind another Local channel, again."""
        if not channel.is_local:
            leg.phones.append(channel)
            self._mark_waiting(leg, channel)
        self._add(leg, channel)

    def _add(self, leg: LiveLeg, channel: Channel) -> None:
        self._legs[channel.uniqueid] = leg
        leg.channels.append(channel.uniqueid)
        if (pair := local_pair(channel.name)) is not None:
            self._locals[pair[0]] = leg
            leg.pairs.append(pair[0])
            for early in self._early.pop(pair[0], ()):
                self.dial_began(early)

    def _mark_waiting(self, leg: LiveLeg, channel: Channel) -> None:
        if not channel.is_local and self._state.channels.is_talking(interface_of(channel.name)):
            leg.marks.add(CALL_WAITING)

    def agent_called(self, fact: facts.AgentCalled) -> None:
        """Which member a leg is for; comes before or after its DialBegin."""
        self._state.names.learn_member(fact.member.interface, fact.member.name)
        leg = self._legs.get(fact.dest)
        if leg is not None:
            leg.interface = fact.member.interface
            leg.agent = self._state.names.agent(fact.member.interface, fact.member.name)
        elif not self._state.is_past(fact.dest) and len(self._called) < MAX_WAITING:
            self._called[fact.dest] = fact.member

    def dial_progressed(self, fact: facts.DialProgressed) -> None:
        """RINGING and PROGRESS, as the dialling application heard them."""
        channel = self._state.channels.get(fact.dest.uniqueid, self._state.now_ms)
        channel.note(fact.when, fact.dest)
        if fact.status == "RINGING":
            channel.rang(fact.when.at_ms, RingSource.DIAL_STATE)
        elif fact.status == "PROGRESS" and channel.progress_at is None:
            channel.progress_at = fact.when.at_ms

    def dial_ended(self, fact: facts.DialEnded) -> None:
        """The first one closes the leg; those of phones behind a Local channel tell nothing about it."""
        leg = self._legs.get(fact.dest.uniqueid)
        if leg is not None and leg.root.uniqueid == fact.dest.uniqueid:
            self._close(leg, fact.when, fact.status, forwarded=bool(fact.forward))

    def _close(self, leg: LiveLeg, when: facts.When, status: str, *, forwarded: bool = False) -> None:
        offer = leg.offer
        if leg.ended_ms is not None or offer is None:
            return
        leg.ended_ms, leg.status = when.at_ms, status
        leg.stamped = leg.stamped and when.stamped
        leg.marks.update(when.anomalies)
        leg.answered = status == "ANSWER"
        leg.forwarded = offer.forwarding = forwarded
        if leg.answered and offer.winner is None:
            offer.winner = leg
        self._settle(offer)

    def _settle(self, offer: LiveOffer) -> None:
        """End the offer soon, unless a leg still rings or somebody who picked up is not yet connected."""
        if all(leg.ended_ms is not None for leg in offer.legs) and (offer.connect_ms is not None or not offer.taken):
            self._state.due(offer, SETTLE_MS)

    # -- pickup, bridges, hang-ups --------------------------------------------------------------------------------

    def picked_up(self, fact: facts.PickedUp) -> None:
        """A colleague takes the call: the dialled leg ends, the offer goes on with the colleague."""
        leg = self._legs.get(fact.target)
        picker = self._state.channels.get(fact.picker.uniqueid, self._state.now_ms)
        picker.note(fact.when, fact.picker)
        if leg is None or leg.offer is None or leg.offer.picker is not None:
            return
        offer = leg.offer
        offer.picker, offer.picked_leg, offer.picked_at = picker, leg, fact.when.at_ms
        offer.picked_by = self._state.names.agent(interface_of(picker.name))
        self._add(leg, picker)
        self._close(leg, fact.when, "PICKUP")

    def bridge_entered(self, channel: Channel, when: facts.When) -> None:
        """Somebody is in a bridge; if that makes both sides of an offer, they are connected."""
        leg = self._legs.get(channel.uniqueid)
        offer = leg.offer if leg is not None else self.offers.get(channel.uniqueid)
        if offer is None or offer.final or offer.connect_ms is not None or not offer.caller.bridge:
            return
        for leg in offer.legs:
            answerers = [c for c in leg.ringers if c.bridge and (c.up_at is not None or leg.answered)]
            if leg is offer.picked_leg and offer.picker is not None and offer.picker.bridge:
                answerers = [offer.picker]
            with_caller = {c.bridge for c in (leg.root, *answerers)}
            if answerers and offer.caller.bridge in with_caller:
                self._connected(offer, leg, answerers, when.at_ms)
                return

    def _connected(self, offer: LiveOffer, leg: LiveLeg, answerers: list[Channel], at_ms: int) -> None:
        offer.connect_ms = at_ms
        if offer.picker not in answerers:
            offer.winner, leg.connect_ms = leg, at_ms
        self._state.put_off(offer, SETTLE_MS)
        self._save(offer)
        self._on_connect(offer, answerers, at_ms)

    def channel_ended(self, channel: Channel, when: facts.When) -> None:
        """A Hangup closes what no DialEnd has closed, of the phone as of the caller."""
        leg = self._legs.get(channel.uniqueid)
        if leg is not None and leg.offer is not None:
            if leg.root is channel:
                self._close(leg, when, "")
            if leg.ended_ms is not None and (leg.root is channel or leg.offer.picker is channel):
                self._end_soon(leg.offer)
        if (offer := self.offers.get(channel.uniqueid)) is not None:
            self._state.due(offer, SETTLE_MS)
        if (pair := local_pair(channel.name)) is not None and pair[1] == "2":
            self._early.pop(pair[0], None)
        self._called.pop(channel.uniqueid, None)

    def _end_soon(self, offer: LiveOffer) -> None:
        """Who picked up has gone again before being connected: there is nothing to wait for."""
        if not offer.open:
            self._state.due(offer, SETTLE_MS)

    # -- the end --------------------------------------------------------------------------------------------------

    def finish(self, offer: LiveOffer) -> None:
        """The final records of an offer and its legs."""
        if offer.final:
            return
        offer.final = True
        self.live.discard(offer)
        for leg in offer.legs:
            self._finish_leg(leg, offer)
        offer.ended_ms = max((leg.ended_ms for leg in offer.legs if leg.ended_ms is not None), default=offer.began_ms)
        offer.partial = offer.partial or any(leg.partial for leg in offer.legs)
        self._save(offer)
        for leg in offer.legs:
            self._save_leg(leg, offer)
            for uniqueid in leg.channels:
                if self._legs.get(uniqueid) is leg:
                    del self._legs[uniqueid]
            for pair in leg.pairs:
                self._locals.pop(pair, None)
        if self.offers.get(offer.caller.uniqueid) is offer:
            del self.offers[offer.caller.uniqueid]

    def _finish_leg(self, leg: LiveLeg, offer: LiveOffer) -> None:
        if leg.ended_ms is None:
            ends = (offer.connect_ms, offer.picked_at, offer.caller.hangup_asked_at, offer.caller.ended_at)
            leg.ended_ms = next((at for at in ends if at is not None), None)
        if leg.ended_ms is None:
            leg.lost = leg.partial = True
            leg.ended_ms = max(leg.began_ms, self._state.now_ms)
        if leg.answered and all(c.up_at is None for c in leg.ringers):
            leg.partial = True
        leg.end = leg_end(leg, offer)
        leg.final = True
        if leg.end is LegEnd.UNKNOWN:
            leg.marks.add(UNRESOLVED)
            self._state.unresolved["leg"] += 1
        if (ring := leg_ring(leg)) is not None:
            self._state.timing_source[ring[1].value] += 1
        self._state.remember(leg.leg_id)

    def _save(self, offer: LiveOffer) -> None:
        offer.revision += 1
        bell = self._state.rules.bell(offer.cadence)
        self._state.keep(offer_record(offer, bell, self._state.auto_answer_ms), final=offer.final)

    def _save_leg(self, leg: LiveLeg, offer: LiveOffer) -> None:
        leg.revision += 1
        bell = self._state.rules.bell(offer.cadence)
        self._state.keep(leg_record(leg, offer.offer_id, bell, self._state.auto_answer_ms), final=leg.final)

    # -- when nobody was looking ----------------------------------------------------------------------------------

    def link_lost(self) -> None:
        """What is under way may go on unseen from here."""
        for offer in self.live:
            offer.partial = offer.broken = True
            self._save(offer)
            for leg in offer.legs:
                leg.partial = True
                self._save_leg(leg, offer)

    def channel_lost(self, channel: Channel, when: facts.When) -> None:
        """A snapshot does not show a channel any more: how it ended is not known."""
        leg = self._legs.get(channel.uniqueid)
        if leg is not None and leg.ended_ms is None and leg.root is channel:
            leg.lost = leg.partial = True
        self.channel_ended(channel, when)


def call_id_of(caller: Channel) -> str:
    """A call is known by the caller's first Uniqueid; behind a Local channel that is its Linkedid."""
    return caller.linkedid if caller.is_local and caller.linkedid else caller.uniqueid
