"""Every application that a pretend dialplan can use, by its name in small letters."""

from callflow.simulator.pretend.program.builtins import BUILTINS
from callflow.simulator.pretend.program.dialling import dial
from callflow.simulator.pretend.program.playing import PLAYING
from callflow.simulator.pretend.program.program import Application
from callflow.simulator.pretend.program.queueing import queue
from callflow.simulator.pretend.program.recording import RECORDING
from callflow.simulator.pretend.program.spying import SPYING

APPLICATIONS: dict[str, Application] = {
    **BUILTINS, **PLAYING, **SPYING, **RECORDING, "dial": dial, "queue": queue,
}  # fmt: skip
