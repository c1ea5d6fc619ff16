"""Between a record and its row: a column has the name of its field."""

import types
from collections.abc import Callable
from dataclasses import fields
from enum import Enum
from typing import Any, Generic, TypeVar, Union, get_args, get_origin, get_type_hints

import sqlalchemy as sa

R = TypeVar("R")

Convert = Callable[[Any], Any]


class Rows(Generic[R]):
    """Converts records of one class; enums are stored by value, tuples of words with spaces between."""

    def __init__(self, record: type[R]) -> None:
        self._record = record
        hints = get_type_hints(record)
        self._to_row: list[tuple[str, Convert | None]] = []
        self._from_row: list[tuple[str, Convert | None]] = []
        for field in fields(record):  # type: ignore[arg-type]  # every kind of record is a dataclass
            to_row, from_row = _converters(_without_none(hints[field.name]))
            self._to_row.append((field.name, to_row))
            self._from_row.append((field.name, from_row))

    def row(self, record: R) -> dict[str, Any]:
        """The values of all fields as SQL takes them."""
        return {
            name: value if convert is None or value is None else convert(value)
            for name, convert in self._to_row
            for value in (getattr(record, name),)
        }

    def record(self, row: sa.RowMapping) -> R:
        """The record that a row was made from."""
        return self._record(
            **{
                name: value if convert is None or value is None else convert(value)
                for name, convert in self._from_row
                for value in (row[name],)
            }
        )


def storable(text: str) -> str:
    """Text without the lone surrogates that stand for undecodable bytes, which no database takes."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def _converters(hint: Any) -> tuple[Convert | None, Convert | None]:
    """From a field to its column, and back."""
    if get_origin(hint) is tuple:
        return (lambda words: storable(" ".join(words))), (lambda text: tuple(text.split()))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return (lambda member: member.value), hint
    return (storable if hint is str else None), None


def _without_none(hint: Any) -> Any:
    """X of `X | None`."""
    if get_origin(hint) in (Union, types.UnionType):
        return next(each for each in get_args(hint) if each is not type(None))
    return hint
