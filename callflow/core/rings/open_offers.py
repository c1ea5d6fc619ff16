"""Offers and legs in progress: found by caller, by channel and by Local pair; saved, and finished when all is known."""

from callflow.core.rings.channels import Channel
from callflow.core.rings.endings import judge_legs
from callflow.core.rings.facts import When
from callflow.core.rings.live import LiveLeg, LiveOffer, Purpose
from callflow.core.rings.marks import CALL_WAITING
from callflow.core.rings.measuring import leg_record, leg_ring, offer_record
from callflow.core.rings.names import interface_of, local_pair
from callflow.core.rings.open_talks import OpenTalks
from callflow.core.rings.records import LegEnd
from callflow.core.rings.tracker_state import LONGEST_CALL_MS, SETTLE_MS, TrackerState


class OpenOffers:
    """Every offer and leg that has had no final record."""

    def __init__(self, state: TrackerState, talks: OpenTalks) -> None:
        self._state = state
        self._talks = talks
        self.by_caller: dict[str, LiveOffer] = {}
        """The latest offer of each caller, by the Uniqueid of the channel that dials."""
        self.live: set[LiveOffer] = set()
        """Every offer that has had no final record."""
        self._legs: dict[str, LiveLeg] = {}
        """Legs by the Uniqueid of every channel that belongs to them."""
        self._pairs: dict[str, LiveLeg] = {}
        """Legs by the name of every pair of Local channels that belongs to them."""

    def leg(self, uniqueid: str) -> LiveLeg | None:
        """The leg that a channel belongs to."""
        return self._legs.get(uniqueid)

    def leg_of_pair(self, pair: str) -> LiveLeg | None:
        """The leg that a pair of Local channels belongs to."""
        return self._pairs.get(pair)

    @property
    def sizes(self) -> dict[str, int]:
        """How much is remembered, by name."""
        return {
            "offers": len(self.by_caller),
            "live": len(self.live),
            "legs": len(self._legs),
            "locals": len(self._pairs),
        }

    # -- which channels belong to a leg ---------------------------------------------------------------------------

    def add_behind(self, leg: LiveLeg, channel: Channel) -> None:
        """What is dialled behind a Local channel belongs to its leg, also behind a further Local channel."""
        if not channel.is_local:
            leg.phones.append(channel)
            self.mark_waiting(leg, channel)
        self.add_channel(leg, channel)

    def add_channel(self, leg: LiveLeg, channel: Channel) -> None:
        """A channel belongs to the leg; of a Local channel, also what its other half has dialled."""
        self._legs[channel.uniqueid] = leg
        leg.channels.append(channel.uniqueid)
        if channel.is_local and (half := local_pair(channel.name)) is not None:
            self._pairs[half[0]] = leg
            leg.pairs.append(half[0])
            self._absorb(leg, self._state.channels.other_half(channel))

    def _absorb(self, leg: LiveLeg, half: Channel | None) -> None:
        """What a Local channel dialled before its own DialBegin was known belongs to its leg."""
        early = self.by_caller.get(half.uniqueid) if half is not None else None
        if early is None or early.purpose is not Purpose.CONSULTATION:
            return
        self.drop(early)
        for behind in early.legs:
            behind.offer = None
            for channel in (behind.root, *behind.phones):
                if channel.uniqueid not in self._legs:
                    self.add_behind(leg, channel)

    def mark_waiting(self, leg: LiveLeg, channel: Channel) -> None:
        """Mark a leg whose phone is in another call."""
        if channel.is_local or self._talks.is_trunk(channel):
            return
        if self._state.channels.is_talking(interface_of(channel.name)):
            leg.marks.add(CALL_WAITING)

    # -- the end --------------------------------------------------------------------------------------------------

    def close(self, leg: LiveLeg, when: When, status: str, *, forwarded: bool = False) -> None:
        """A leg ends: by its first DialEnd, or without a `status` by a Hangup."""
        offer = leg.offer
        if offer is None or (leg.ended_ms is not None and (leg.status or not status)):
            return
        leg.ended_ms = when.at_ms if leg.ended_ms is None else min(when.at_ms, leg.ended_ms)
        leg.status = status
        leg.stamped = leg.stamped and when.stamped
        leg.marks.update(when.anomalies)
        leg.answered = status == "ANSWER"
        leg.forwarded = offer.forwarding = forwarded
        if leg.answered and offer.winner is None:
            offer.winner = leg
        self.settle(offer)

    def settle(self, offer: LiveOffer) -> None:
        """End the offer soon, unless a leg still rings or somebody who picked up is not yet connected."""
        if offer.purpose is Purpose.UNCERTAIN and offer.taken:
            self._state.put_off(offer, LONGEST_CALL_MS)  # a transfer may still show which
        elif all(leg.ended_ms is not None for leg in offer.legs) and (offer.connect_ms is not None or not offer.taken):
            self._state.due(offer, SETTLE_MS)

    def finish(self, offer: LiveOffer) -> None:
        """The final records of an offer and its legs; later, if it may still become another caller's."""
        if offer.final:
            return
        if self._may_be_handed_over(offer):
            self._state.put_off(offer, LONGEST_CALL_MS)
            return
        if offer.purpose is Purpose.UNCERTAIN:  # no transfer came
            offer.purpose = Purpose.CALLER
        judge_legs(offer, self._state.now_ms)
        self.drop(offer)
        offer.ended_ms = max((leg.ended_ms for leg in offer.legs if leg.ended_ms is not None), default=offer.began_ms)
        offer.partial = offer.partial or any(leg.partial for leg in offer.legs)
        self.save(offer)
        for leg in offer.legs:
            leg.final = True
            self._count(leg, offer)
            self.save_leg(leg, offer)
            leg.offer = None  # here and below: no cycle of references is left for the garbage collector
        offer.stay = None

    def _may_be_handed_over(self, offer: LiveOffer) -> bool:
        """An agent who is in a talk with a caller waits in a queue: the whole stay may become the caller's."""
        stay, caller = offer.stay, offer.caller
        if stay is None or stay.final or stay.caller is not caller or caller.ended_at is not None:
            return False
        return self._talks.answering(caller) is not None

    def _count(self, leg: LiveLeg, offer: LiveOffer) -> None:
        if offer.purpose is not Purpose.CALLER:
            return
        if leg.end is LegEnd.UNKNOWN:
            self._state.unresolved["leg"] += 1
        if (ring := leg_ring(leg)) is not None:
            self._state.timing_source[ring[1].value] += 1

    def drop(self, offer: LiveOffer) -> None:
        """Nothing more belongs to this offer."""
        self._state.done(offer)
        self.live.discard(offer)
        for leg in offer.legs:
            self._state.remember(leg.leg_id)
            for uniqueid in leg.channels:
                if self._legs.get(uniqueid) is leg:
                    del self._legs[uniqueid]
            for pair in leg.pairs:
                if self._pairs.get(pair) is leg:
                    del self._pairs[pair]
        if self.by_caller.get(offer.caller.uniqueid) is offer:
            del self.by_caller[offer.caller.uniqueid]

    def save(self, offer: LiveOffer) -> None:
        """Save an offer as it is known now."""
        if offer.purpose is Purpose.CALLER:
            offer.revision += 1
            bell = self._state.rules.bell(offer.cadence)
            self._state.save(offer_record(offer, bell, self._state.auto_answer_ms), final=offer.final)

    def save_leg(self, leg: LiveLeg, offer: LiveOffer) -> None:
        """Save a leg as it is known now."""
        if offer.purpose is Purpose.CALLER:
            leg.revision += 1
            bell = self._state.rules.bell(offer.cadence)
            self._state.save(leg_record(leg, offer.offer_id, bell, self._state.auto_answer_ms), final=leg.final)

    def link_lost(self) -> None:
        """What is in progress may go on unseen from here."""
        for offer in self.live:
            offer.partial = offer.broken = True
            self.save(offer)
            for leg in offer.legs:
                leg.partial = True
                self.save_leg(leg, offer)

    def doubt(self) -> None:
        """A snapshot has shown talks whose beginning was not seen: what their phones dial may be a consultation."""
        for offer in self.live:
            if not offer.partial and self._talks.may_consult(offer.caller):
                offer.partial = True
                self.save(offer)
