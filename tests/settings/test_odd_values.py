"""Any value in any setting is either taken or explained: no mistake of a user's ends in a traceback."""

import datetime
import math
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from pydantic import BaseModel

from callflow.errors import SettingError
from callflow.settings.model import Settings, load_settings

TEXTS = (
    "",
    "{prompt}{language[a]}",
    "{prompt}{0}{",
    "(?<a>(a+)+$",
    "\0",
    "\u202e\ufeff\x1b[31m",
    "http://[",
    "http://a:b@c:99999999/{number}",
    "Europe/../Berlin",
    "9" * 5000,
    "名" * 5000,
)
OTHERS: tuple[Any, ...] = (
    10**30,
    math.inf,
    math.nan,
    datetime.time(23, 59),
    [],
    [[[]]],
    ["a", 1, {"b": []}],
    {"a": {"b": {"c": "d"}}},
    [{}],
)


def settings(table: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every setting and every section."""
    for name, value in table.items():
        yield (*path, name)
        if isinstance(value, dict):
            yield from settings(value, (*path, name))


def with_value(path: tuple[str, ...], value: Any) -> str:
    for name in reversed(path):
        value = {name: value}
    return tomli_w.dumps(value)


@pytest.mark.parametrize("value", [*TEXTS, *OTHERS], ids=lambda value: ascii(value)[:24])
def test_any_value_is_taken_or_explained(tmp_path: Path, value: Any) -> None:
    file, names = tmp_path / "callflow.toml", list(settings(Settings().model_dump(mode="json", exclude_none=True)))
    assert len(names) > 200
    for path in names:
        file.write_text(with_value(path, value))
        with suppress(SettingError):
            load_settings(file)


def tables(model: BaseModel, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every section in which users choose the names."""
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            yield from tables(value, (*path, name))
        elif isinstance(value, Mapping):
            yield (*path, name)


@pytest.mark.parametrize("name", TEXTS, ids=lambda name: ascii(name)[:24])
def test_any_name_is_taken_or_explained(tmp_path: Path, name: str) -> None:
    file, places = tmp_path / "callflow.toml", list(tables(Settings()))
    assert ("profiles",) in places
    for path in places:
        for value in ({}, "", 1, {"language": "en"}):
            file.write_text(with_value((*path, name), value))
            with suppress(SettingError):
                load_settings(file)
