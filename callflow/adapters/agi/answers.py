"""FastAGI's text: parses answers, and quotes the arguments of commands."""

import re
from dataclasses import dataclass
from typing import Any

from panoramisk.utils import parse_agi_result

from callflow.errors import AgiUnsafe

_CODED = re.compile(r"\d{3}[ -]")
_FORBIDDEN = re.compile(r"[\r\n\0]")
_KEPT_LINES = 20
_READ_OF_LINE = 1000
"""The code and the result come first; panoramisk's patterns take the square of the length, 17 s for 64 kB."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Asterisk's answer to one command; `fields` as panoramisk reads them: name -> (value, text in brackets)."""

    text: str
    fields: dict[str, Any]

    @property
    def done(self) -> bool:
        """Asterisk carried out the command."""
        return self.fields.get("status_code") == 200 and "error" not in self.fields

    @property
    def failed(self) -> bool:
        """Asterisk could not carry out the command, or the call ended meanwhile."""
        return self.text.startswith("200 ") and self.number("result") == -1

    def number(self, name: str) -> int:
        """A field as a number, 0 when there is none."""
        found = re.search(rf"\b{name}=(-?[0-9]{{1,18}})", self.text)
        return int(found[1]) if found else 0


class AnswerReader:
    """Collects lines into answers: a usage error (520) has many lines, any other answer one."""

    def __init__(self) -> None:
        self._usage: list[str] | None = None

    def take(self, raw: bytes) -> Answer | None:
        """The answer that this line completes, if any."""
        line = raw.decode("utf-8", "replace").rstrip("\r\n")
        if self._usage is not None:
            return self._usage_line(line)
        if line.startswith("520-"):
            self._usage = [line]
            return None
        if not _CODED.match(line) or line.startswith("100"):
            return None
        return Answer(line, _fields(line))

    def _usage_line(self, line: str) -> Answer | None:
        usage = self._usage or []
        if len(usage) < _KEPT_LINES:
            usage.append(line)
        if not line.startswith("520 "):
            return None
        self._usage = None
        return Answer(" ".join(usage), _fields(line))


def _fields(line: str) -> dict[str, Any]:
    fields: dict[str, Any] = parse_agi_result(line[:_READ_OF_LINE])
    return fields


def quoted(text: str) -> str:
    """`text` as one argument of a command; raises AgiUnsafe if the text could start a second command."""
    if _FORBIDDEN.search(text):
        raise AgiUnsafe(f"a line break or a NUL in {text!r}")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
