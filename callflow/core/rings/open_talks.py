"""Talks in progress: found by channel and by phone."""

from collections import Counter
from collections.abc import Iterator
from itertools import chain

from callflow.core.rings.channels import Channel
from callflow.core.rings.live import LiveTalk, Purpose
from callflow.core.rings.names import interface_of, is_phone
from callflow.core.rings.tracker_state import TrackerState


class OpenTalks:
    """Every talk that has had no final record."""

    def __init__(self, state: TrackerState) -> None:
        self._names = state.names
        self._channels = state.channels
        self._talks: dict[str, list[LiveTalk]] = {}
        """By the Uniqueid of every channel in them, the latest talk last."""
        self._answering: dict[str, list[Channel]] = {}
        """Channels that have answered a caller and are in a talk, by phone."""

    def __len__(self) -> int:
        return len(self._talks)

    @property
    def sizes(self) -> dict[str, int]:
        """How much is remembered, by name."""
        return {"talks": len(self._talks), "answering": len(self._answering)}

    @property
    def all(self) -> Iterator[LiveTalk]:
        """Every talk, once for each of its channels."""
        return chain.from_iterable(self._talks.values())

    @property
    def by_line(self) -> Counter[str]:
        """Number of talks in progress, by direct line."""
        lines = {talk: talk.line for talk in self.all if talk.purpose is Purpose.CALLER}
        return Counter(line for talk, line in lines.items() if line and talk.ended_at is None)

    def of(self, uniqueid: str) -> LiveTalk | None:
        """The talk that a channel is in: the latest."""
        talks = self._talks.get(uniqueid)
        return talks[-1] if talks else None

    def at(self, uniqueid: str) -> tuple[LiveTalk, ...]:
        """All talks that a channel is in."""
        return tuple(self._talks.get(uniqueid, ()))

    def answering(self, channel: Channel) -> Channel | None:
        """Another channel of this phone that has answered a caller and still talks; None for a trunk."""
        others = self._answering.get(interface_of(channel.name), ())
        return next((one for one in others if one is not channel and not self.is_trunk(one)), None)

    def is_answering(self, channel: Channel) -> bool:
        """It has answered a caller and still talks."""
        return channel in self._answering.get(interface_of(channel.name), ())

    def is_trunk(self, channel: Channel) -> bool:
        """Through a trunk anybody may talk; a channel of a phone talks for the one agent who sits there."""
        if channel.is_local:
            return False
        if channel.dial_string:
            return not is_phone(channel.dial_string)
        return self._names.is_trunk(interface_of(channel.name))

    def is_consulting(self, caller: Channel) -> bool:
        """An agent who is in a talk with a caller uses this channel: what it reaches is a consultation."""
        if self._channels.is_originated(caller):
            return False
        if caller.is_local:
            return self._consults_through(caller)
        answering = self.answering(caller)
        if answering is not None and (answering.held or answering.dial_string):
            return True
        others = self._others_talking(caller)
        is_member = self._names.is_member(interface_of(caller.name))
        return any(one.was_dialled and (is_member or _is_found_phone(one)) for one in others)

    def is_no_talk(self, caller: Channel) -> bool:
        """What this channel has reached is no talk with a caller: an agent consults, or nobody can tell."""
        talk = self.of(caller.uniqueid)
        if talk is not None and talk.ended_at is None and talk.caller is caller:
            return talk.purpose in (Purpose.CONSULTATION, Purpose.UNCERTAIN)
        return self.is_consulting(caller)

    def _consults_through(self, local: Channel) -> bool:
        """With a feature code, the agent's channel moves to a Local channel of which one half runs nothing."""
        party, half = self._channels.party_behind(local), self._channels.other_half(local)
        if party is None or half is None:
            return False
        return self.is_answering(party) or (party.was_dialled and not half.application)

    def may_consult(self, caller: Channel) -> bool:
        """What this channel begins may be a consultation: its phone is in a talk whose beginning was not seen."""
        if caller.is_local:
            party = self._channels.party_behind(caller)
            others = [] if party is None else [party]
        else:
            others = self._others_talking(caller)
        return any(self._may_have_answered(one) for one in others)

    def _may_have_answered(self, channel: Channel) -> bool:
        """It is in a talk whose beginning was not seen, and may have been called for it."""
        if channel.began_here or self.of(channel.uniqueid) is not None:
            return False
        return channel.was_dialled or not channel.application

    def _others_talking(self, channel: Channel) -> list[Channel]:
        """Channels in a talk with the same phone; none for a trunk."""
        channels = self._channels.talking(interface_of(channel.name))
        return [one for one in channels if one is not channel and not self.is_trunk(one)]

    # -- which channels belong to a talk ---------------------------------------------------------------------------

    def add(self, talk: LiveTalk) -> None:
        """A talk begins, or goes on with another caller."""
        for channel in talk.channels:
            self.add_channel(talk, channel.uniqueid)
        for channel in talk.answerers:
            channel.call_id = talk.call_id
            if talk.purpose is Purpose.CALLER:
                self._answering.setdefault(interface_of(channel.name), []).append(channel)

    def add_channel(self, talk: LiveTalk, uniqueid: str) -> None:
        """One more channel belongs to the talk."""
        self._talks.setdefault(uniqueid, []).append(talk)
        talk.uniqueids.append(uniqueid)

    def stop_answering(self, talk: LiveTalk) -> None:
        """Its answerers do not talk to a caller any more."""
        for channel in talk.answerers:
            phone = interface_of(channel.name)
            others = [one for one in self._answering.pop(phone, ()) if one is not channel]
            if others:
                self._answering[phone] = others

    def remove(self, talk: LiveTalk) -> None:
        """No channel belongs to the talk any more."""
        for uniqueid in talk.uniqueids:
            talks = self._talks[uniqueid]
            talks.remove(talk)
            if not talks:
                del self._talks[uniqueid]
        talk.uniqueids.clear()


def _is_found_phone(channel: Channel) -> bool:
    """A snapshot has shown that a phone was dialled by its name: no trunk."""
    return not channel.began_here and is_phone(channel.dial_string)
