"""$[...] of the dialplan, as far as dialplans here use it: | & = != < > <= >= + - * / ! and parentheses."""

import re
from collections.abc import Callable
from operator import eq, ge, gt, le, lt, ne
from typing import Any

_TOKEN = re.compile(r'\s*("[^"]*"|[<>!]=|[<>=]|[()|&!+*/-]|[^\s()|&<>!=+*/"-]+)')
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {"=": eq, "!=": ne, "<": lt, ">": gt, "<=": le, ">=": ge}


class ExpressionInvalid(Exception):
    """A $[...] that cannot be read."""


def evaluate(text: str) -> str:
    """The value of an expression. Raises ExpressionInvalid."""
    if text.strip() and not _TOKEN.match(text):
        raise ExpressionInvalid(text)
    reader = _Reader(list(_TOKEN.findall(text)), text)
    value = reader.either()
    if reader.tokens:
        raise ExpressionInvalid(text)
    return value


def is_true(value: str) -> bool:
    """What GotoIf takes as true: anything but an empty text and 0."""
    return value.strip().strip('"') not in ("", "0")


class _Reader:
    """Each method reads one level of precedence, the lowest first."""

    def __init__(self, tokens: list[str], text: str) -> None:
        self.tokens, self._text = tokens, text

    def either(self) -> str:
        value = self._both()
        while self._next("|"):
            other = self._both()
            value = value if is_true(value) else other
        return value

    def _both(self) -> str:
        value = self._compared()
        while self._next("&"):
            other = self._compared()
            value = value if is_true(value) and is_true(other) else "0"
        return value

    def _compared(self) -> str:
        value = self._sum()
        while sign := self._next(*_COMPARISONS):
            one, two = _alike(value, self._sum())
            value = str(int(_COMPARISONS[sign](one, two)))
        return value

    def _sum(self) -> str:
        value = self._product()
        while sign := self._next("+", "-"):
            other = self._product()
            value = _text(_number(value) + (_number(other) if sign == "+" else -_number(other)))
        return value

    def _product(self) -> str:
        value = self._one()
        while sign := self._next("*", "/"):
            other = _number(self._one())
            if sign == "/" and not other:
                raise ExpressionInvalid(self._text)
            value = _text(_number(value) * other if sign == "*" else _number(value) / other)
        return value

    def _one(self) -> str:
        if self._next("!"):
            return str(int(not is_true(self._one())))
        if self._next("-"):
            return _text(-_number(self._one()))
        if self._next("("):
            value = self.either()
            if not self._next(")"):
                raise ExpressionInvalid(self._text)
            return value
        if not self.tokens or self.tokens[0] in ("|", "&", ")", *_COMPARISONS):
            return ""  # a variable without a value, with no quotes around it
        return self.tokens.pop(0)

    def _next(self, *signs: str) -> str:
        return self.tokens.pop(0) if self.tokens and self.tokens[0] in signs else ""


def _alike(one: str, two: str) -> tuple[float, float] | tuple[str, str]:
    """Numbers where both are numbers, else texts."""
    try:
        return float(one.strip('"')), float(two.strip('"'))
    except ValueError:
        return one, two


def _number(text: str) -> float:
    try:
        return float(text.strip('"') or 0)
    except ValueError:
        return 0.0


def _text(number: float) -> str:
    return str(int(number)) if number == int(number) else str(number)
