"""On which line of a TOML text a key stands: tomllib does not tell."""

import re
from collections.abc import Sequence

_HEADER = re.compile(r"\s*(\[{1,2})\s*([^\[\]]+?)\s*\]{1,2}\s*(#.*)?$")
_KEY = r"""(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')"""
_ASSIGNMENT = re.compile(rf"\s*({_KEY}(?:\s*\.\s*{_KEY})*)\s*=")
_TOKEN = re.compile(rf"""("(?:\\.|[^"\\])*"|'[^']*'|\#[^\n]*)|({_KEY})\s*=|([\[{{])|([\]}}])|(,)""")

Path = tuple[str | int, ...]


def line_of(text: str, path: Sequence[str | int]) -> int | None:
    """The line, from 1, of the longest beginning of `path` that stands in the text; None if nothing does."""
    found = list(_places(text))
    for length in range(len(path), 0, -1):
        wanted = tuple(path[:length])
        for place, line in found:
            if place == wanted:
                return line
    return None


def _places(text: str) -> list[tuple[Path, int]]:
    """Every key and table of the text with its line, in order."""
    found: list[tuple[Path, int]] = []
    tables: dict[str, int] = {}
    table: Path = ()
    lines = text.splitlines(keepends=True)
    number = 0
    while number < len(lines):
        line = lines[number]
        if header := _HEADER.match(line):
            table = _table(header[2], tables, repeated=header[1] == "[[")
            found.append((table, number + 1))
        elif assignment := _ASSIGNMENT.match(line):
            place = (*table, *_parts(assignment[1]))
            found.append((place, number + 1))
            value = line[assignment.end() :]
            first = number
            while _open(value) and number + 1 < len(lines):
                number += 1
                value += lines[number]
            found += [((*place, *inner), first + 1 + ahead) for inner, ahead in _inside(value)]
        number += 1
    return found


def _table(name: str, tables: dict[str, int], *, repeated: bool) -> Path:
    """The path of a table header; `tables` counts those that may stand more than once."""
    path: Path = ()
    parts = _parts(name)
    for depth, part in enumerate(parts, 1):
        key = ".".join(parts[:depth])
        if repeated and depth == len(parts):
            tables[key] = tables.get(key, -1) + 1
        path = (*path, part, tables[key]) if key in tables else (*path, part)
    return path


def _parts(name: str) -> list[str]:
    return [part.strip("\"'") for part in re.findall(_KEY, name)]


def _open(value: str) -> bool:
    """True while brackets are left open."""
    tokens = list(_TOKEN.finditer(value))
    return sum(bool(token[3]) for token in tokens) > sum(bool(token[4]) for token in tokens)


def _inside(value: str) -> list[tuple[Path, int]]:
    """Elements of arrays and keys of inline tables within a value, with the number of line ends before each."""
    found: list[tuple[Path, int]] = []
    here: list[str | int] = []
    for token in _TOKEN.finditer(value):
        ahead = value.count("\n", 0, token.start())
        if token[2]:
            here[-1] = _parts(token[2])[0]
            found.append((tuple(here), ahead))
        elif token[3]:
            if here:
                found.append((tuple(here), ahead))
            here.append(0 if token[3] == "[" else "")
        elif token[4] and here:
            here.pop()
        elif token[5] and here and isinstance(here[-1], int):
            here[-1] += 1
    return found
