"""One call at one phone: it rings, answers or refuses, and does in the talk what its group does."""

import asyncio
from collections.abc import Callable
from functools import partial
from math import inf

from callflow.scenarios.behaviour import CallerAction
from callflow.scenarios.phones import PhoneAction, PhoneGroup
from callflow.simulator.pretend import keys
from callflow.simulator.pretend.channel import Channel
from callflow.simulator.pretend.flavour import RINGING, UP
from callflow.simulator.pretend.script import phone_stream
from callflow.simulator.pretend.talk_detect import TalkDetect
from callflow.simulator.pretend.world import World

ANSWERED = 0
REFUSALS = {
    "busy": (17, 486),
    "refuse": (21, 603),
    "unavailable": (19, 480),
    "congested": (34, 503),
    "unknown": (1, 404),
}
"""Hang-up cause and SIP code."""


class PhoneLeg:
    """From the INVITE to the end; `settled` becomes ANSWERED, or the cause of the refusal."""

    def __init__(self, world: World, channel: Channel, group: PhoneGroup, interface: str) -> None:
        self._world, self.channel, self.group, self.interface = world, channel, group, interface
        self.settled: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.on_ringing: Callable[[], None] = lambda: None
        self.on_left: Callable[[], None] = lambda: None
        """The phone has hung up after its answer."""
        self.on_hung_up: Callable[[], None] = lambda: None
        """AMI has hung up on it."""
        self._timers: list[asyncio.TimerHandle] = []
        self._talks = False
        channel.owner = self

    def start(self) -> None:
        """The INVITE has been sent."""
        group = self.group
        if group.does != "unknown":
            self._after(group.rings_after_s, self._ring)
        if group.does == "answer":
            self._after(group.after_s, self._answer)
        elif group.does != "ignore":
            self._after(group.after_s, self._refuse, *REFUSALS[group.does])

    def _ring(self) -> None:
        self._world.events.newstate(self.channel, RINGING)
        self.on_ringing()
        self._world.members.rings(self.interface, 1)

    def _answer(self) -> None:
        world, channel = self._world, self.channel
        self._stop_ringing()
        channel.answered_at = world.clock.now()
        channel.state = UP
        self._listen()
        if not self.settled.done():
            self.settled.set_result(ANSWERED)

    def _refuse(self, cause: int, code: int) -> None:
        self.channel.cause, self.channel.sip_code = cause, code
        if not self.settled.done():
            self.settled.set_result(cause)

    def _listen(self) -> None:
        world, channel, group = self._world, self.channel, self.group
        sounds = [
            CallerAction(at=f"{act.at_s}", sound=act.sound, for_s=act.for_s, level_dbov=act.level_dbov)
            for act in group.acts
            if act.sound
        ]
        stops_s = min((act.at_s for act in group.acts if act.stop_rtp), default=inf)
        channel.stream, hearing = phone_stream(group.media, sounds, stops_s, world.sounds)
        start, stop = partial(world.events.talking_start, channel), partial(world.events.talking_stop, channel)
        channel.ear = TalkDetect(world.clock, hearing, channel.answered_at, start, stop)

    def talks(self) -> None:
        """It has been answered: what its group does in a talk begins, once."""
        if self._talks:
            return
        self._talks = True
        self._world.members.talks(self.interface, 1)
        for act in self.group.acts:
            self._after(act.at_s, self._act, act)
        if self.group.talk_s < inf:
            self._after(self.group.talk_s, self.leave)

    def _act(self, act: PhoneAction) -> None:
        channel, talk = self.channel, self.channel.talk
        if act.keys:
            keys.press(self._world, channel, act.keys)
        elif act.hold and talk is not None:
            talk.hold(channel)
        elif act.resume and talk is not None:
            talk.resume(channel)
        elif act.transfer and talk is not None:
            talk.transfer(channel, self.group.context, act.transfer)
        elif act.hang_up:
            self.leave()

    def leave(self) -> None:
        """BYE from the phone."""
        if self.channel.alive:
            self.on_left()

    def end(self, cause: int) -> None:
        """The channel goes; nothing more happens at this phone for this call."""
        world, channel = self._world, self.channel
        if not channel.alive:
            return
        self.forget()
        self._stop_ringing()
        if channel.state == UP:
            world.members.talks(self.interface, -1, tell=False)
        world.events.hangup(channel, cause)
        world.switch.gone(channel)
        world.members.tell(self.interface)

    def forget(self) -> None:
        """Cancel everything that is planned."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    def _stop_ringing(self) -> None:
        if self.channel.state == RINGING:
            self._world.members.rings(self.interface, -1, tell=False)

    def _after(self, delay_s: float, do: Callable[..., None], *arguments: object) -> None:
        self._timers.append(self._world.later(delay_s, do, *arguments))

    # -- what AMI does to it --------------------------------------------------------------------------------------

    def stop_playback(self) -> None:
        """Nothing is played here."""

    def soft_hangup(self, cause: int | None) -> None:
        """AMI Hangup."""
        if self.channel.state == UP:
            self.on_hung_up()
        elif not self.settled.done():
            self.channel.cause = cause or 0
            self.settled.set_result(cause or 16)

    def redirect(self, context: str, exten: str, priority: int = 1) -> bool:
        return False
