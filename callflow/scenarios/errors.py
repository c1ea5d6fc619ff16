"""Errors of scenarios, below `callflow.errors.CallflowError`.

ScenarioError
├── ScenarioInvalid    a scenario file cannot be read or contradicts itself: the user's mistake
└── SimulationFailed   a program of the simulation did not come up, or ended too early
"""

from callflow.errors import CallflowError


class ScenarioError(CallflowError):
    """A scenario cannot be read or played."""


class ScenarioInvalid(ScenarioError):
    """A scenario cannot be read or contradicts itself; `problem` begins with file and line."""


class SimulationFailed(ScenarioError):
    """A program of the simulation did not come up, or ended too early."""
