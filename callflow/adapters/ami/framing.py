"""AMI's messages: their text as dictionaries, which headers may be sent, and when an answer is complete."""

import asyncio
import re
import secrets
from collections.abc import Mapping
from functools import lru_cache
from itertools import count

from callflow.errors import ActionRefused, ActionTimeout, ActionUnsafe

END = b"\r\n\r\n"
MAX_LINE_BYTES = 1000
"""Asterisk reads header lines of up to 1,024 bytes and answers longer ones with an error that names no action."""

_KEY = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_FORBIDDEN = re.compile(r"[\r\n\0]")
_GOOD = frozenset({"Success", "Follows", "Goodbye"})
_NEEDS_ASYNC = frozenset({"originate", "playdtmf"})

_OURS = f"callflow-{secrets.token_hex(4)}"
"""Events that name an action go to every connection: its id is no other program's."""
_NUMBERS = count(1)

HeaderValue = str | list[str]
Answer = list[dict[str, str]]


def parse(raw: bytes) -> dict[str, str]:
    """Headers of one whole message; a repeated header's values are joined by "\\n", but the first Event stays alone."""
    lines = raw.decode("utf-8", "replace").split("\r\n")
    try:
        headers = dict([line.split(": ", 1) for line in lines])
    except ValueError:  # a line that is no header
        lines = [line for line in lines if ": " in line]
        headers = dict([line.split(": ", 1) for line in lines])
    return headers if len(headers) == len(lines) else _joined(lines)


def _joined(lines: list[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        key, value = line.split(": ", 1)
        if key not in headers:
            headers[key] = value
        elif key != "Event":
            headers[key] += f"\n{value}"
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


@lru_cache(maxsize=256)
def _fault_of(key: str) -> str:
    """What is wrong with the name of a header, "" for nothing; the same few names are sent again and again."""
    if not _KEY.fullmatch(key):
        return "is not a header's name"
    return "is set by the link itself" if key.lower() == "actionid" else ""


def _check_line(name: str, key: str, value: str) -> None:
    if fault := _fault_of(key):
        raise ActionUnsafe(name, key, fault)
    if _FORBIDDEN.search(value):
        raise ActionUnsafe(name, key, "has a line break or a NUL in its value")
    try:
        length = len(key) + len(": ") + len(value.encode())
    except UnicodeEncodeError:
        raise ActionUnsafe(name, key, "is not text") from None
    if length > MAX_LINE_BYTES:
        raise ActionUnsafe(name, key, f"is longer than {MAX_LINE_BYTES} bytes")


class PendingAction:
    """One action on its way, with our own rule for the end of an answer: it completes or fails, always.

    Everything but a list ends with its response: an Originate's outcome is an event, not an answer.
    """

    __slots__ = ("as_list", "future", "id", "name", "responses", "text")

    def __init__(self, headers: Mapping[str, HeaderValue], *, as_list: bool = False) -> None:
        self.name = str(headers["Action"])
        """The action's name, as Asterisk spells it."""
        self.id = f"{_OURS}-{next(_NUMBERS)}"
        self.as_list = as_list
        self.text = _text(headers, self.id)
        """As it is sent."""
        self.responses: Answer = []
        self.future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        # A ping or a cancelled caller may no longer wait: then nobody needs the failure.
        self.future.add_done_callback(_retrieved)

    def add_message(self, message: dict[str, str]) -> bool:
        """Take one message of the answer; True when the answer is whole."""
        if self.future.done():
            return True
        response = None if "Event" in message else message.get("Response")
        if response is not None and response not in _GOOD:
            return self._fail(message.get("Message", response))
        ending = message.get("EventList", "").lower()
        if ending == "cancelled":
            return self._fail("list cancelled")
        self.responses.append(message)
        if self.as_list and not (ending == "complete" or message.get("Event", "").endswith("Complete")):
            return False
        self.future.set_result(self.responses)
        return True

    def fail(self, error: Exception) -> None:
        """End the wait with `error`."""
        if not self.future.done():
            self.future.set_exception(error)

    def time_out(self, after_s: float) -> None:
        """End the wait after so long without the whole answer."""
        self.fail(ActionTimeout(self.name, after_s))

    def _fail(self, message: str) -> bool:
        self.fail(ActionRefused(self.name, message))
        return True


def _text(headers: Mapping[str, HeaderValue], action_id: str) -> str:
    lines = []
    for key, value in headers.items():
        if isinstance(value, str):
            lines.append(f"{key}: {value}\r\n")
        else:
            lines += [f"{key}: {one}\r\n" for one in value]
    return f"{''.join(lines)}ActionID: {action_id}\r\n\r\n"


def _retrieved(future: "asyncio.Future[Answer]") -> None:
    if not future.cancelled():
        future.exception()
