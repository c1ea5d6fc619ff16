"""Tables of plain values as CSV, JSON or Excel, to a file or to standard output."""

import csv
import io
import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO

import typer

from callflow.commands.terminal import csv_output
from callflow.errors import CallflowError

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet


class Unit(Enum):
    """How a value is to be read: a share is from 0 to 1."""

    COUNT = "count"
    SHARE = "share"
    SECONDS = "s"
    NUMBER = "number"
    SCORE = "score"
    """A mean of ratings, 1 to 5."""
    TEXT = "text"


Value = int | float | str | bool | None
NOT_IN_EXCEL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
EXCEL_FORMATS = {Unit.SHARE: "0.0%", Unit.SECONDS: "0.0", Unit.NUMBER: "0.0", Unit.SCORE: "0.00"}
FORMULA_STARTS = tuple("=+-@＝＋－＠")  # noqa: RUF001 - spreadsheets take the wide ones for formulas too
CELL_ENDS = tuple("\t\r\n")
"""What a spreadsheet may take for the end of a cell or a row."""
DIGITS = 6


class FileKind(StrEnum):
    """What a file can be written as; the ending of its name."""

    CSV = "csv"
    JSON = "json"
    XLSX = "xlsx"


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows of values under named columns; `about` tells what they are of, `units` of some columns how to read them."""

    title: str
    names: Sequence[str]
    rows: Sequence[Sequence[Value]]
    about: Mapping[str, Any] = field(default_factory=dict)
    units: Mapping[str, Unit] = field(default_factory=dict)
    last_is_total: bool = False


def kind_of(path: Path) -> FileKind:
    """What the name of a file asks for."""
    try:
        return FileKind(path.suffix.removeprefix(".").lower())
    except ValueError:
        raise typer.BadParameter(f"{str(path)!r} must end in .csv, .json or .xlsx (Excel)") from None


def write_sheet(sheet: Sheet, path: Path) -> None:
    """Write the file, whole or not at all; raises CallflowError."""
    match kind_of(path):
        case FileKind.CSV:
            with whole_file(path) as out:
                write_csv(sheet, out)
        case FileKind.JSON:
            with whole_file(path) as out:
                out.write(as_json(sheet) + "\n")
        case FileKind.XLSX:
            with whole_bytes(path) as out:
                _write_excel(sheet, out)


def print_csv(sheet: Sheet) -> None:
    """To standard output."""
    with csv_output() as out:
        write_csv(sheet, out)


def print_json(sheet: Sheet) -> None:
    """To standard output."""
    print(as_json(sheet))


def write_csv(sheet: Sheet, out: TextIO) -> None:
    """A header row and the rows; nothing where there is no value."""
    rows = csv.writer(LineFeeds(out))
    rows.writerow(sheet.names)
    rows.writerows([cell(_rounded(value)) for value in row] for row in sheet.rows)


def as_json(sheet: Sheet) -> str:
    """`about`, then `rows` as objects and the total by itself; null where there is no value."""
    objects = [dict(zip(sheet.names, map(_rounded, row), strict=True)) for row in sheet.rows]
    told: dict[str, Any] = {**sheet.about, "rows": objects}
    if sheet.last_is_total and objects:
        told |= {"rows": objects[:-1], "total": objects[-1]}
    return json.dumps(told, indent=2)


def _write_excel(sheet: Sheet, out: BinaryIO) -> None:
    """One sheet: what it is of, a header row that stays in sight, the rows."""
    from openpyxl import Workbook
    from openpyxl.styles import Font

    book = Workbook()
    book.remove(book.worksheets[0])
    page = book.create_sheet(sheet.title)
    for name, value in sheet.about.items():
        page.append([_excel(name), _excel(value if isinstance(value, str | int | float) else json.dumps(value))])
    page.append([])
    page.append(list(sheet.names))
    head = page.max_row
    for row in sheet.rows:
        page.append([_excel(value) for value in row])
    page.freeze_panes = page.cell(head + 1, 1)
    for number in {head, page.max_row} if sheet.last_is_total else {head}:
        for at in page[number]:
            at.font = Font(bold=True)
    _dress(page, sheet, head)
    book.save(out)


def _dress(page: "Worksheet", sheet: Sheet, head: int) -> None:
    """Columns as wide as what is in them, shares as percent."""
    from openpyxl.utils import get_column_letter

    for number, name in enumerate(sheet.names, 1):
        longest = max(len(name), *(len(str(_rounded(row[number - 1]))) for row in sheet.rows), 0)
        page.column_dimensions[get_column_letter(number)].width = min(40, longest + 2)
        for at in range(head + 1, page.max_row + 1):
            page.cell(at, number).number_format = EXCEL_FORMATS.get(sheet.units.get(name, Unit.TEXT), "General")


def _excel(value: Value) -> Value:
    """Excel takes neither control characters nor what begins like a formula."""
    if isinstance(value, str):
        return cell(NOT_IN_EXCEL.sub("", value))
    return value


def _rounded(value: Value) -> Value:
    return round(value, DIGITS) if isinstance(value, float) else value


class LineFeeds:
    """What csv.writer writes to: rows end with LF, but are quoted as for CRLF, for a lone CR ends a row in Excel."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def write(self, row: str) -> int:
        """Write one row."""
        return self._out.write(row.removesuffix("\r\n") + "\n")


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


def cell(value: object) -> str | int | float:
    """A text that a spreadsheet would take for a formula gets an apostrophe in front; None is empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | float):
        return value
    text = str(value)
    return f"'{text}" if text.startswith(CELL_ENDS) or _behind_blanks(text).startswith(FORMULA_STARTS) else text


def _behind_blanks(text: str) -> str:
    """`text` from its first visible character on: spreadsheets skip blanks, control characters and a BOM."""
    begin = (at for at, letter in enumerate(text) if letter.isprintable() and not letter.isspace())
    return text[next(begin, len(text)) :]
