"""Transfers: what an agent has begun for a caller becomes the caller's when the agent transfers the call."""

from callflow.core.rings import facts
from callflow.core.rings.channels import Channel
from callflow.core.rings.dialling import Dialling
from callflow.core.rings.names import interface_of, safe_name
from callflow.core.rings.open_offers import OpenOffers
from callflow.core.rings.open_stays import OpenStays
from callflow.core.rings.open_talks import OpenTalks
from callflow.core.rings.records import Transfer, TransferKind
from callflow.core.rings.talking import Talks
from callflow.core.rings.tracker_state import TrackerState


class Transfers:
    """Moves offers, stays and talks from the channel that an agent consulted with to the transferred caller."""

    def __init__(
        self,
        state: TrackerState,
        offers: OpenOffers,
        dialling: Dialling,
        stays: OpenStays,
        open_talks: OpenTalks,
        talks: Talks,
    ) -> None:
        self._state = state
        self._offers = offers
        self._dialling = dialling
        self._stays = stays
        self._open_talks = open_talks
        self._talks = talks

    def transferred(self, fact: facts.Transferred) -> None:
        """BlindTransfer or AttendedTransfer."""
        to, at_ms = self._handed_over(fact), fact.when.at_ms
        consulting = self._consulting(fact, to)
        self._keep(fact, to)
        self._talks.transferred(fact)
        for uniqueid in fact.transferers:
            leg = self._offers.leg(uniqueid)
            if leg is not None:
                leg.handed_on = True
        if to is None:
            return
        for uniqueid in consulting:
            self.move(uniqueid, to, at_ms)
        target = self._consulted(fact, to)
        dialler = self._state.channels.other_half(target) if target is not None else None
        if dialler is not None:
            self._dials_for(dialler, to, at_ms)

    def _keep(self, fact: facts.Transferred, to: Channel | None) -> None:
        """Save a record of the transfer, if the agent's talk is known; the agent's Hangup may have ended it already."""
        for uniqueid in fact.transferers:
            talk = self._open_talks.of(uniqueid)
            parties = talk.parties if talk is not None else None
            if talk is None or parties is None or parties.agent_uniqueid != uniqueid or talk.handed_over:
                continue
            talk.handed_over = True
            transfer = Transfer(
                transfer_id=f"{uniqueid}-{fact.when.at_ms}",
                call_id=parties.call_id,
                agent=parties.agent,
                queue=parties.queue,
                line=parties.line,
                kind=TransferKind.ATTENDED if fact.attended else TransferKind.BLIND,
                target=self._target(fact, to),
                at_ms=fact.when.at_ms,
            )
            self._state.save(transfer, final=True)
            return

    def _target(self, fact: facts.Transferred, to: Channel | None) -> str:
        """Work number of who was consulted, or the extension of a blind transfer; "" if neither is named."""
        target = self._consulted(fact, to)
        party = None if target is None else self._state.channels.party_behind(target)
        if party is not None:
            return self._state.names.agent(interface_of(party.name))
        return safe_name(fact.exten) if fact.exten else ""

    def _consulted(self, fact: facts.Transferred, to: Channel | None) -> Channel | None:
        """The channel that the agent consulted; if Asterisk does not name it, the peer in the caller's new bridge."""
        if fact.target:
            return self._state.channels.known(fact.target)
        peers = self._state.channels.peers(to) if to is not None and fact.attended else []
        return peers[0] if len(peers) == 1 and peers[0].uniqueid not in fact.transferers else None

    def bridge_entered(self, channel: Channel, at_ms: int) -> None:
        """A Local channel that has dialled for an agent comes to the caller: that is a transfer."""
        half = self._state.channels.other_half(channel)
        if half is None or not half.began_here or self._offers.leg(channel.uniqueid) is not None:
            return
        party = self._state.channels.party_behind(half)
        if party is None or not party.began_here or self._open_talks.is_answering(party):
            return
        if not self._state.channels.is_originated(half):
            self._dials_for(half, party, at_ms)

    def _dials_for(self, dialler: Channel, caller: Channel, at_ms: int) -> None:
        """With a feature code, a Local channel dials for the agent, and after the transfer for the caller."""
        if dialler.dials_for != caller.uniqueid:  # BridgeEnter and AttendedTransfer both show it
            dialler.dials_for = caller.uniqueid
            self._move(dialler.uniqueid, dialler, self._state.call_of(caller), at_ms)

    def move(self, old: str, to: Channel, at_ms: int) -> None:
        """What the channel `old` has begun becomes the caller's."""
        self._move(old, to, self._state.call_of(to), at_ms)

    def _move(self, old: str, to: Channel, call_id: str, at_ms: int) -> None:
        self._stays.move(old, to, call_id, at_ms)
        self._dialling.move(old, to, call_id)
        self._talks.move(old, to, call_id, at_ms)

    def _handed_over(self, fact: facts.Transferred) -> Channel | None:
        """The caller in the talk of the agent who transfers; if no talk is known, the transferee of the event."""
        for uniqueid in fact.transferers:
            talk = self._open_talks.of(uniqueid)
            if talk is not None and talk.parties is not None and talk.parties.agent_uniqueid == uniqueid:
                party = self._state.channels.known(talk.parties.caller_uniqueid)
                if party is not None:
                    return party
        return self._state.channels.touch(fact.transferee, self._state.now_ms) if fact.transferee else None

    def _consulting(self, fact: facts.Transferred, to: Channel | None) -> list[str]:
        """The channels that the agent consulted with in an attended transfer, without those that talk to the caller."""
        if len(set(fact.transferers)) < 2:
            return []
        talks = ((uniqueid, self._open_talks.of(uniqueid)) for uniqueid in fact.transferers)
        return [uniqueid for uniqueid, talk in talks if talk is None or to not in talk.channels]
