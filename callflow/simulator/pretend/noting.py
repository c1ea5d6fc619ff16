"""The note of a call that the daemon may not know, on a channel whose screening the simulator itself carries out.

The steps of [callflow-note] are those of the dialplan.
"""

from callflow.simulator.pretend.channel import Channel
from callflow.simulator.pretend.program.program import Program
from callflow.simulator.pretend.world import World

NOTE = "callflow-note"


def begin_screening(world: World, channel: Channel, profile: str) -> None:
    """What callflow-screen sets before it answers."""
    channel.variables |= {
        "CALLFLOW_RESULT": "unavailable",
        "CALLFLOW_SCREENING": "1",
        "CALLFLOW_KNOWN": "",
        "CALLFLOW_ASKED": profile,
        "CALLFLOW_SINCE": str(int(world.clock.wall())),
    }


def note_unless_known(world: World, channel: Channel) -> None:
    """Note the call in AstDB, if the daemon has not said that it has it."""
    if not channel.variables.get("CALLFLOW_KNOWN"):
        work = Program(world, channel, owns=False).run_one("Gosub", f"{NOTE},s,1")
        try:
            work.send(None)  # no step of a note waits for anything
        except StopIteration:
            return
        work.close()
        raise AssertionError(f"{NOTE} waits")
