"""Errors of the lab, below `callflow.errors.LabError`; scenarios are refused as the simulator refuses its own.

LabError
├── LabUnavailable   the lab cannot be had on this machine
└── LabStartFailed   a program of the lab did not come up
"""

from callflow.errors import LabError
from callflow.simulator.errors import ScenarioInvalid

__all__ = ["LabStartFailed", "LabUnavailable", "ScenarioInvalid"]


class LabUnavailable(LabError):
    """The lab cannot be had on this machine."""


class LabStartFailed(LabError):
    """A program of the lab did not come up."""
