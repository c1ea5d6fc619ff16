"""Two channels in a bridge: hold and music, keys and feature codes, and what is attached to them."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from callflow.simulator.pretend.channel import Channel
from callflow.simulator.pretend.events import Bridge
from callflow.simulator.pretend.world import World

Runs = Callable[[Channel, str], None]
"""Runs an application on a channel of a talk, e.g. Gosub(context,s,1)."""
CONSULT = "*2"
"""The code of an attended transfer."""


class Consults(Protocol):
    """A consultation call."""

    def agent_leaves(self) -> None: ...


class Conversation:
    """From BridgeCreate until one leaves; `over` tells which of the two it was."""

    def __init__(
        self,
        world: World,
        first: Channel,
        second: Channel,
        features: dict[str, str] | None = None,
        *,
        simple: bool = False,
        by_queue: bool = False,
    ) -> None:
        self._world = world
        self.parties = (first, second)
        self.bridge = Bridge(world.switch.uuid())
        self.over: asyncio.Future[Channel] = asyncio.get_running_loop().create_future()
        self.transferred: tuple[str, str] | None = None
        """Where the second one's phone has sent the first one."""
        self._features, self._simple = features or {}, simple
        self._typed = ""
        self.by_queue = by_queue
        self.held_by: Channel | None = None
        self.music = False
        """The one who is on hold hears it."""
        self.run: Runs = lambda channel, application: None
        self.consultation: Consults | None = None
        """The second one speaks to somebody else."""
        self.on_consult: Callable[[Channel, str, str], None] = lambda by, exten, context: None
        self._added: list[Channel] = []
        self._places = [(one, one.context, one.exten, one.priority) for one in self.parties]

    def start(self) -> None:
        """Both enter, the one who was called first."""
        events = self._world.events
        events.bridge_create(self.bridge)
        for channel in reversed(self.parties):
            channel.talk = self
            events.bridge_enter(self.bridge, channel)

    def other(self, channel: Channel) -> Channel:
        """The other party."""
        first, second = self.parties
        return second if channel is first else first

    @property
    def is_native(self) -> bool:
        """Asterisk passes RTP on as it is: no features, and nothing is attached to either party."""
        if self._simple or self._features or self._added:
            return False
        return not any(channel.is_attached for channel in self.parties)

    def leave(self, channel: Channel) -> None:
        """One of them goes; `over` wakes the other's dialplan."""
        if not self.over.done():
            self.over.set_result(channel)

    def end(self, first: Channel) -> None:
        """Both leave the bridge, this one first."""
        second, events, bridge = self.other(first), self._world.events, self.bridge
        if self.music:
            self._stop_music(self.other(self.held_by or first))
        if self.is_native:
            bridge.technology = "native_rtp"
        self.put_back()
        for channel in (first, second):
            channel.talk = None
            events.bridge_leave(bridge, channel)

    def put_back(self) -> None:
        """The second one is where it was when the talk began: a feature may have run elsewhere."""
        channel, context, exten, priority = self._places[1]
        channel.at(context, exten, priority)

    def close(self) -> None:
        """The bridge is gone."""
        self._world.events.bridge_destroy(self.bridge)

    def add(self, channel: Channel) -> None:
        """A third party: the bridge mixes."""
        self._added.append(channel)
        self.bridge.technology = "softmix"

    def remove(self, channel: Channel) -> None:
        """The third party goes."""
        self._added.remove(channel)
        self.bridge.channels -= 1

    # -- hold -----------------------------------------------------------------------------------------------------

    def hold(self, by: Channel) -> None:
        """A phone puts the other party on hold, and sends nothing meanwhile."""
        if self.held_by is not None:
            return
        self.held_by, by.mute = by, True
        self._world.events.hold(by)
        if self._world.music:
            self.music = True
            self._world.events.music_on_hold_start(self.other(by))

    def resume(self, by: Channel) -> None:
        """It takes the other party back."""
        if self.held_by is not by:
            return
        self.held_by, by.mute = None, False
        self._world.events.unhold(by)
        if self.music:
            self._stop_music(self.other(by))

    def holds(self, by: Channel) -> bool:
        """It has put the other party on hold."""
        return self.held_by is by

    def attaching(self) -> None:
        """Something is about to be attached: a native bridge becomes a simple one, and its music dies."""
        if self.music and self.is_native and self.held_by is not None:
            self._stop_music(self.other(self.held_by))
            self._world.on_note(self.other(self.held_by), "music lost")

    def _stop_music(self, channel: Channel) -> None:
        self.music = False
        self._world.events.music_on_hold_stop(channel)

    def end_hold(self) -> None:
        """The one on hold hears somebody else from here; its music ends."""
        if self.held_by is not None and self.music:
            self._stop_music(self.other(self.held_by))
        self.held_by = None

    # -- what is heard --------------------------------------------------------------------------------------------

    def carries_whisper(self, to: Channel) -> bool:
        """A whisper needs frames that are written to its target: the other party's RTP, or the music."""
        now = self._world.clock.now()
        return bool(self._added) or (self.music and self.held_by is not to) or self.other(to).sends(now)

    # -- keys -----------------------------------------------------------------------------------------------------

    def features_of(self, channel: Channel) -> dict[str, str]:
        """Codes that this party may use: the second one's are the agent's."""
        return self._features if channel is self.parties[1] else {}

    def begins_code(self, channel: Channel, key: str) -> bool:
        """Whether this key may belong to a code, so that the other party does not get it."""
        codes = (*self.features_of(channel), *((CONSULT,) if self._transfers(channel) else ()))
        return any(code.startswith(self._typed + key) for code in codes)

    def _transfers(self, channel: Channel) -> bool:
        return self._simple and channel is self.parties[1]

    def pressed(self, channel: Channel, key: str) -> None:
        """A key has come up: it completes a code, is part of one, or goes on to the other party."""
        if not self.begins_code(channel, key):
            self._typed = ""
            self._world.events.dtmf_end(self.other(channel), key, _SENT_MS, "Sent")
            return
        self._typed += key
        if application := self.features_of(channel).get(self._typed):
            self._typed = ""
            self.run(channel, application)
        elif self._typed == CONSULT:
            self._typed = ""

    # -- transfer -------------------------------------------------------------------------------------------------

    def transfer(self, by: Channel, context: str, exten: str) -> None:
        """REFER: the other party goes to an extension, and this phone's call ends."""
        self.other(by).variables["BLINDTRANSFER"] = by.name
        self.transferred = (context, exten)
        self.leave(by)

    def consult(self, by: Channel, exten: str, context: str) -> None:
        """AMI Atxfer: this party's phone speaks to an extension first; without option t nothing happens."""
        if self._transfers(by) and self.consultation is None:
            self.on_consult(by, exten, context)


_SENT_MS = 100
