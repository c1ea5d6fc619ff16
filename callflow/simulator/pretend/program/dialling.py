"""Dial: one phone is called for a channel, and both talk."""

import asyncio
import re
from collections.abc import Callable

from callflow.simulator.pretend.channel import Channel
from callflow.simulator.pretend.far_end import bye_cause
from callflow.simulator.pretend.phone_leg import ANSWERED, PhoneLeg
from callflow.simulator.pretend.phones import Called, read_dial_string
from callflow.simulator.pretend.program.builtins import up
from callflow.simulator.pretend.program.consulting import Consultation, consult
from callflow.simulator.pretend.program.conversation import Conversation
from callflow.simulator.pretend.program.program import HungUp, Moved, Program
from callflow.simulator.pretend.program.substitution import arguments, call

OnPart = Callable[[str], None]
LONGEST_S = 3600.0
ABSENT_CAUSE = 20
_PREDIAL = re.compile(r"b\(([^()]*(?:\([^()]*\))?)\)")
_ON_ANSWER = re.compile(r"U\(([^()]*)\)")
_TOLD = {17: "BUSY", 34: "CONGESTION"}
"""What DialEnd says of a refusal; NOANSWER of all others."""
_DIAL_STATUS = {17: "BUSY", 19: "NOANSWER", 34: "CONGESTION", 16: "NOANSWER", 0: "NOANSWER"}
"""What the variable says; CHANUNAVAIL of all others."""


async def dial(program: Program, data: str) -> None:
    """Dial(PJSIP/...,seconds,options): of the options g, b and U are known."""
    target, seconds, options, *_ = (*arguments(data), "", "", "")
    world, caller = program.world, program.channel
    called = read_dial_string(target)
    group = world.phones.ring(called.number)
    if group is None:
        caller.cause = ABSENT_CAUSE
        _result(program, "CHANUNAVAIL")
        return
    channel = new_phone(program, called, group.context)
    events = world.events
    channel.exten = caller.exten
    channel.connected_number, channel.connected_name = caller.caller_number, caller.caller_name
    events.new_callerid(channel)
    events.new_connected_line(channel)
    events.dial("DialBegin", caller, channel, DialString=called.string)
    caller.connected_number = channel.caller_number
    events.new_connected_line(caller)
    await predial(program, channel, options)
    leg = PhoneLeg(world, channel, group, f"PJSIP/{called.endpoint}")

    def ringing() -> None:
        events.dial("DialState", caller, channel, DialStatus="RINGING")
        if caller.on_ringing is not None:
            caller.on_ringing()

    leg.on_ringing = ringing
    leg.start()
    cause = await _settled(program, leg, float(seconds or LONGEST_S))
    if cause == ANSWERED:
        _answered(program, leg)
        if await _on_answer(program, leg, options):
            await talk(program, leg, goes_on="g" in options)


def new_phone(program: Program, called: Called, context: str) -> Channel:
    """The channel of a phone that is called for this channel, as Newchannel shows it."""
    world, caller = program.world, program.channel
    channel = world.switch.new_pjsip(called.endpoint, context, "s", caller)
    channel.language = caller.language if world.flavour.counts_calls else "en"
    channel.application, channel.data = "AppDial", "(Outgoing Line)"
    for name, spelled in caller.inherited.items():
        channel.variables[name] = caller.variables.get(name, "")
        if spelled.startswith("__"):
            channel.inherited[name] = spelled
    world.events.newchannel(channel)
    channel.caller_number = caller.exten
    return channel


async def predial(program: Program, channel: Channel, options: str) -> None:
    """Option b: a Gosub on the channel that is about to be called."""
    if found := _PREDIAL.search(options):
        beside = Program(program.world, channel, owns=False)
        place = channel.context, channel.exten, channel.priority
        await beside.run_one("Gosub", found[1].replace("^", ","))
        channel.at(*place)


async def _on_answer(program: Program, leg: PhoneLeg, options: str) -> bool:
    """Option U: a Gosub on the phone that has answered; False if it says that the two do not talk.

    Raises HungUp, Moved.
    """
    found = _ON_ANSWER.search(options)
    if found is None:
        return True
    leg.talks()
    context, *given = found[1].split("^")
    world, channel = program.world, leg.channel
    beside = Program(world, channel, lambda prompt: world.heard(channel, prompt), owns=False)

    def left() -> None:
        world.events.hangup_request(channel, bye_cause(world, channel))
        beside.hang_up(16)

    leg.on_left = leg.on_hung_up = left
    try:
        await program.until(asyncio.ensure_future(beside.run_one("Gosub", f"{context},s,1({','.join(given)})")))
    except (HungUp, Moved):
        beside.hang_up(16)
        leg.end(16)
        raise
    if not beside.gone and channel.variables.get("GOSUB_RESULT") != "CONTINUE":
        return True
    leg.end(16)
    if beside.gone:
        raise HungUp
    return False


async def _settled(program: Program, leg: PhoneLeg, seconds: float) -> int | None:
    """ANSWERED; else the phone is gone, and the variables say why. Raises HungUp, Moved."""
    caller, events, channel = program.channel, program.world.events, leg.channel
    try:
        cause = await program.until(leg.settled, seconds)
    except (HungUp, Moved):
        events.dial("DialEnd", caller, channel, DialStatus="CANCEL")
        leg.end(16)
        raise
    if cause == ANSWERED:
        return ANSWERED
    if cause is None:
        caller.cause = 0
        events.dial("DialEnd", caller, channel, DialStatus="NOANSWER")
        leg.end(0)
        _result(program, "NOANSWER")
        return None
    caller.cause = cause
    events.hangup_request(channel, cause)
    events.dial("DialEnd", caller, channel, DialStatus=_TOLD.get(cause, "NOANSWER"))
    leg.end(cause)
    _result(program, _DIAL_STATUS.get(cause, "CHANUNAVAIL"))
    return cause


def _answered(program: Program, leg: PhoneLeg) -> None:
    world, caller, channel = program.world, program.channel, leg.channel
    world.events.answered(channel)
    channel.exten = ""
    world.events.dial("DialEnd", caller, channel, DialStatus="ANSWER")
    up(program)
    caller.cause = 16
    program.set("DIALSTATUS", "ANSWER")
    program.set("DIALEDPEERNAME", channel.name)


async def talk(
    program: Program,
    leg: PhoneLeg,
    *,
    goes_on: bool,
    queue: bool = False,
    simple: bool = False,
    on_part: OnPart = lambda reason: None,
) -> None:
    """Both talk until one leaves, or AMI takes the caller away. Raises HungUp, unless the dialplan goes on.

    `on_part` is told why: agent, caller or transfer; not when AMI has taken the caller away, which is Moved.
    """
    world, caller = program.world, program.channel
    features = leg.group.features if "DYNAMIC_FEATURES" in leg.channel.variables else {}
    conversation = Conversation(world, caller, leg.channel, features, simple=simple, by_queue=queue)
    conversation.run = lambda channel, application: run_beside(program, channel, application)
    conversation.on_consult = lambda by, exten, context: consult(world, conversation, by, exten, context)
    leg.on_left = lambda: _phone_leaves(program, conversation, leg.channel)
    leg.on_hung_up = lambda: conversation.leave(leg.channel)
    conversation.start()
    leg.talks()
    program.on_state("talking")
    try:
        await program.until(conversation.over)
    except HungUp:
        on_part("caller")
        _part(conversation, caller, leg)
        raise
    except Moved:
        _part(conversation, caller, leg)
        raise
    if isinstance(conversation.consultation, Consultation):
        conversation.consultation.hand_over()
        on_part("transfer")
        leg.end(16)
        await conversation.consultation.talk_on(program)
    target = conversation.transferred
    on_part("transfer" if target else "agent")
    _part(conversation, leg.channel, leg)
    if target is not None:
        program.next = (*target, 1)
        program.returns.clear()
        program.locals.clear()
    elif not goes_on:
        raise HungUp


def _phone_leaves(program: Program, conversation: Conversation, channel: Channel) -> None:
    """BYE from the phone that was called."""
    if conversation.consultation is not None:
        conversation.consultation.agent_leaves()
        return
    conversation.put_back()
    program.world.events.hangup_request(channel, bye_cause(program.world, channel))
    conversation.leave(channel)


def _part(conversation: Conversation, first: Channel, leg: PhoneLeg) -> None:
    conversation.end(first)
    leg.end(16)
    conversation.close()


def run_beside(program: Program, channel: Channel, application: str) -> None:
    """A feature runs on a channel of the talk, which goes on."""
    beside = Program(program.world, channel, program.on_prompt, owns=False)
    program.world.spawn(beside.run_one(*call(application)))


def _result(program: Program, status: str) -> None:
    program.set("DIALSTATUS", status)
