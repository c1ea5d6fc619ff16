"""Channels, and the switch that numbers and keeps them."""

from collections.abc import Callable
from itertools import count
from random import Random
from typing import Protocol

from callflow.simulator.pretend.clock import Clock
from callflow.simulator.pretend.flavour import DOWN, STATES
from callflow.simulator.pretend.stream import NO_MEDIA, Stream
from callflow.simulator.pretend.talk_detect import TalkDetect

UNKNOWN = "<unknown>"


class Owner(Protocol):
    """The object that runs the dialplan on a channel."""

    def stop_playback(self) -> None:
        """AMI ControlPlayback stop."""

    def soft_hangup(self, cause: int | None) -> None:
        """AMI or AGI Hangup."""

    def redirect(self, context: str, exten: str, priority: int = 1) -> bool:
        """AMI Redirect; False when there is no such extension."""


class InTalk(Protocol):
    """The bridge of a channel and another party."""

    by_queue: bool

    @property
    def is_native(self) -> bool: ...
    def other(self, channel: "Channel") -> "Channel": ...
    def attaching(self) -> None: ...
    def carries_whisper(self, to: "Channel") -> bool: ...
    def features_of(self, channel: "Channel") -> dict[str, str]: ...
    def begins_code(self, channel: "Channel", key: str) -> bool: ...
    def pressed(self, channel: "Channel", key: str) -> None: ...
    def hold(self, by: "Channel") -> None: ...
    def resume(self, by: "Channel") -> None: ...
    def holds(self, by: "Channel") -> bool: ...
    def transfer(self, by: "Channel", context: str, exten: str) -> None: ...
    def consult(self, by: "Channel", exten: str, context: str) -> None: ...


class Channel:
    """One channel; `snapshot` is the block of headers that most events carry."""

    __slots__ = (
        "accountcode", "alive", "answered_at", "application", "attached", "bridge", "caller_name",
        "caller_number", "cause", "connected_name", "connected_number", "context", "created_at", "data", "dnid", "ear",
        "exten", "gain", "hangup_handlers", "inherited", "language", "limit_s", "linkedid", "music", "mute", "name",
        "on_answer", "on_key", "on_ringing", "owner",
        "priority", "sip_code", "spies", "state", "stream", "talk", "uniqueid", "variables",
    )  # fmt: skip

    def __init__(self, name: str, uniqueid: str, linkedid: str, context: str, exten: str, created_at: float) -> None:
        self.name, self.uniqueid, self.linkedid = name, uniqueid, linkedid
        self.context, self.exten, self.priority = context, exten, 1
        self.created_at = created_at
        self.state = DOWN
        self.caller_number = self.caller_name = self.connected_number = self.connected_name = ""
        self.dnid = self.accountcode = ""
        self.language = "en"
        self.application = self.data = self.bridge = ""
        self.variables: dict[str, str] = {}
        self.ear: TalkDetect | None = None
        self.stream: Stream = NO_MEDIA
        self.answered_at = created_at
        self.gain = 1.0
        self.spies: list[Callable[[], None]] = []
        """Who listens to it, and is told when it ends."""
        self.owner: Owner | None = None
        self.alive = True
        self.attached = 0
        """Spies and whispers on it."""
        self.talk: InTalk | None = None
        self.on_key: Callable[[str], None] | None = None
        """Takes each key when it comes up."""
        self.on_answer: Callable[[], None] | None = None
        self.on_ringing: Callable[[], None] | None = None
        """The phone that it dials rings."""
        self.mute = self.music = False
        """Its phone sends nothing because it holds the call; it hears music in a queue."""
        self.cause = 0
        """HANGUPCAUSE."""
        self.sip_code: int | None = None
        self.inherited: dict[str, str] = {}
        """Variables that dialled channels get, and how they were spelled: _NAME or __NAME."""
        self.limit_s: float | None = None
        """TIMEOUT(absolute) as it was set last, until its owner has seen it."""
        self.hangup_handlers: list[tuple[str, str, int]] = []

    @property
    def is_attached(self) -> bool:
        """TALK_DETECT, a tap or a whisper is on it."""
        return bool(self.attached or self.spies) or (self.ear is not None and self.ear.armed)

    def about_to_attach(self) -> None:
        """Something is about to be put on it."""
        if self.talk is not None:
            self.talk.attaching()

    def sends(self, now: float) -> bool:
        """Whether its phone sends RTP."""
        return not self.mute and self.stream.begins_s <= now - self.answered_at < self.stream.ends_s

    @property
    def kind(self) -> str:
        """The technology: PJSIP or Local."""
        return self.name.partition("/")[0]

    def at(self, context: str, exten: str, priority: int) -> None:
        """Move the dialplan to this priority."""
        self.context, self.exten, self.priority = context, exten, priority

    def snapshot(self, prefix: str = "") -> str:
        """The channel's headers, each begun with `prefix`."""
        p = prefix
        return (
            f"{p}Channel: {self.name}\r\n{p}ChannelState: {self.state}\r\n{p}ChannelStateDesc: {STATES[self.state]}\r\n"
            f"{p}CallerIDNum: {self.caller_number or UNKNOWN}\r\n{p}CallerIDName: {self.caller_name or UNKNOWN}\r\n"
            f"{p}ConnectedLineNum: {self.connected_number or UNKNOWN}\r\n"
            f"{p}ConnectedLineName: {self.connected_name or UNKNOWN}\r\n{p}Language: {self.language}\r\n"
            f"{p}AccountCode: {self.accountcode}\r\n{p}Context: {self.context}\r\n{p}Exten: {self.exten}\r\n"
            f"{p}Priority: {self.priority}\r\n{p}Uniqueid: {self.uniqueid}\r\n{p}Linkedid: {self.linkedid}\r\n"
        )

    def get(self, name: str, now: float) -> str | None:
        """A variable or one of the functions we know; None when it is not set."""
        match name:
            case "CONTEXT":
                return self.context
            case "CHANNEL(language)":
                return self.language
            case "CHANNEL(rtcp,rxcount)":
                return str(self.stream.counted(now - self.answered_at))
            case "CHANNEL(rtcp,rxploss)":
                return "0"
            case "CHANNEL(rtp,hold)" if self.kind == "PJSIP":
                return "1" if self.talk is not None and self.talk.holds(self) else "0"
            case _:
                return self.variables.get(name)

    def set(self, name: str, value: str) -> bool:
        """Set a variable or function; False where Asterisk says `Variable not set`."""
        match name:
            case "TALK_DETECT(set)":
                self.about_to_attach()
                return self.ear is not None and self.ear.set(value, gain=self.gain)
            case "TALK_DETECT(remove)":
                return self.ear is not None and self.ear.remove()
            case "CHANNEL(language)":
                self.language = value
                return True
            case "VOLUME(RX)":
                return self._raise(value)
            case "TIMEOUT(absolute)":
                self.limit_s = float(value)
                return True
            case "AGC(rx)":
                return True  # and nothing changes here
            case _ if "(" in name:
                return False
        self.variables[name] = value
        return True

    def _raise(self, value: str) -> bool:
        """func_volume: a factor; a negative one divides, 0 is none. What is armed later hears it."""
        try:
            factor = float(value)
        except ValueError:
            return False
        self.gain = 1 / -factor if factor < 0 else factor or 1.0
        return True


class Switch:
    """Numbers and keeps the channels that exist now."""

    def __init__(self, clock: Clock, chance: Random) -> None:
        self.clock = clock
        self.chance = chance
        self.channels: dict[str, Channel] = {}
        self._by_uniqueid: dict[str, Channel] = {}
        self.processed = 0
        self._numbers = count()
        self._names = count()
        self._locals = count()

    def new_pjsip(
        self, endpoint: str, context: str, exten: str, linked: Channel | None = None, uniqueid: str = ""
    ) -> Channel:
        """A PJSIP channel, linked to another channel or to itself; `uniqueid` if AMI asked for one."""
        return self._keep(f"PJSIP/{endpoint}-{next(self._names):08x}", context, exten, linked, uniqueid)

    def new_local(self, exten: str, context: str, ids: tuple[str, str] = ("", "")) -> tuple[Channel, Channel]:
        """The two halves of a Local channel; `ids` are their uniqueids, if AMI asked for some."""
        stem = f"Local/{exten}@{context}-{next(self._locals):08x}"
        one = self._keep(f"{stem};1", context, exten, None, ids[0])
        return one, self._keep(f"{stem};2", context, exten, one, ids[1])

    def new_rtp(self, address: str, uniqueid: str) -> Channel:
        """A channel of chan_rtp that sends to HOST:PORT."""
        return self._keep(
            f"UnicastRTP/{address}-0x{0x7F0000000000 + 8 * self.processed:x}", "default", "s", None, uniqueid
        )

    def with_uniqueid(self, uniqueid: str) -> Channel | None:
        """The channel that ChanSpy's option u names, or an AMI action in place of a channel's name."""
        return self._by_uniqueid.get(uniqueid)

    def gone(self, channel: Channel) -> None:
        """Forget a channel, and end its ear and its spies."""
        self.channels.pop(channel.name, None)
        self._by_uniqueid.pop(channel.uniqueid, None)
        channel.owner, channel.alive = None, False
        if channel.ear is not None:
            channel.ear.close()
            channel.ear = None
        spies, channel.spies = channel.spies, []
        for gone in spies:
            gone()

    def uuid(self) -> str:
        """A bridge's name, the same again for the same seed."""
        digits = f"{self.chance.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"

    def _keep(self, name: str, context: str, exten: str, linked: Channel | None, uniqueid: str = "") -> Channel:
        uniqueid = uniqueid or f"{int(self.clock.wall())}.{next(self._numbers)}"
        self.processed += 1
        linkedid = linked.linkedid if linked else uniqueid
        channel = Channel(name, uniqueid, linkedid, context, exten, self.clock.now())
        self.channels[name] = self._by_uniqueid[uniqueid] = channel
        return channel
