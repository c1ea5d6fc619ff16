"""Originate to a place of the dialplan: a phone that is called first, or the two halves of a Local channel."""

import asyncio

from callflow.simulator.pretend.ami_server import Request
from callflow.simulator.pretend.channel import Channel
from callflow.simulator.pretend.ending import bye, run_to_end
from callflow.simulator.pretend.pair import LocalPair
from callflow.simulator.pretend.phone_leg import ANSWERED, PhoneLeg
from callflow.simulator.pretend.phones import read_dial_string
from callflow.simulator.pretend.program.program import Program
from callflow.simulator.pretend.report import PromptHeard
from callflow.simulator.pretend.world import World

LONGEST_ID = 149
_BEGINS_S = 0.001
"""From the answer to the action until the channel exists."""
_ANSWERED, _TIMED_OUT, _FAILED = 4, 3, 0
_TOLD = {17: "BUSY", 34: "CONGESTION"}


class OriginatedPhone:
    """Channel: PJSIP/...; the phone rings, and runs the dialplan when it has answered."""

    def __init__(self, world: World, request: Request) -> None:
        self._world, self._request = world, request
        name, _, number = request.get("CallerID").partition("<")
        self._caller = number.rstrip("> ") if number else name.strip(), name.strip().strip('"') if number else ""

    def start(self) -> None:
        """The action has been answered."""
        self._world.later(_BEGINS_S, self._begin)

    def _begin(self) -> None:
        world, request = self._world, self._request
        called = read_dial_string(request.get("Channel"))
        uniqueid = request.get("ChannelId")
        taken = bool(uniqueid) and world.switch.with_uniqueid(uniqueid) is not None
        group = None if taken else world.phones.ring(called.number)
        if group is None:
            self._respond("Failure", request.get("Channel"), _FAILED, uniqueid or "<unknown>")
            return
        channel = world.switch.new_pjsip(called.endpoint, group.context, "s", uniqueid=uniqueid)
        channel.application, channel.data = "AppDial2", "(Outgoing Line)"
        set_variables(channel, request)
        events = world.events
        events.newchannel(channel)
        if self._caller[0]:
            channel.caller_number, channel.caller_name = self._caller
            events.new_callerid(channel)
            channel.connected_number, channel.connected_name = self._caller
            events.new_connected_line(channel)
        events.dial("DialBegin", None, channel, DialString=called.string)
        leg = PhoneLeg(world, channel, group, f"PJSIP/{called.endpoint}")
        leg.on_ringing = lambda: events.dial("DialState", None, channel, DialStatus="RINGING")
        leg.start()
        world.spawn(self._run(leg))

    async def _run(self, leg: PhoneLeg) -> None:
        world, channel, request = self._world, leg.channel, self._request
        timeout_s = int(request.get("Timeout") or 30000) / 1000
        await asyncio.wait([leg.settled], timeout=timeout_s)
        cause = leg.settled.result() if leg.settled.done() else None
        if cause != ANSWERED:
            self._fail(leg, cause)
            return
        world.events.answered(channel)
        world.events.dial("DialEnd", None, channel, DialStatus="ANSWER")
        self._respond("Success", channel.name, _ANSWERED, channel.uniqueid)
        program = Program(world, channel, lambda prompt: world.heard(channel, prompt))
        leg.on_left = lambda: bye(world, channel)
        leg.talks()
        await run_to_end(program, request.get("Context"), request.get("Exten"), int(request.get("Priority") or 1))
        leg.end(program.cause)

    def _fail(self, leg: PhoneLeg, cause: int | None) -> None:
        world, channel, name = self._world, leg.channel, self._request.get("Channel")
        if cause is None:
            self._respond("Failure", name, _TIMED_OUT, channel.uniqueid)
            leg.end(world.flavour.unanswered_cause)
            return
        self._respond("Failure", name, _FAILED, channel.uniqueid)
        world.events.hangup_request(channel, cause)
        world.events.dial("DialEnd", None, channel, DialStatus=_TOLD.get(cause, "NOANSWER"))
        leg.end(cause)

    def _respond(self, response: str, channel: str, reason: int, uniqueid: str) -> None:
        request = self._request
        self._world.events.originate_response(
            request.get("ActionID"), response, channel, request.get("Context"), request.get("Exten"), reason, uniqueid,
            self._caller,
        )  # fmt: skip


class OriginatedLocal:
    """Channel: Local/...; one half runs the extension that is called, the other the one that Originate names."""

    def __init__(self, world: World, request: Request) -> None:
        self._world = world
        self._pair = pair = LocalPair(world, request)
        self._priority = int(request.get("Priority") or 1)
        pair.one.variables = dict(pair.variables)
        self._programs = {half: Program(world, half, self._heard) for half in (pair.one, pair.two)}
        self._programs[pair.one].hears = lambda: self._programs[pair.two].spies_on

    def start(self) -> None:
        """Both halves begin, the called one first; an extension that does not exist ends them at once."""
        world, pair = self._world, self._pair
        pair.begin()
        if world.dialplan.step(pair.called_context, pair.called, 1) is None:
            pair.refuse()
            return
        pair.dial()
        pair.two.on_answer = self._answered
        world.spawn(self._run(pair.two, pair.called_context, pair.called, 1))

    def _answered(self) -> None:
        self._pair.answered()
        self._world.spawn(self._run(self._pair.one, self._pair.context, self._pair.exten, self._priority))

    async def _run(self, half: Channel, context: str, exten: str, priority: int) -> None:
        program = self._programs[half]
        await program.run(context, exten, priority)
        world, other = self._world, self._pair.other(half)
        world.events.soft_hangup_request(half)
        await program.run_h()
        if other.alive and not self._programs[other].gone:
            world.events.hangup_request(other, program.cause)
        world.events.hangup(half, program.cause)
        world.switch.gone(half)
        if other.alive:
            self._programs[other].hang_up(program.cause)

    def _heard(self, prompt: PromptHeard) -> None:
        """What one half plays is heard on the channel that the other half whispers to, if frames carry it there."""
        target = self._programs[self._pair.two].spies_on
        if target is not None and (target.talk is None or target.talk.carries_whisper(target)):
            self._world.heard(target, prompt)


def set_variables(channel: Channel, request: Request) -> None:
    """The variables that Originate names; _ and __ in front of a name hand it on to channels that are dialled."""
    for variable in request.all("Variable"):
        name, _, value = variable.partition("=")
        channel.variables[name.lstrip("_")] = value
        if name.startswith("_"):
            channel.inherited[name.lstrip("_")] = name
