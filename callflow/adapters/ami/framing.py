"""AMI's text: messages to dictionaries, and which headers may be sent."""

import re
from collections.abc import Mapping

from callflow.errors import ActionUnsafe

END = b"\r\n\r\n"
MAX_LINE_BYTES = 1000
"""Asterisk reads header lines of up to 1,024 bytes and answers longer ones with an error that names no action."""

_KEY = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_FORBIDDEN = re.compile(r"[\r\n\0]")
_NEEDS_ASYNC = frozenset({"originate", "playdtmf"})

HeaderValue = str | list[str]


def parse(raw: bytes) -> dict[str, str]:
    """Headers of one whole message; a repeated header's values are joined by "\\n", which no value can contain."""
    lines = [line.split(": ", 1) for line in raw.decode("utf-8", "replace").split("\r\n") if ": " in line]
    headers = dict(lines)
    if len(headers) == len(lines):
        return headers
    headers = {}
    for key, value in lines:
        headers[key] = f"{headers[key]}\n{value}" if key in headers else value
    return headers


def checked(name: str, headers: Mapping[str, HeaderValue]) -> dict[str, HeaderValue]:
    """The headers of action `name`, ready to send; raises ActionUnsafe."""
    ready: dict[str, HeaderValue] = {"Action": name, **headers}
    if name.lower() in _NEEDS_ASYNC:
        ready["Async"] = "true"
    for key, value in ready.items():
        for one in value if isinstance(value, list) else [value]:
            _check_line(name, key, one)
    return ready


def _check_line(name: str, key: str, value: str) -> None:
    if not _KEY.fullmatch(key):
        raise ActionUnsafe(name, key, "is not a header's name")
    if key.lower() == "actionid":
        raise ActionUnsafe(name, key, "is set by the link itself")
    if _FORBIDDEN.search(value):
        raise ActionUnsafe(name, key, "has a line break or a NUL in its value")
    try:
        length = len(f"{key}: {value}".encode())
    except UnicodeEncodeError:
        raise ActionUnsafe(name, key, "is not text") from None
    if length > MAX_LINE_BYTES:
        raise ActionUnsafe(name, key, f"is longer than {MAX_LINE_BYTES} bytes")
