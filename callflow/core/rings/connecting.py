"""Connecting: who picked up, and when both sides of an offer are in a bridge."""

from callflow.core.rings import facts
from callflow.core.rings.channels import Channel
from callflow.core.rings.live import LiveLeg, LiveOffer
from callflow.core.rings.names import interface_of
from callflow.core.rings.open_offers import OpenOffers
from callflow.core.rings.talking import Talks
from callflow.core.rings.tracker_state import SETTLE_MS, TrackerState


class Connecting:
    """Connects each offer with the phone that answers it, and begins the talk."""

    def __init__(self, state: TrackerState, open_offers: OpenOffers, talks: Talks) -> None:
        self._state = state
        self._channels = state.channels
        self._open = open_offers
        self._talks = talks

    def picked_up(self, fact: facts.PickedUp) -> LiveOffer | None:
        """A colleague takes the call: the leg ends, the offer goes on with the colleague. Returns the offer, if any."""
        leg = self._open.leg(fact.target)
        picker = self._channels.note(fact.when, fact.picker, self._state.now_ms)
        if leg is None or leg.offer is None or leg.offer.picker is not None or leg.offer.connect_ms is not None:
            return None
        self._take_over(leg.offer, leg, picker, fact.when)
        self.bridge_entered(picker, fact.when)  # Asterisk may report the pickup after the bridge
        return leg.offer

    def _take_over(self, offer: LiveOffer, leg: LiveLeg, picker: Channel, when: facts.When) -> None:
        offer.picker, offer.picked_leg, offer.picked_at = picker, leg, when.at_ms
        offer.picked_by = self._state.names.agent(interface_of(picker.name))
        self._open.add_channel(leg, picker)
        if offer.winner is leg:  # a Local channel has passed the answer on already
            offer.winner, leg.answered = None, False
        self._open.close(leg, when, "PICKUP")

    def bridge_entered(self, channel: Channel, when: facts.When) -> None:
        """A channel is in a bridge; if now both sides of an offer are, they are connected."""
        leg = self._open.leg(channel.uniqueid)
        offer = leg.offer if leg is not None else self._open.by_caller.get(channel.uniqueid)
        if offer is None or offer.final or offer.connect_ms is not None or not offer.caller.bridge:
            return
        for leg in offer.legs:
            answerers = [c for c in leg.ringers if c.bridge and (c.up_at is not None or leg.answered)]
            if leg is offer.picked_leg and offer.picker is not None and offer.picker.bridge:
                answerers = [offer.picker]
            if offer.partial and (stranger := self._stranger_behind(leg)) is not None:
                self._take_over(offer, leg, stranger, when)
                answerers = [stranger]
            with_caller = {c.bridge for c in (leg.root, *answerers)}
            if answerers and offer.caller.bridge in with_caller:
                self._connected(offer, leg, answerers, when.at_ms)
                return

    def _stranger_behind(self, leg: LiveLeg) -> Channel | None:
        """The party that talks through a leg's Local channel, if it is another agent: an unseen call pickup."""
        party = self._channels.party_behind(leg.root) if leg.root.is_local else None
        if party is None or party.uniqueid in leg.channels or party is leg.root:
            return None
        return party if self._state.names.agent(interface_of(party.name)) != leg.agent else None

    def _connected(self, offer: LiveOffer, leg: LiveLeg, answerers: list[Channel], at_ms: int) -> None:
        offer.connect_ms = at_ms
        if offer.picker not in answerers:
            offer.winner, leg.connect_ms = leg, at_ms
        self._state.put_off(offer, SETTLE_MS)
        self._open.settle(offer)
        self._open.save(offer)
        self._talks.connected(offer, answerers, at_ms)

    def who_answered(self, fact: facts.AgentConnected) -> str:
        """Work number of the connected agent: the member, unless a colleague has picked up; "" if it is not known."""
        leg = self._open.leg(fact.dest)
        if leg is not None and leg.offer is not None and leg.offer.picker is not None:
            return leg.offer.picked_by
        if leg is not None and leg.root.is_local:  # a phone that was not picked up did not answer
            is_member = leg.up_ms() is not None and (bool(leg.phones) or not leg.partial)
        else:
            is_member = leg is not None or interface_of(fact.dest_channel) in ("", fact.member.interface)
        return self._state.names.agent(fact.member.interface, fact.member.name) if is_member else ""
