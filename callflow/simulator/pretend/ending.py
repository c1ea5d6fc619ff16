"""How a channel that runs the dialplan ends: by itself, or by its phone's BYE."""

from callflow.simulator.pretend.channel import Channel
from callflow.simulator.pretend.far_end import bye_cause
from callflow.simulator.pretend.program.program import Program
from callflow.simulator.pretend.world import World


async def run_to_end(program: Program, context: str, exten: str, priority: int = 1) -> None:
    """The dialplan from this place on, then `h`: all that comes before the Hangup event."""
    await program.run(context, exten, priority)
    program.world.events.soft_hangup_request(program.channel)
    await program.run_h()
    for do in program.on_leave:
        do()


def bye(world: World, channel: Channel) -> None:
    """The phone of a channel that runs the dialplan hangs up."""
    if channel.alive and isinstance(channel.owner, Program):
        cause = bye_cause(world, channel)
        world.events.hangup_request(channel, cause)
        in_application = 16 if world.flavour.bye_sets_cause else 0
        channel.owner.hang_up(16 if channel.talk is not None else in_application)
