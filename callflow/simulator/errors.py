"""Errors of the simulator, below `callflow.errors.CallflowError`.

SimulatorError
├── ScenarioInvalid    a scenario file cannot be read or contradicts itself: the user's mistake
└── SimulationFailed   a program of the simulation did not come up, or ended too early
"""

from callflow.errors import CallflowError


class SimulatorError(CallflowError):
    """The simulator could not do what was asked."""


class ScenarioInvalid(SimulatorError):
    """A scenario cannot be read or contradicts itself; `problem` begins with file and line."""


class SimulationFailed(SimulatorError):
    """A program of the simulation did not come up, or ended too early."""
