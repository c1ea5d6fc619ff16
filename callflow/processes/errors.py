"""Errors of the programs that we start, below `callflow.errors.LabError`.

LabError
├── LabUnavailable   this machine lacks a program or a free port
└── LabStartFailed   a program did not come up
"""

from callflow.errors import LabError


class LabUnavailable(LabError):
    """This machine lacks a program or a free port."""


class LabStartFailed(LabError):
    """A program did not come up."""
