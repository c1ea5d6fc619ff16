"""Standard output: names in any script on any terminal, and a sentence where nothing more can be written."""

import errno
import io
import os
import sys
from typing import Any

from rich.console import Console

from callflow.errors import CallflowError

WIDTH_IN_A_PIPE = 240


class OutputLost(CallflowError):
    """Standard output cannot be written."""


class Output(io.FileIO):
    """The descriptor of standard output. What comes after a failure is dropped: the failure has been told."""

    def write(self, data: Any, /) -> int:
        """Raises BrokenPipeError where the reader has gone, OutputLost for everything else."""
        try:
            return super().write(data)
        except OSError as error:
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.fileno())
            if error.errno == errno.EPIPE:
                raise
            raise OutputLost(f"the output cannot be written: {error.strerror}", "send it elsewhere") from None


def mend_stdout() -> None:
    """Put `Output` below sys.stdout; what its encoding has no letters for is written as \\uXXXX."""
    old = sys.stdout
    if isinstance(old, io.TextIOWrapper) and old is sys.__stdout__:  # not where somebody has put another there
        raw = Output(old.fileno(), "wb", closefd=False)
        sys.stdout = io.TextIOWrapper(
            io.BufferedWriter(raw), old.encoding, "backslashreplace", line_buffering=old.line_buffering
        )


def console() -> Console:
    """Where people read: as wide as the terminal, and wide enough for whole lines when it is none."""
    standard = Console(highlight=False)
    return standard if standard.is_terminal else Console(highlight=False, width=WIDTH_IN_A_PIPE)


def printable(text: str) -> str:
    """Text from outside without what could steer a terminal: control and format characters are spelt out."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
