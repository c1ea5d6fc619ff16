"""Reads the file of service standards; an error names the file and the line."""

import re
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from callflow.core.documents import toml_of
from callflow.core.section import Section
from callflow.core.service.standards import Standard
from callflow.errors import SettingError

DEFAULT_PATH = Path("/etc/callflow/standards.toml")
_HEADER = re.compile(r"^\s*\[\[\s*standard\s*\]\]")


class StandardsOptions(Section):
    """The section [standards]: where the service standards are, and how often they are judged."""

    file: Path | None = Field(
        None,
        description="File of the service standards (docs/standards.md). Left out: /etc/callflow/standards.toml, if it "
        "exists.",
    )
    days: int = Field(7, ge=1, le=366, description="Days up to now over which the standards are judged and published.")
    refresh_s: float = Field(
        600.0, ge=10, le=86_400, description="Seconds between two judgements that the daemon publishes."
    )

    def find(self) -> Path | None:
        """The file asked for, else the default if it exists, else none."""
        return self.file or (DEFAULT_PATH if DEFAULT_PATH.is_file() else None)


def read_standards(path: Path) -> tuple[Standard, ...]:
    """All standards of a file; raises SettingError for the first mistake, with its line."""
    try:
        text = path.read_text("utf-8")
        document = toml_of(text)
    except OSError as error:
        raise SettingError(str(path), f"cannot be read ({error.strerror})", "set standards.file") from None
    except UnicodeDecodeError:
        raise SettingError(str(path), "is not UTF-8 text", "save it as UTF-8") from None
    except ValueError as error:
        raise SettingError(str(path), f"not valid TOML: {error}", "correct the line named here") from None
    lines = text.splitlines()
    if unknown := sorted(document.keys() - {"standard"}):
        where = _line_of(lines, rf"^\s*\[*\s*{re.escape(unknown[0])}\b", 1, len(lines) + 1)
        raise _wrong(path, where, f"{unknown[0]!r} is not known here", "each standard begins with [[standard]]")
    tables = document.get("standard", [])
    if not isinstance(tables, list):
        raise _wrong(path, 1, "standard is not a list", "begin each standard with [[standard]]")
    headers = [number for number, line in enumerate(lines, 1) if _HEADER.match(line)]
    starts = [*headers, *([1] * (len(tables) - len(headers))), len(lines) + 1]
    found = [_standard(path, lines, table, starts[at], starts[at + 1]) for at, table in enumerate(tables)]
    for at, standard in enumerate(found):
        if standard.name in {earlier.name for earlier in found[:at]}:
            where = _line_of(lines, r"^\s*name\s*=", starts[at], starts[at + 1])
            raise _wrong(path, where, f"there are two standards called {standard.name!r}", "give each its own name")
    return tuple(found)


def _standard(path: Path, lines: list[str], table: dict[str, Any], start: int, end: int) -> Standard:
    try:
        return Standard(**table)
    except ValidationError as error:
        first = error.errors()[0]
        key = str(first["loc"][0]) if first["loc"] else _named_in(first["msg"])
        where = _line_of(lines, rf"^\s*{re.escape(key)}\s*=", start, end) if key else start
        message = first["msg"].removeprefix("Value error, ")
        problem = f"{key}: {message}" if first["loc"] else message
        raise _wrong(path, where, problem, "see docs/standards.md") from None


def _named_in(message: str) -> str:
    """The key that a rule about several keys is about."""
    if "no measure" in message:
        return "measure"
    return "adequate" if "adequate" in message else ""


def _line_of(lines: list[str], pattern: str, start: int, end: int) -> int:
    """The number of the first line that matches within [start, end), else `start`."""
    return next((number for number in range(start, end) if re.match(pattern, lines[number - 1])), start)


def _wrong(path: Path, line: int, problem: str, remedy: str) -> SettingError:
    return SettingError(f"{path}, line {line}", problem, remedy)
