"""Channels as they are now: what each has told, in whatever order it came, and which bridge it is in."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from callflow.core.rings.facts import Party, When
from callflow.core.rings.names import interface_of
from callflow.core.rings.records import RingSource, Timing

MAX_CHANNELS = 50_000


@dataclass(slots=True)
class Channel:
    """One channel; times are epoch ms, None where nothing was told."""

    uniqueid: str
    name: str = ""
    linkedid: str = ""
    number: str = ""
    caller_name: str = ""
    exten: str = ""
    began_here: bool = False
    """Newchannel was seen: nothing of it can have been missed."""
    rang_at: int | None = None
    ring_source: RingSource | None = None
    progress_at: int | None = None
    dialled_at: int | None = None
    up_at: int | None = None
    bridge: str = ""
    talking_as: str = ""
    """The phone that is counted as talking while the channel is in a bridge."""
    left_bridge_at: int | None = None
    hangup_asked_at: int | None = None
    """Hang-up asked for: by the far end, or softly before anything else ended it."""
    cause: int = 0
    """Why the far end hung up or refused (ITU-T Q.850), 0 when it did not say."""
    soft_hangup_at: int | None = None
    ended_at: int | None = None
    left_queue_at: int | None = None
    """When its latest stay in a queue that is over had ended."""
    stay_number: int = 0
    """Of its latest stay in a queue."""
    touched_ms: int = 0
    stamped: bool = True
    anomalies: set[str] = field(default_factory=set)

    def note(self, when: When, party: Party | None = None) -> None:
        """Keep what every event tells."""
        self.stamped = self.stamped and when.stamped
        self.anomalies.update(when.anomalies)
        if party is None:
            return
        self.name = self.name or party.channel  # the first: a masquerade renames, and the pair of a name must hold
        self.linkedid = self.linkedid or party.linkedid
        self.number = self.number or party.number
        self.caller_name = self.caller_name or party.name
        self.exten = self.exten or party.exten

    def rang(self, at_ms: int, source: RingSource) -> None:
        """It rings: the earlier of Newstate and DialState counts; of two in the same millisecond, Newstate."""
        if self.rang_at is None or (at_ms, source is not RingSource.RINGING) < (
            self.rang_at,
            self.ring_source is not RingSource.RINGING,
        ):
            self.rang_at, self.ring_source = at_ms, source

    def next_entry_id(self, joined_ms: int) -> str:
        """Id of its next stay. One that was there before us may have had stays already: its are numbered by time."""
        self.stay_number = max(self.stay_number + 1, 0 if self.began_here else joined_ms)
        return f"{self.uniqueid}-{self.stay_number}"

    @property
    def timing(self) -> Timing:
        return Timing.STAMPED if self.stamped else Timing.ARRIVAL

    @property
    def is_local(self) -> bool:
        return self.name.startswith("Local/")


class Channels:
    """Every channel that an event has named and no Hangup has ended."""

    def __init__(self) -> None:
        self._channels: dict[str, Channel] = {}
        self._talking: Counter[str] = Counter()
        self.evicted = 0
        """Forgotten because there were too many: their Hangup never came."""

    def enter(self, channel: Channel, bridge: str) -> None:
        """It is in this bridge now, "" for none."""
        if channel.bridge:
            self._talking[channel.talking_as] -= 1
            if not self._talking[channel.talking_as]:
                del self._talking[channel.talking_as]
        channel.bridge = bridge
        if bridge:
            channel.talking_as = interface_of(channel.name)
            self._talking[channel.talking_as] += 1

    def is_talking(self, interface: str) -> bool:
        """A channel of this phone is in a bridge."""
        return interface in self._talking

    def __len__(self) -> int:
        return len(self._channels)

    def known(self, uniqueid: str) -> Channel | None:
        """The channel, if anything has been told of it."""
        return self._channels.get(uniqueid)

    def get(self, uniqueid: str, now_ms: int) -> Channel:
        """The channel, made known by this event if need be."""
        channel = self._channels.get(uniqueid)
        if channel is None:
            if len(self._channels) >= MAX_CHANNELS:
                self.forget(next(iter(self._channels)))
                self.evicted += 1
            channel = self._channels[uniqueid] = Channel(uniqueid)
        channel.touched_ms = now_ms
        return channel

    def forget(self, uniqueid: str) -> Channel | None:
        """It has ended; what was known of it."""
        channel = self._channels.pop(uniqueid, None)
        if channel is not None:
            self.enter(channel, "")
        return channel

    def prune(self, living: Iterable[str], before_ms: int) -> list[str]:
        """Uniqueids of channels that a snapshot asked for at `before_ms` did not show, although told of before."""
        alive = set(living)
        return [u for u, channel in self._channels.items() if u not in alive and channel.touched_ms < before_ms]
