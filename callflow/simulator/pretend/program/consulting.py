"""AMI Atxfer: the agent puts the caller on hold, speaks to somebody else, and hands the caller over by hanging up.

Only this sequence is imitated: the called party answers, the agent hangs up, and later one of the other two does.
"""

import asyncio

from callflow.simulator.pretend import keys
from callflow.simulator.pretend.channel import Channel
from callflow.simulator.pretend.events import Bridge
from callflow.simulator.pretend.far_end import bye_cause
from callflow.simulator.pretend.flavour import RING, RINGING
from callflow.simulator.pretend.phone_leg import PhoneLeg
from callflow.simulator.pretend.program.conversation import CONSULT, Conversation
from callflow.simulator.pretend.program.program import HungUp, Program, Unpretended
from callflow.simulator.pretend.world import World

_CODE_APART_S, _HOLD_S = 0.145, 0.1
_KEY_APART_S = 0.045
_MORE_DIGITS_S = 3.0
"""transferdigittimeout: after the last digit, more may come."""
_OPTIMIZED_S = 0.44
"""From the transfer until the Local channel between the two is taken out."""


def consult(world: World, talk: Conversation, agent: Channel, exten: str, context: str) -> None:
    """Atxfer on an agent's channel."""
    world.spawn(_dialled(world, talk, agent, exten, context))


async def _dialled(world: World, talk: Conversation, agent: Channel, exten: str, context: str) -> None:
    """The code and the digits are typed in the agent's name."""
    for key in CONSULT:
        keys.inject(world, agent, key, 0)
        await asyncio.sleep(_CODE_APART_S if key != CONSULT[-1] else _HOLD_S)
    talk.hold(agent)
    agent.mute = False
    for key in exten:
        await asyncio.sleep(_KEY_APART_S)
        world.events.dtmf_end(agent, key, 0)
    await asyncio.sleep(_MORE_DIGITS_S)
    if agent.alive and agent.talk is talk:
        talk.consultation = Consultation(world, talk, agent, exten, context)


class Consultation:
    """One agent's call to somebody else; `first` is the talk with the caller."""

    def __init__(self, world: World, first: Conversation, agent: Channel, exten: str, context: str) -> None:
        self._world, self._first, self._agent, self._exten = world, first, agent, exten
        self._bridge = Bridge(world.switch.uuid())
        self._one, self._two = one, two = world.switch.new_local(exten, context)
        events = world.events
        one.linkedid = two.linkedid = agent.linkedid
        events.newchannel(one)
        two.state = RING
        events.newchannel(two)
        events.bridge_create(self._bridge)
        two.caller_number = agent.caller_number
        events.new_callerid(two)
        events.local_bridge(one, two, context, exten)
        one.connected_number = agent.caller_number
        events.new_connected_line(one)
        events.bridge_enter(self._bridge, one)
        events.bridge_leave(first.bridge, agent)
        events.bridge_enter(self._bridge, agent)
        agent.connected_number = ""
        events.new_connected_line(agent)
        two.on_ringing, two.on_answer = self._rings, self._answered
        self._call = world.spawn(self._run(context))

    async def _run(self, context: str) -> None:
        await Program(self._world, self._two).run(context, self._exten)
        self._world.failures.append(Unpretended("a consultation call that ends before the caller is handed over"))

    def _rings(self) -> None:
        events, agent, one = self._world.events, self._agent, self._one
        agent.connected_number = self._exten
        events.new_connected_line(agent)
        one.caller_number = self._exten
        events.newstate(one, RINGING)
        events.new_callerid(one)
        events.dial("DialState", None, one, DialStatus="RINGING")

    def _answered(self) -> None:
        self._world.events.answered(self._one)
        self._world.events.dial("DialEnd", None, self._one, DialStatus="ANSWER")

    # -- the transfer ---------------------------------------------------------------------------------------------

    def agent_leaves(self) -> None:
        """BYE from the agent's phone."""
        world = self._world
        if self._two.talk is None:
            world.failures.append(Unpretended("an agent who hangs up before the consultation call is answered"))
        world.events.hangup_request(self._agent, bye_cause(world, self._agent))
        self._first.leave(self._agent)

    def hand_over(self) -> None:
        """The channel that the agent spoke to enters the caller's bridge."""
        events, first, agent, one = self._world.events, self._first, self._agent, self._one
        caller = first.other(agent)
        agent.talk = None
        events.bridge_leave(self._bridge, agent)
        events.bridge_merge(first.bridge, self._bridge)
        events.bridge_leave(self._bridge, one)
        first.end_hold()
        events.bridge_enter(first.bridge, one)
        events.attended_transfer(agent, first.bridge, self._bridge, caller, one)
        caller.connected_number = self._exten
        events.new_connected_line(caller)
        events.bridge_destroy(self._bridge)

    async def talk_on(self, program: Program) -> None:
        """The caller talks to the new party until one of them hangs up. Always raises HungUp."""
        world, events, caller, talk = self._world, self._world.events, program.channel, self._two.talk
        if not isinstance(talk, Conversation):
            raise HungUp
        target, bridge = talk.other(self._two), self._first.bridge
        leg = target.owner
        for channel in (self._one, target):
            channel.connected_number = caller.caller_number
            events.new_connected_line(channel)
        over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def left() -> None:
            events.hangup_request(target, bye_cause(world, target))
            over.set_result(None)

        if isinstance(leg, PhoneLeg):
            leg.on_left = left
        try:
            await program.sleep(_OPTIMIZED_S)
            self._optimize(caller, target, talk.bridge)
            await program.until(over)
        finally:
            caller.talk = target.talk = None
            for channel in (target, caller) if over.done() else (caller, target):
                events.bridge_leave(bridge, channel)
            if isinstance(leg, PhoneLeg):
                leg.end(16)
            events.bridge_destroy(bridge)
        raise HungUp

    def _optimize(self, caller: Channel, target: Channel, between: Bridge) -> None:
        """The Local channel is taken out: the new party enters the caller's bridge."""
        world, events, first, one, two = self._world, self._world.events, self._first, self._one, self._two
        self._call.cancel()
        events.local_optimization_begin(one, two, target, 0)
        events.bridge_leave(between, target)
        events.bridge_leave(first.bridge, one)
        events.bridge_enter(first.bridge, target)
        first.parties, first.by_queue, target.talk = (caller, target), False, first
        two.caller_number = caller.caller_number
        events.new_callerid(two)
        events.local_optimization_end(one, two, 0)
        events.hangup_request(two, 16)
        events.hangup(one, 16)
        events.bridge_leave(between, two)
        events.bridge_destroy(between)
        events.soft_hangup_request(two)
        events.hangup(two, 16)
        for half in (one, two):
            half.talk = None
            world.switch.gone(half)
