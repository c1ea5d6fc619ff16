"""Offers and legs in progress: found by caller, by channel and by Local pair; saved, and finished when all is known."""

from callflow.core.rings.endings import judge_legs
from callflow.core.rings.live import LiveLeg, LiveOffer, Purpose
from callflow.core.rings.measuring import leg_record, leg_ring, offer_record
from callflow.core.rings.records import LegEnd
from callflow.core.rings.talking import Talks
from callflow.core.rings.tracker_state import LONGEST_CALL_MS, SETTLE_MS, TrackerState


class OpenOffers:
    """Every offer and leg that has had no final record."""

    def __init__(self, state: TrackerState, talks: Talks) -> None:
        self._state = state
        self._talks = talks
        self.by_caller: dict[str, LiveOffer] = {}
        """The latest offer of each caller, by the Uniqueid of the channel that dials."""
        self.live: set[LiveOffer] = set()
        """Every offer that has had no final record."""
        self.legs: dict[str, LiveLeg] = {}
        """Legs by the Uniqueid of every channel that belongs to them."""
        self.locals: dict[str, LiveLeg] = {}
        """Legs by the name of every pair of Local channels that belongs to them."""

    def leg(self, uniqueid: str) -> LiveLeg | None:
        """The leg that a channel belongs to."""
        return self.legs.get(uniqueid)

    @property
    def sizes(self) -> dict[str, int]:
        """How much is remembered, by name."""
        return {
            "offers": len(self.by_caller),
            "live": len(self.live),
            "legs": len(self.legs),
            "locals": len(self.locals),
        }

    def settle(self, offer: LiveOffer) -> None:
        """End the offer soon, unless a leg still rings or somebody who picked up is not yet connected."""
        if offer.purpose is Purpose.UNCERTAIN and offer.taken:
            self._state.put_off(offer, LONGEST_CALL_MS)  # a hand-over may still tell
        elif all(leg.ended_ms is not None for leg in offer.legs) and (offer.connect_ms is not None or not offer.taken):
            self._state.due(offer, SETTLE_MS)

    # -- the end --------------------------------------------------------------------------------------------------

    def finish(self, offer: LiveOffer) -> None:
        """The final records of an offer and its legs; later, if it may yet become another caller's."""
        if offer.final:
            return
        if self._may_be_handed_over(offer):
            self._state.put_off(offer, LONGEST_CALL_MS)
            return
        if offer.purpose is Purpose.UNCERTAIN:  # nobody was handed over
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
            leg.offer = None  # here and below: what ends lets go of what holds it, and is freed without the collector
        offer.stay = None

    def _may_be_handed_over(self, offer: LiveOffer) -> bool:
        """An agent waits in a queue beside a talk with a caller: the whole stay may become the caller's."""
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
                if self.legs.get(uniqueid) is leg:
                    del self.legs[uniqueid]
            for pair in leg.pairs:
                if self.locals.get(pair) is leg:
                    del self.locals[pair]
        if self.by_caller.get(offer.caller.uniqueid) is offer:
            del self.by_caller[offer.caller.uniqueid]

    def save(self, offer: LiveOffer) -> None:
        if offer.purpose is Purpose.CALLER:
            offer.revision += 1
            bell = self._state.rules.bell(offer.cadence)
            self._state.save(offer_record(offer, bell, self._state.auto_answer_ms), final=offer.final)

    def save_leg(self, leg: LiveLeg, offer: LiveOffer) -> None:
        if offer.purpose is Purpose.CALLER:
            leg.revision += 1
            bell = self._state.rules.bell(offer.cadence)
            self._state.save(leg_record(leg, offer.offer_id, bell, self._state.auto_answer_ms), final=leg.final)

    def link_lost(self) -> None:
        """What is under way may go on unseen from here."""
        for offer in self.live:
            offer.partial = offer.broken = True
            self.save(offer)
            for leg in offer.legs:
                leg.partial = True
                self.save_leg(leg, offer)

    def doubt(self) -> None:
        """A snapshot has shown talks that nobody saw begin: what their phones dial may be a consultation."""
        for offer in self.live:
            if not offer.partial and self._talks.may_hide_one(offer.caller):
                offer.partial = True
                self.save(offer)
