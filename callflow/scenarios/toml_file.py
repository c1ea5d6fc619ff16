"""Reading a TOML file into a model; a mistake is reported with file, line and remedy."""

import difflib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from callflow.core.documents import toml_of
from callflow.scenarios.errors import ScenarioInvalid

Model = TypeVar("Model", bound=BaseModel)
_GUIDE = "docs/simulator.md explains every key"
_HEADER = re.compile(r"\s*(\[{1,2})\s*([^\[\]]+?)\s*\]{1,2}\s*(#.*)?$")
_KEY = r"""(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')"""
_ASSIGNMENT = re.compile(rf"\s*({_KEY}(?:\s*\.\s*{_KEY})*)\s*=")
_TOKEN = re.compile(rf"""("(?:\\.|[^"\\])*"|'[^']*'|\#[^\n]*)|(?<![A-Za-z0-9_-])({_KEY})\s*=|([\[{{])|([\]}}])|(,)""")

Place = tuple[str | int, ...]
"""A key's path in the file."""


def read_toml(path: Path, model: type[Model], **more: Any) -> Model:
    """The file's content, with `more` fields added. Raises ScenarioInvalid."""
    text = _text(path)
    try:
        data = toml_of(text)
    except ValueError as error:
        found = re.search(r"at line (\d+)", str(error))
        line = int(found[1]) if found else None
        raise _invalid(path, line, f"it cannot be read as TOML: {error}", "correct this line") from None
    for key in more:
        if key in data:
            raise _invalid(path, line_of(text, [key]), f"there is no key {key!r}", f"take it out; {_GUIDE}")
    try:
        return model.model_validate(data | more)
    except ValidationError as error:
        raise _explained(error, path, text, data, model) from None


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as error:
        remedy = "name a file that is there, or a scenario of `callflow simulate --list`"
        raise ScenarioInvalid(f"{path} cannot be read: {error.strerror}", remedy) from None
    except UnicodeDecodeError:
        raise ScenarioInvalid(f"{path} cannot be read: it is not UTF-8", "save it as UTF-8") from None


def _invalid(path: Path, line: int | None, problem: str, remedy: str) -> ScenarioInvalid:
    where = f"{path}, line {line}" if line else f"{path}"
    return ScenarioInvalid(f"{where}: {problem}", remedy)


def _explained(
    error: ValidationError, path: Path, text: str, data: dict[str, Any], model: type[BaseModel]
) -> ScenarioInvalid:
    """One sentence for the first mistake, with a word on how many more there are."""
    first, *more = error.errors()
    more = [mistake for mistake in more if mistake["type"] != "too_short"]  # what is left when the wrong ones are out
    loc = _as_written(first["loc"], data)
    problem, remedy = _verdict(first, model)
    also = f", and {len(more)} more mistake{'s' * (len(more) > 1)}" if more else ""
    name = _shown(loc)
    return _invalid(path, line_of(text, loc), f"{name}: {problem}{also}" if name else f"{problem}{also}", remedy)


def _as_written(loc: tuple[str | int, ...], data: Any) -> list[str | int]:
    """Where the mistake stands in the file: no number where there is no list, none of pydantic's names for unions."""
    path: list[str | int] = []
    for number, part in enumerate(loc):
        if isinstance(part, int) and isinstance(data, list):
            data = data[part]
        elif isinstance(part, str) and isinstance(data, dict) and (part in data or number == len(loc) - 1):
            data = data.get(part)
        else:
            continue
        path.append(part)
    return path


def _verdict(detail: ErrorDetails, model: type[BaseModel]) -> tuple[str, str]:
    if detail["type"] == "extra_forbidden":
        return "there is no such key", _did_you_mean(detail["loc"], model)
    if detail["type"] == "missing":
        return "is missing", f"add it; {_GUIDE}"
    if detail["type"] in ("too_short", "too_long"):
        limits = detail["ctx"]
        wanted = limits.get("min_length", limits.get("max_length"))
        return f"{limits['actual_length']} of them, where {wanted} are wanted", f"correct it; {_GUIDE}"
    message = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "value_error":
        return message, f"correct it; {_GUIDE}"
    given = repr(detail["input"])
    given = given if len(given) <= 60 else given[:57] + "..."
    return f"{message[:1].lower()}{message[1:]}, not {given}", f"correct it; {_GUIDE}"


def _shown(loc: list[str | int]) -> str:
    """A path as a person counts: callers[2].does[1].at."""
    return "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in loc).removeprefix(".")


def _did_you_mean(loc: tuple[str | int, ...], model: type[BaseModel]) -> str:
    known = sorted(set(_keys_beside(loc, model)) - ({"name"} if len(loc) == 1 else set()))
    close = difflib.get_close_matches(str(loc[-1]), known, 1)
    return f"did you mean {close[0]!r}?" if close else f"known here: {', '.join(known)}"


def _keys_beside(loc: tuple[str | int, ...], model: type[BaseModel]) -> list[str]:
    """Keys that could stand where the wrong one stands."""
    here: Any = model
    for part in loc[:-1]:
        if isinstance(part, str) and part in getattr(here, "model_fields", {}):
            here = _model_in(here.model_fields[part].annotation)
    return list(getattr(here, "model_fields", {}))


def _model_in(annotation: Any) -> Any:
    """The model within tuple[X, ...], X | None or the like."""
    if hasattr(annotation, "model_fields"):
        return annotation
    return next((found for arg in get_args(annotation) if (found := _model_in(arg)) is not None), None)


# -- on which line a key stands: tomllib does not say -----------------------------------------------------------------


def line_of(text: str, path: Sequence[str | int]) -> int | None:
    """The line, from 1, of the longest beginning of `path` that stands in the text; None if nothing does."""
    wanted = [tuple(path[:length]) for length in range(len(path), 0, -1)]
    found: dict[Place, int] = {}
    for place, line in _places(text, len(path)):
        if place in wanted:
            found.setdefault(place, line)
    return next((found[place] for place in wanted if place in found), None)


def _places(text: str, depth: int) -> Iterator[tuple[Place, int]]:
    """Keys and tables of the text with their lines, in order; inside a value only those of at most `depth` parts."""
    tables: dict[str, int] = {}
    table: Place = ()
    lines = text.splitlines(keepends=True)
    number = 0
    while number < len(lines):
        line = lines[number]
        if header := _HEADER.match(line):
            table = _table(header[2], tables, repeated=header[1] == "[[")
            yield table, number + 1
        elif assignment := _ASSIGNMENT.match(line):
            place = (*table, *_parts(assignment[1]))
            yield place, number + 1
            pieces = [line[assignment.end() :]]
            first, opened = number, _opened(pieces[0])
            while opened > 0 and number + 1 < len(lines):
                number += 1
                pieces.append(lines[number])
                opened += _opened(lines[number])
            for inner, ahead in _inside("".join(pieces), depth - len(place)):
                yield (*place, *inner), first + 1 + ahead
        number += 1


def _table(name: str, tables: dict[str, int], *, repeated: bool) -> Place:
    """The path of a table header; `tables` counts those that may stand more than once."""
    path: Place = ()
    parts = _parts(name)
    for depth, part in enumerate(parts, 1):
        key = ".".join(parts[:depth])
        if repeated and depth == len(parts):
            tables[key] = tables.get(key, -1) + 1
        path = (*path, part, tables[key]) if key in tables else (*path, part)
    return path


def _parts(name: str) -> list[str]:
    return [part.strip("\"'") for part in re.findall(_KEY, name)]


def _opened(line: str) -> int:
    """Brackets that it opens, less those that it closes."""
    return sum(bool(token[3]) - bool(token[4]) for token in _TOKEN.finditer(line))


def _inside(value: str, depth: int) -> Iterator[tuple[Place, int]]:
    """Elements of arrays and keys of inline tables within a value, with the number of line ends before each."""
    here: list[str | int] = []
    ahead = seen = 0
    for token in _TOKEN.finditer(value):
        ahead += value.count("\n", seen, token.start())
        seen = token.start()
        if token[2] and here:
            here[-1] = _parts(token[2])[0]
            if len(here) <= depth:
                yield tuple(here), ahead
        elif token[3]:
            if 0 < len(here) <= depth:
                yield tuple(here), ahead
            here.append(0 if token[3] == "[" else "")
        elif token[4] and here:
            here.pop()
        elif token[5] and here and isinstance(here[-1], int):
            here[-1] += 1
