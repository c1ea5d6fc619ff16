"""ChanSpy and BridgeAdd: who joins a channel from outside, whispers to it, or keeps its bridge mixed."""

import asyncio

from callflow.simulator.pretend.channel import Channel
from callflow.simulator.pretend.program.builtins import up
from callflow.simulator.pretend.program.conversation import Conversation
from callflow.simulator.pretend.program.program import Application, HungUp, Moved, Program
from callflow.simulator.pretend.program.substitution import arguments

ATTACHES_S = 0.1
"""From ChanSpy's beginning to ChanSpyStart (measured)."""
_ADDS_S = 0.5
_LOOKS_S = 0.02


async def chan_spy(program: Program, data: str) -> None:
    """ChanSpy(uniqueid,u...): until the channel ends, or the spy is hung up."""
    up(program)
    target = program.world.switch.with_uniqueid(arguments(data)[0])
    if target is None:
        program.cause = 0
        raise HungUp
    gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def spied_gone() -> None:
        if not gone.done():
            gone.set_result(None)

    target.spies.append(spied_gone)
    started = False
    try:
        await program.until(gone, ATTACHES_S)
        if not gone.done():
            target.about_to_attach()
            target.attached += 1
            started = True
            program.spies_on = target
            program.world.events.chan_spy("ChanSpyStart", program.channel, target)
            await program.until(gone)
    except (HungUp, Moved):
        while _is_stuck(program, target):  # noqa: ASYNC110 - frames raise no event
            await asyncio.sleep(_LOOKS_S)
        raise
    finally:
        program.spies_on = None
        if started:
            target.attached -= 1
            program.world.events.chan_spy("ChanSpyStop", program.channel, target)
        if spied_gone in target.spies:
            target.spies.remove(spied_gone)


def _is_stuck(program: Program, target: Channel) -> bool:
    """A whisper that gets no frames does not notice its own hang-up; it goes when they come, or with the call."""
    return program.spies_on is target and target.talk is not None and not target.talk.carries_whisper(target)


async def bridge_add(program: Program, data: str) -> None:
    """BridgeAdd(channel): a third party makes the bridge a softmix, in which a whisper is always heard."""
    target = program.world.switch.channels.get(data)
    up(program)
    await program.sleep(_ADDS_S)
    talk = target.talk if target is not None else None
    if not isinstance(talk, Conversation):
        return
    if talk.is_native:
        talk.bridge.technology = "native_rtp"
    program.world.events.bridge_enter(talk.bridge, program.channel)
    talk.add(program.channel)
    try:
        done: asyncio.Future[Channel] = asyncio.shield(talk.over)
        await program.until(done)
    finally:
        talk.remove(program.channel)
        program.channel.bridge = ""


SPYING: dict[str, Application] = {"chanspy": chan_spy, "bridgeadd": bridge_add}
