"""Errors of the lab, below `callflow.errors.LabError`.

LabError
├── LabUnavailable   the lab cannot be had on this machine
├── LabStartFailed   a program of the lab did not come up
└── ScenarioInvalid  a scenario folder is wrong
"""

from callflow.errors import LabError


class LabUnavailable(LabError):
    """The lab cannot be had on this machine."""


class LabStartFailed(LabError):
    """A program of the lab did not come up."""


class ScenarioInvalid(LabError):
    """A scenario folder cannot be read or contradicts itself."""
