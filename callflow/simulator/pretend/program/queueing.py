"""Queue, with the scenario's phones as members: waiting, ringing, leaving by a key, and the talk."""

import asyncio
from dataclasses import dataclass

from callflow.simulator.pretend.channel import Channel
from callflow.simulator.pretend.members import Membership, Queue, Waiting
from callflow.simulator.pretend.phone_leg import ANSWERED, PhoneLeg
from callflow.simulator.pretend.phones import read_dial_string
from callflow.simulator.pretend.program.dialling import new_phone, predial, talk
from callflow.simulator.pretend.program.playing import keys_of
from callflow.simulator.pretend.program.program import HungUp, Moved, Program
from callflow.simulator.pretend.program.substitution import arguments

RING_S, RETRY_S = 15.0, 1.0
_LONGEST_S = 3600.0


@dataclass
class _Stay:
    """One caller in one queue."""

    program: Program
    queue: Queue
    entry: Waiting
    joined: int
    until_s: float
    keys: "asyncio.Queue[str]"


class _Left(Exception):
    """The caller has pressed the key of an extension."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


async def queue(program: Program, data: str) -> None:
    """Queue(name,options,url,announceoverride,timeout,agi,gosub,rule,position): of the options c, t and b are known.

    The position is the ninth argument, as since Asterisk 21; our dialplan gives it as the tenth, too, for those before.
    """
    name, options, _, _, timeout, _, _, _, position, *_ = (*arguments(data), *[""] * 9)
    world, caller = program.world, program.channel
    found = world.members.queues.get(name)
    if found is None:
        program.set("QUEUESTATUS", "JOINUNAVAIL")
        return
    now = world.clock.now()
    priority = int(caller.variables.get("QUEUE_PRIO") or 0)
    entry = Waiting(caller, now, priority)
    place = found.place_for(priority, int(position or 0))
    found.waiting.insert(place, entry)
    world.events.queue_caller("QueueCallerJoin", caller, name, Position=place + 1, Count=len(found.waiting))
    caller.variables["QUEUEPOSITION"] = str(place + 1)
    _start_music(program)
    program.on_state("queued")
    async with keys_of(program) as keys:
        stay = _Stay(program, found, entry, int(world.clock.wall()), now + float(timeout or _LONGEST_S), keys)
        try:
            await _wait(stay, options)
        except _Left as left:
            _leave_by_key(stay, left.key)
        except HungUp:
            _abandon(stay)
            raise
        except Moved:
            _leave(stay)
            raise


async def _wait(stay: _Stay, options: str) -> None:
    """Until a member talks to the caller, or the time is over."""
    program, world = stay.program, stay.program.world
    while (now := world.clock.now()) < stay.until_s:
        member = world.members.free(stay.queue) if world.members.is_turn(stay.queue, stay.entry) else None
        if member is None:
            first = stay.queue.waiting[:1] == [stay.entry]
            await _pause(stay, min(RETRY_S if first else 0.2, stay.until_s - now))
            continue
        stay.entry.rung_for = True
        if await _offer(stay, member, options):
            return
        stay.entry.rung_for = False
        await _pause(stay, min(RETRY_S, max(0.0, stay.until_s - world.clock.now())))
    _abandon(stay)
    program.set("QUEUESTATUS", "TIMEOUT")


async def _pause(stay: _Stay, seconds: float) -> None:
    """Wait, or leave by a key. Raises _Left, HungUp, Moved."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()
    await _or_key(stay, done, seconds)


async def _or_key(stay: _Stay, done: "asyncio.Future[int] | asyncio.Future[None]", seconds: float) -> int | None:
    """The result, or None after this time; a key without an extension is ignored. Raises _Left, HungUp, Moved."""
    loop, context = asyncio.get_running_loop(), stay.program.world.exit_contexts.get(stay.queue.name, "")
    ends = loop.time() + seconds
    either: asyncio.Future[None] = loop.create_future()

    def wake(_: object) -> None:
        if not either.done():
            either.set_result(None)

    while True:
        key = asyncio.ensure_future(stay.keys.get())
        for one in (done, key):
            one.add_done_callback(wake)
        try:
            await stay.program.until(either, max(0.0, ends - loop.time()))
        finally:
            key.cancel()
        if key.done() and not key.cancelled():
            if context and stay.program.world.dialplan.step(context, key.result(), 1) is not None:
                raise _Left(key.result())
            either = loop.create_future()
        elif done.done():
            return done.result()
        elif loop.time() >= ends - 1e-9:
            return None
        else:
            either = loop.create_future()


async def _offer(stay: _Stay, member: Membership, options: str) -> bool:
    """Ring one member's phone; True when the caller has left the queue for a talk that is over."""
    program, world, caller = stay.program, stay.program.world, stay.program.channel
    events, called = world.events, read_dial_string(member.interface)
    group = world.phones.ring(called.number)
    if group is None:
        return False
    channel = new_phone(program, called, group.context)
    channel.application = "AppQueue"
    who = {"Queue": stay.queue.name, "Interface": member.interface, "MemberName": member.interface}
    events.new_callerid(channel)
    channel.connected_number, channel.connected_name = caller.caller_number, caller.caller_name
    await predial(program, channel, options)
    channel.exten = caller.exten
    rang = int(world.clock.wall())
    events.dial("AgentCalled", caller, channel, **who)
    channel.exten = "s"
    events.dial("DialBegin", caller, channel, DialString=member.interface)
    channel.exten = caller.exten
    if caller.connected_number != channel.caller_number:
        caller.connected_number = channel.caller_number
        events.new_connected_line(caller)
    leg = PhoneLeg(world, channel, group, member.interface)

    def ringing() -> None:
        events.new_connected_line(channel)
        events.dial("DialState", caller, channel, DialStatus="RINGING")

    leg.on_ringing = ringing
    leg.start()
    try:
        cause = await _or_key(stay, leg.settled, min(RING_S, stay.until_s - world.clock.now()))
    except (HungUp, Moved, _Left):
        for _ in range(2):
            events.dial("DialEnd", caller, channel, DialStatus="CANCEL")
        leg.end(0)
        raise
    if cause != ANSWERED:
        _not_answered(stay, leg, who, rang, cause)
        return False
    events.answered(channel)
    events.dial("DialEnd", caller, channel, DialStatus="ANSWER")
    _stop_music(program)
    met = int(world.clock.wall())
    _leave(stay)
    member.in_call = True
    held = {"HoldTime": str(met - stay.joined), "RingTime": str(met - rang)}
    events.dial("AgentConnect", caller, channel, **who, **held)
    program.on_agent(channel)
    await _talk(stay, leg, member, who, met, options)
    return True


def _not_answered(stay: _Stay, leg: PhoneLeg, who: dict[str, str], rang: int, cause: int | None) -> None:
    events, caller, channel = stay.program.world.events, stay.program.channel, leg.channel
    rang_ms = str(1000 * (int(stay.program.world.clock.wall()) - rang))
    if cause is None:
        events.dial("AgentRingNoAnswer", caller, channel, **who, RingTime=rang_ms)
        events.dial("DialEnd", caller, channel, DialStatus="NOANSWER")
        leg.end(0)
        return
    events.hangup_request(channel, cause)
    events.dial("DialEnd", caller, channel, DialStatus="NOANSWER")
    events.dial("AgentRingNoAnswer", caller, channel, **who, RingTime=rang_ms)
    leg.end(cause)


async def _talk(stay: _Stay, leg: PhoneLeg, member: Membership, who: dict[str, str], met: int, options: str) -> None:
    """The talk; AgentComplete comes when the agent or the caller hangs up, and after a Redirect at the call's end."""
    program, world, caller = stay.program, stay.program.world, stay.program.channel
    channel = leg.channel

    def complete(reason: str, agent: Channel | None = None) -> None:
        told = {"HoldTime": str(met - stay.joined), "TalkTime": str(int(world.clock.wall()) - met), "Reason": reason}
        if agent is not None:
            world.events.dial("AgentComplete", caller, agent, **who, **told)
        else:
            world.events.agent_complete(caller, **who, **told)
        member.in_call = False
        member.calls_taken += 1
        member.last_call = int(world.clock.wall())
        stay.queue.completed += 1

    caller.variables.pop("QUEUESTATUS", None)
    flags = options.partition("(")[0]
    try:
        await talk(
            program,
            leg,
            goes_on="c" in flags,
            queue=True,
            simple="t" in flags.lower(),
            on_part=lambda why: complete(why, channel),
        )
    except Moved:
        program.on_leave.append(lambda: complete("caller"))
        raise
    program.set("QUEUESTATUS", "CONTINUE")


def _leave(stay: _Stay) -> None:
    place = stay.queue.place(stay.program.channel)
    if stay.entry in stay.queue.waiting:
        stay.queue.waiting.remove(stay.entry)
        count = len(stay.queue.waiting)
        stay.program.world.events.queue_caller(
            "QueueCallerLeave", stay.program.channel, stay.queue.name, Position=place, Count=count
        )


def _abandon(stay: _Stay) -> None:
    if stay.entry not in stay.queue.waiting:
        return
    place, world = stay.queue.place(stay.program.channel), stay.program.world
    _stop_music(stay.program)
    stay.queue.abandoned += 1
    told = {"Position": place, "OriginalPosition": place, "HoldTime": int(world.clock.wall()) - stay.joined}
    world.events.queue_caller("QueueCallerAbandon", stay.program.channel, stay.queue.name, **told)
    _leave(stay)


def _leave_by_key(stay: _Stay, key: str) -> None:
    program = stay.program
    context = program.world.exit_contexts[stay.queue.name]
    program.set("QUEUEPOSITION", str(stay.queue.place(program.channel)))
    program.channel.at(context, key, 0)
    _stop_music(program)
    _leave(stay)
    program.next = (context, key, 1)


def _start_music(program: Program) -> None:
    if program.world.music:
        program.channel.music = True
        program.world.events.music_on_hold_start(program.channel)


def _stop_music(program: Program) -> None:
    if program.channel.music:
        program.channel.music = False
        program.world.events.music_on_hold_stop(program.channel)
