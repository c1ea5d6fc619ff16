"""Channels as they are now: their state from events in any order, their bridges, and the halves of Local channels."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from callflow.core.rings.facts import ChannelSeen, Member, Party, When
from callflow.core.rings.names import interface_of, local_pair
from callflow.core.rings.recent import Recent
from callflow.core.rings.records import RingSource

MAX_CHANNELS = 50_000
OTHER_HALF = {"1": "2", "2": "1"}
OUTGOING = frozenset({"AppQueue", "AppDial", "AppDial2"})
"""What CoreShowChannels names as the application of a channel that Queue, Dial or Originate has dialled."""


@dataclass(slots=True, eq=False)
class Channel:
    """One channel; times are epoch ms, None where nothing is known."""

    uniqueid: str
    name: str = ""
    is_recorded: bool = False
    """Nothing but a record shows it, which has the trunk in the place of the name."""
    linkedid: str = ""
    number: str = ""
    caller_name: str = ""
    exten: str = ""
    call_id: str = ""
    """The call it belongs to, if not its own: that of the caller whom this agent's channel has answered."""
    dials_for: str = ""
    """Uniqueid of the caller for whom it dials since a transfer: half of a consulting Local channel."""
    began_here: bool = False
    """Newchannel was seen, and the link has lasted since: no event of it can have been missed."""
    originated: bool = False
    """Asterisk placed this call: AMI Originate or a call file."""
    application: str = ""
    """What it runs, as a snapshot shows it; "" if none has, and for half of a Local channel that runs nothing."""
    data: str = ""
    """The arguments of that application."""
    member: Member | None = None
    """The queue member that this channel calls (AgentCalled)."""
    dial_string: str = ""
    dial_status: str = ""
    """Of the first DialEnd whose destination it is."""
    rang_at: int | None = None
    ring_source: RingSource | None = None
    progress_at: int | None = None
    dialled_at: int | None = None
    up_at: int | None = None
    bridge: str = ""
    talking_as: str = ""
    """The phone that is counted as talking while the channel is in a bridge."""
    left_bridge_at: int | None = None
    held: bool = False
    """This phone has put the other party on hold."""
    hangup_asked_at: int | None = None
    """When the far end asked for the hang-up (HangupRequest)."""
    cause: int = 0
    """Why the far end hung up or refused (ITU-T Q.850), 0 when it did not say."""
    soft_hangup_at: int | None = None
    ended_at: int | None = None
    left_queue_at: int | None = None
    """When its latest finished stay in a queue ended."""
    stay_number: int = 0
    """Number of its latest stay in a queue."""
    touched_ms: int = 0
    stamped: bool = True
    anomalies: set[str] = field(default_factory=set)

    def rang(self, at_ms: int, source: RingSource) -> None:
        """It rings: the earlier of Newstate and DialState counts; of two in the same millisecond, Newstate."""
        if self.rang_at is None or (at_ms, source is not RingSource.RINGING) < (
            self.rang_at,
            self.ring_source is not RingSource.RINGING,
        ):
            self.rang_at, self.ring_source = at_ms, source

    def next_entry_id(self, joined_ms: int) -> str:
        """Id of its next stay; numbered by time if the channel may have had stays that callflow did not see."""
        self.stay_number = max(self.stay_number + 1, 0 if self.began_here else joined_ms)
        return f"{self.uniqueid}-{self.stay_number}"

    @property
    def was_dialled(self) -> bool:
        """It was called, and did not come in as a call of its own."""
        return self.dialled_at is not None or self.application in OUTGOING

    @property
    def is_local(self) -> bool:
        return self.name.startswith("Local/")


class Channels:
    """Every channel that an event has named and that has not ended."""

    def __init__(self, gone: Recent) -> None:
        self._gone = gone
        self._channels: dict[str, Channel] = {}
        self._talking: dict[str, list[Channel]] = {}
        """Channels in a bridge, by phone."""
        self._halves: dict[tuple[str, str], Channel] = {}
        """Local channels by the name of their pair, and "1" or "2"."""
        self._bridges: dict[str, list[Channel]] = {}
        self.evicted = 0
        """Forgotten because there were too many: their Hangup never came."""

    def __len__(self) -> int:
        return len(self._channels)

    @property
    def sizes(self) -> dict[str, int]:
        """How much is remembered, by name."""
        talking = len(self._talking)
        return {"channels": len(self), "halves": len(self._halves), "bridges": len(self._bridges), "talking": talking}

    def known(self, uniqueid: str) -> Channel | None:
        """The channel, if anything is known of it."""
        return self._channels.get(uniqueid)

    def note(self, when: When, party: Party, now_ms: int) -> Channel:
        """The channel that an event names, with what the event says of it."""
        channel = self._channels.get(party.uniqueid)
        if channel is None:
            channel = self.touch(party.uniqueid, now_ms)
        else:
            channel.touched_ms = now_ms
        if not when.stamped:
            channel.stamped = False
        if when.anomalies:
            channel.anomalies.update(when.anomalies)
        if party.channel and (channel.is_recorded or not channel.name):
            # only the first: a masquerade renames, and halves are found by name
            channel.name, channel.is_recorded = party.channel, False
            if channel.is_local and party.uniqueid in self._channels and (half := local_pair(channel.name)) is not None:
                self._halves[half] = channel
        if not channel.linkedid:
            channel.linkedid = party.linkedid
        if not channel.number:
            channel.number = party.number
        if not channel.caller_name:
            channel.caller_name = party.name
        if not channel.exten:
            channel.exten = party.exten
        return channel

    def seen(self, when: When, one: ChannelSeen, asked_ms: int, now_ms: int) -> None:
        """A snapshot asked for at `asked_ms` shows a channel: it adds what no event has reported."""
        channel = self._channels.get(one.party.uniqueid)
        if channel is not None and channel.began_here:
            return
        known_ms = channel.touched_ms if channel is not None else None
        channel = self.note(When(when.at_ms), one.party, now_ms)
        if known_ms is not None and known_ms > asked_ms:  # events have told the rest, and are newer
            if not channel.application:
                channel.application, channel.data = one.application, one.data
            return
        is_older = known_ms is None or known_ms < asked_ms
        channel.application, channel.data = one.application, one.data
        channel.up_at = channel.up_at if channel.up_at is not None or not one.up else when.at_ms
        if channel.bridge != one.bridge and (one.bridge or is_older):
            self.enter(channel, one.bridge)

    def touch(self, uniqueid: str, now_ms: int) -> Channel:
        """The channel with this id, new if it is not known. A late event of an ended channel is not kept."""
        channel = self._channels.get(uniqueid)
        if channel is None:
            channel = Channel(uniqueid)
            if uniqueid not in self._gone:
                if len(self._channels) >= MAX_CHANNELS:
                    self.forget(next(iter(self._channels)), now_ms)
                    self.evicted += 1
                self._channels[uniqueid] = channel
        channel.touched_ms = now_ms
        return channel

    def forget(self, uniqueid: str, now_ms: int) -> Channel | None:
        """It has ended; what was known of it."""
        self._gone.add(uniqueid, now_ms)
        channel = self._channels.pop(uniqueid, None)
        if channel is not None:
            self.enter(channel, "")
            half = local_pair(channel.name)
            if half is not None and self._halves.get(half) is channel:
                del self._halves[half]
        return channel

    def link_lost(self) -> None:
        """Later events of all channels may be missed."""
        for channel in self._channels.values():
            channel.began_here = False

    def prune(self, living: Iterable[str], before_ms: int) -> list[str]:
        """Uniqueids of channels known before `before_ms` that a snapshot asked for at that time does not show."""
        alive = set(living)
        return [u for u, channel in self._channels.items() if u not in alive and channel.touched_ms < before_ms]

    # -- bridges and Local channels -------------------------------------------------------------------------------

    def enter(self, channel: Channel, bridge: str) -> None:
        """The channel is in this bridge now, "" for none; an ended channel enters none."""
        if bridge and channel.uniqueid not in self._channels:
            return
        if channel.bridge:
            _take_out(self._talking, channel.talking_as, channel)
            _take_out(self._bridges, channel.bridge, channel)
        channel.bridge = bridge
        if bridge:
            channel.talking_as = interface_of(channel.name)
            self._talking.setdefault(channel.talking_as, []).append(channel)
            self._bridges.setdefault(bridge, []).append(channel)

    def peers(self, channel: Channel) -> list[Channel]:
        """The others in its bridge."""
        members = self._bridges.get(channel.bridge, ()) if channel.bridge else ()
        return [member for member in members if member is not channel]

    def is_talking(self, interface: str) -> bool:
        """A channel of this phone is in a bridge."""
        return interface in self._talking

    def talking(self, interface: str) -> Sequence[Channel]:
        """The channels of this phone that are in a bridge."""
        return self._talking.get(interface, ())

    def other_half(self, channel: Channel) -> Channel | None:
        """;2 of a Local channel's ;1, and the other way round; None for any other channel."""
        half = local_pair(channel.name)
        return self._halves.get((half[0], OTHER_HALF[half[1]])) if half is not None else None

    def is_originated(self, channel: Channel) -> bool:
        """Asterisk has placed the call that this channel, or the other half of it, belongs to."""
        if channel.originated or not channel.is_local:
            return channel.originated
        other = self.other_half(channel)
        return other is not None and other.originated

    def party_behind(self, channel: Channel) -> Channel | None:
        """The party that speaks through a Local channel: its other half's bridge peer. Any other speaks for itself."""
        seen = {channel}
        while channel.is_local:
            half = self.other_half(channel)
            party = next(iter(self.peers(half)), None) if half is not None else None
            if party is None or party in seen:
                return None
            seen.add(party)
            channel = party
        return channel

    def are_together(self, one: Channel, other: Channel) -> bool:
        """They hear each other: in one bridge, or in bridges that Local channels join."""
        seen, waiting = {one}, [one]
        while waiting:
            channel = waiting.pop()
            if channel.bridge and channel.bridge == other.bridge:
                return True
            for member in self._bridges.get(channel.bridge, ()) if channel.bridge else ():
                half = self.other_half(member)
                if half is not None and half not in seen:
                    seen.add(half)
                    waiting.append(half)
        return False


def _take_out(groups: dict[str, list[Channel]], name: str, channel: Channel) -> None:
    group = groups[name]
    group.remove(channel)
    if not group:
        del groups[name]
