"""Asterisk removes the Local channel between the two parties of a talk: the talk goes on without it.

Asterisk first brings the two into one bridge. Several threads report the move, so the Hangup of the Local channel may
come before the BridgeEnter that shows the two together. Until then the talk is in doubt: it may also be over.
"""

from callflow.core.rings.channels import Channel
from callflow.core.rings.live import LiveTalk
from callflow.core.rings.open_talks import OpenTalks
from callflow.core.rings.tracker_state import LONGEST_CALL_MS, SETTLE_MS, TrackerState


class LocalRemoval:
    """Decides whether a talk goes on without a Local channel that has ended."""

    def __init__(self, state: TrackerState, open_talks: OpenTalks) -> None:
        self._state = state
        self._open = open_talks

    def goes_on_without(self, talk: LiveTalk, channel: Channel, at_ms: int) -> bool:
        """True for the Local channel between two parties who are still there; without a common bridge in doubt."""
        two = self._two(talk)
        if two is None or not talk.under_way or not channel.is_local:
            return False
        caller, agent = two
        if talk.caller is channel:
            talk.caller = agent if caller in talk.answerers else caller
            if talk.caller.uniqueid not in talk.uniqueids:
                self._open.add_channel(talk, talk.caller.uniqueid)
        if not self._state.channels.are_together(caller, agent):
            talk.doubted_at = at_ms
            self._state.due(talk, SETTLE_MS)
        return True

    def is_confirmed(self, talk: LiveTalk) -> bool:
        """All events are there. True if the talk was in doubt and goes on; one that does not ended with the doubt."""
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

    def link_lost(self, talk: LiveTalk) -> None:
        """The events that would decide may be missed: the next snapshot decides instead."""
        if talk.doubted_at is not None and talk.ended_at is None:
            talk.doubted_at = None
            self._state.put_off(talk, LONGEST_CALL_MS)

    def _two(self, talk: LiveTalk) -> tuple[Channel, Channel] | None:
        """The channels of caller and agent, as reported, if both exist."""
        if talk.parties is None:
            return None
        known = self._state.channels.known
        caller, agent = known(talk.parties.caller_uniqueid), known(talk.parties.agent_uniqueid)
        return None if caller is None or agent is None else (caller, agent)
