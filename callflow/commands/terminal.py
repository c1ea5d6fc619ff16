"""Standard output: any script on any terminal; a clear error when it cannot be written."""

import asyncio
import errno
import io
import os
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

import typer
from rich.console import Console

from callflow.core.printable import printable
from callflow.errors import CallflowError

STANDARD = {0: ("stdin", "r"), 1: ("stdout", "w"), 2: ("stderr", "w")}
WIDTH_IN_A_PIPE = 400
WIDE = 120
"""From this many columns on, a call or a setting fits on one line of a table."""


class OutputLost(CallflowError):
    """Standard output cannot be written."""


class Output(io.FileIO):
    """The descriptor of standard output. After a failure, which is reported once, all output is dropped."""

    def write(self, data: Any, /) -> int:
        """Raises BrokenPipeError if the reader has gone, OutputLost for any other failure."""
        try:
            return super().write(data)
        except OSError as error:
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.fileno())
            if error.errno == errno.EPIPE:
                raise
            raise OutputLost(f"the output cannot be written: {error.strerror}", "write to another place") from None


def mend_stdout() -> None:
    """Put `Output` below sys.stdout; characters that its encoding lacks are written as \\uXXXX."""
    old = sys.stdout
    if isinstance(old, io.TextIOWrapper) and old is sys.__stdout__:  # not where somebody has put another there
        raw = Output(old.fileno(), "wb", closefd=False)
        sys.stdout = io.TextIOWrapper(
            io.BufferedWriter(raw), old.encoding, "backslashreplace", line_buffering=old.line_buffering
        )


def open_closed_streams() -> None:
    """Give a process that was started without a standard stream /dev/null in its place.

    Otherwise the next file that it opens would have the stream's number.
    """
    if None not in (sys.stdin, sys.stdout, sys.stderr):
        return
    while (fd := os.open(os.devnull, os.O_RDWR)) <= max(STANDARD):
        os.set_inheritable(fd, True)
    os.close(fd)
    for fd, (name, mode) in STANDARD.items():
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(fd, mode, closefd=False))


def agree(question: str) -> None:
    """Ask whoever is at the terminal. Raises CallflowError where nobody is; a no ends the command."""
    if not sys.stdin.isatty():
        raise CallflowError("nobody is here to agree", "add --yes")
    typer.confirm(question, abort=True)


def console() -> Console:
    """The console for people: as wide as the terminal; in a pipe, wide enough for whole lines."""
    standard = Console(highlight=False)
    return standard if standard.is_terminal else Console(highlight=False, width=WIDTH_IN_A_PIPE)


async def any_key() -> None:
    """Return when a key is pressed, or when standard input ends."""
    loop, pressed, fd = asyncio.get_running_loop(), asyncio.Event(), sys.stdin.fileno()
    before = termios.tcgetattr(fd) if os.isatty(fd) else None
    if before is not None:
        tty.setcbreak(fd)
    loop.add_reader(fd, pressed.set)
    try:
        await pressed.wait()
        os.read(fd, 1024)
    finally:
        loop.remove_reader(fd)
        if before is not None:
            termios.tcsetattr(fd, termios.TCSADRAIN, before)


class _PrintableText(io.StringIO):
    """What is written goes to standard output, with everything spelt out that could steer a terminal."""

    def write(self, text: str, /) -> int:
        return sys.stdout.write(printable(text, kept="\n"))


@contextmanager
def csv_output() -> Iterator[TextIO]:
    """Standard output for CSV: exact and UTF-8 for a file or a pipe, harmless on a terminal."""
    if sys.stdout.isatty():
        yield _PrintableText()
        return
    out = io.TextIOWrapper(typer.get_binary_stream("stdout"), encoding="utf-8", newline="", write_through=False)
    try:
        yield out
    finally:
        out.detach()
