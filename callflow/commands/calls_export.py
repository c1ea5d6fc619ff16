"""Calls as CSV: UTF-8, one header row, each time as ISO with zone and as epoch ms."""

import csv
import io
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO

from callflow.adapters.store.rows import StoredCall
from callflow.commands.calls_when import iso
from callflow.errors import CallflowError

COLUMNS = (
    "node",
    "call_id",
    "uniqueid",
    "channel",
    "profile",
    "mode",
    "ladder",
    "ear",
    "language",
    "caller_number",
    "caller_name",
    "dialled",
    "arrived",
    "arrived_ms",
    "ended",
    "ended_ms",
    "result",
    "would",
    "rung",
    "heard_at",
    "heard_at_ms",
    "heard_after_would",
    "partial",
    "interrupted",
    "heard",
    "level_dbov",
    "gain_db",
)
FORMULA_STARTS = tuple("=+-@\t\r＝＋－＠")  # noqa: RUF001 - spreadsheets take the wide ones for formulas too


class LineFeeds:
    """What csv.writer writes to: rows end with LF, but are quoted as for CRLF, for a lone CR ends a row in Excel."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def write(self, row: str) -> int:
        """Write one row."""
        return self._out.write(row.removesuffix("\r\n") + "\n")


def write_csv(calls: Iterable[StoredCall], out: TextIO) -> int:
    """Write all calls; returns how many."""
    rows = csv.writer(LineFeeds(out))
    rows.writerow(COLUMNS)
    written = 0
    for call in calls:
        rows.writerow([_cell(call, column) for column in COLUMNS])
        written += 1
    return written


@contextmanager
def whole_file(path: Path) -> Iterator[TextIO]:
    """A text file that appears under its name only when complete, readable by its owner alone; raises CallflowError."""
    with whole_bytes(path) as out:
        text = io.TextIOWrapper(out, encoding="utf-8", newline="")
        yield text
        text.detach()


@contextmanager
def whole_bytes(path: Path) -> Iterator[BinaryIO]:
    """The same for a file that is not text."""
    try:
        if path.exists() and not path.is_file():
            with path.open("wb") as out:
                yield out
            return
        fd, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(fd, "wb") as out:
                yield out
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise CallflowError(
            f"{path} cannot be written: {error.strerror}", remedy="name another file, or none for standard output"
        ) from None


def _cell(call: StoredCall, column: str) -> str | int | float:
    if column in ("node", "interrupted"):
        return cell(getattr(call, column))
    if column in ("arrived", "ended", "heard_at"):
        return iso(getattr(call.record, f"{column}_ms"))
    return cell(getattr(call.record, column))


def cell(value: object) -> str | int | float:
    """A text that a spreadsheet would take for a formula gets an apostrophe in front; None is empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | float):
        return value
    text = str(value)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
