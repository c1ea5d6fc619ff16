"""Talks that a snapshot shows under way: consultations whose beginning was not seen, and what became of them."""

from callflow.core.rings import facts
from callflow.core.rings.channels import Channel
from callflow.core.rings.live import LiveTalk, Purpose
from callflow.core.rings.names import destinations_of, interface_of, local_pair, safe_name
from callflow.core.rings.open_offers import OpenOffers
from callflow.core.rings.open_talks import OpenTalks
from callflow.core.rings.talking import Talks
from callflow.core.rings.tracker_state import TrackerState


class UnderWay:
    """Follows a consultation from the snapshot on, so that its talk is known once the caller is transferred to it."""

    def __init__(self, state: TrackerState, offers: OpenOffers, open_talks: OpenTalks, talks: Talks) -> None:
        self._state = state
        self._channels = state.channels
        self._offers = offers
        self._open = open_talks
        self._talks = talks

    def seen(self, fact: facts.SnapshotTaken) -> None:
        """The tracker knows the channels of this snapshot already."""
        channels = [self._channels.known(one.party.uniqueid) for one in fact.channels]
        known = [channel for channel in channels if channel is not None]
        for channel in known:
            if channel.application == "Dial":
                self._dialled(channel)
        for channel in known:
            peers = self._channels.peers(channel)
            if channel.was_dialled and not channel.is_local and len(peers) == 1:
                self._answered(peers[0], channel, fact.when.at_ms)

    def _dialled(self, caller: Channel) -> None:
        """How the phones that answered were dialled: by name, or by name and contact."""
        destinations = destinations_of(caller.data)
        for peer in self._channels.peers(caller):
            if peer.was_dialled and not peer.dial_string:
                phone = interface_of(peer.name)
                dialled = (each for each in destinations if each == phone or each.startswith(f"{phone}/"))
                peer.dial_string = next(dialled, "").partition("/")[2]

    def bridge_entered(self, channel: Channel, at_ms: int) -> None:
        """Somebody who was called before the snapshot, for whom no offer is known, is connected."""
        for answerer in (channel, *self._channels.peers(channel)):
            peers = self._channels.peers(answerer)
            if len(peers) == 1 and self._is_found(answerer):
                self._connected(peers[0], answerer, at_ms)

    def transferred(self, fact: facts.Transferred) -> None:
        """Who was consulted is with the caller now, where the transfer had begun before the snapshot."""
        target = self._channels.known(fact.target)
        peers = self._channels.peers(target) if target is not None else []
        if target is not None and len(peers) == 1 and self._is_found(target):
            self._answered(peers[0], target, fact.when.at_ms)

    def _is_found(self, channel: Channel) -> bool:
        """A phone that was called before the snapshot, and of whose call no offer is known."""
        is_called = channel.was_dialled and not channel.began_here and not channel.is_local
        return is_called and self._offers.leg(channel.uniqueid) is None

    def _connected(self, caller: Channel, answerer: Channel, at_ms: int) -> None:
        if caller.application == "Dial":
            self._dialled(caller)
        self._answered(caller, answerer, at_ms)
        is_caller = caller.application == "Queue" or self._line(caller, answerer)
        if is_caller and not self._is_in_talk(answerer) and not caller.is_local and not caller.was_dialled:
            self._find(caller, answerer, Purpose.CALLER, at_ms)

    def _line(self, caller: Channel, answerer: Channel) -> str:
        """The direct line that was dialled."""
        if caller.application != "Dial":
            return ""
        return self._state.names.line_dialled(caller.exten, caller.exten, interface_of(answerer.name))

    def _answered(self, caller: Channel, answerer: Channel, at_ms: int) -> None:
        party = self._channels.party_behind(caller)
        if self._is_handed_over(caller, party):
            talk = self._open.of(answerer.uniqueid)
            if not self._is_in_talk(answerer):
                self._find(caller, answerer, Purpose.CALLER, at_ms)
            elif talk is not None and talk.purpose is Purpose.CONSULTATION and talk.caller is caller:
                self._talks.move(caller.uniqueid, caller, self._state.call_of(party or caller), at_ms)
        elif not self._is_in_talk(answerer) and (
            self._is_on_its_way(caller, party) or self._open.is_consulting(caller)
        ):
            self._find(caller, answerer, Purpose.CONSULTATION, at_ms)

    def _find(self, caller: Channel, answerer: Channel, purpose: Purpose, at_ms: int) -> None:
        talk = LiveTalk(
            call_id=self._state.call_of(self._channels.party_behind(caller) or caller),
            caller=caller,
            answerers=[answerer],
            purpose=purpose,
            agent=self._state.names.agent(interface_of(answerer.name)),
            line=self._line(caller, answerer),
            queue=safe_name(caller.data.partition(",")[0]) if caller.application == "Queue" else "",
            partial=True,
        )
        self._talks.found(talk, at_ms)

    def _is_in_talk(self, channel: Channel) -> bool:
        talk = self._open.of(channel.uniqueid)
        return talk is not None and talk.ended_at is None

    def _is_handed_over(self, caller: Channel, party: Channel | None) -> bool:
        """A Local channel that dialled for an agent is with the caller now."""
        return self._dialled_for_agent(caller) and party is not None and not party.was_dialled

    def _is_on_its_way(self, caller: Channel, party: Channel | None) -> bool:
        """A Local channel that dialled for an agent is with nobody: the caller is being transferred."""
        return self._dialled_for_agent(caller) and party is None

    def _dialled_for_agent(self, caller: Channel) -> bool:
        """Half of a Local channel of which Asterisk has made the other half for a transfer: nobody has dialled it."""
        pair, half = local_pair(caller.name), self._channels.other_half(caller)
        if pair is None or pair[1] != "2" or half is None:
            return False
        return not half.was_dialled and not half.application
