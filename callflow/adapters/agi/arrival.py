"""What Asterisk says about a caller when it hands them over: pure functions."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from callflow.core.events import CallArrived, CallNoted
from callflow.core.printable import one_line
from callflow.core.screening.states import Result

_FIRST = ("agi_network_script", "agi_channel", "agi_language", "agi_uniqueid", "agi_version", "agi_callerid")
"""Fields in the order in which Asterisk sends them, before any value that a caller can choose."""
_LAST = ("agi_rdnis", "agi_dnid", "agi_callingpres")
"""Fields behind the caller's name, from the last to the first; behind them only agi_threadid and the arguments."""
NOTED_FIELDS = 8
_ARGUMENT = re.compile(r"\nagi_arg_([0-9]+): ")
_THREAD = re.compile(r"-?[0-9]+")


def parse_variables(raw: bytes) -> dict[str, str]:
    """The variables of a whole FastAGI header that the daemon uses, whatever a value contains; {} when it is not whole.

    A value may contain line feeds, blank lines and lines that look like fields. So the fields before the caller's name
    are looked for from the beginning, and the ones behind it from the end.
    """
    text = "\n" + raw.decode("utf-8", "replace").rstrip("\n")
    text, found, end = text.rpartition("\nagi_threadid: ")
    thread, *arguments = _ARGUMENT.split(end)
    numbers, values = arguments[::2], arguments[1::2]
    if not found or not _THREAD.fullmatch(thread) or numbers != [str(n + 1) for n in range(len(numbers))]:
        return {}
    if any("\n" in value for value in values):  # nothing stands behind the last argument, and each is the dialplan's
        return {}
    variables = {f"agi_arg_{number}": value.strip() for number, value in zip(numbers, values, strict=True)}
    for name in _LAST:
        text, _, value = text.rpartition(f"\n{name}: ")
        variables[name] = value.partition("\n")[0]
    first, rest = parse_first(text)
    number, _, name = rest.partition("\nagi_calleridname: ")
    return variables | first | {"agi_callerid": number, "agi_calleridname": name} if first else {}


def parse_first(text: str) -> tuple[dict[str, str], str]:
    """The fields before the caller's number, and the text from the number on; ({}, "") when one is missing."""
    variables: dict[str, str] = {}
    before = ""
    for name in _FIRST:
        value, found, text = text.partition(f"\n{name}: ")
        if not found:
            return {}, ""
        variables[before] = value.partition("\n")[0]
        before = name
    del variables[""]
    return variables, text


def call_arrived(variables: Mapping[str, str], at_ms: int, late_s: float = 0.0) -> CallArrived:
    """The core's event; agi_arg_1 is the profile, agi_arg_2 the screening's number, agi_arg_3 the self-test's id."""
    uniqueid = variables.get("agi_uniqueid", "")
    return CallArrived(
        call_id=call_id(uniqueid, variables.get("agi_arg_2", "")),
        uniqueid=uniqueid,
        channel=variables.get("agi_channel", ""),
        profile=one_line(variables.get("agi_arg_1", "")),
        at_ms=at_ms,
        language=variables.get("agi_language", ""),
        caller_number=_known(variables.get("agi_callerid", "")),
        caller_name=_known(variables.get("agi_calleridname", "")),
        dialled=_known(variables.get("agi_dnid", "")),
        check=variables.get("agi_arg_3", ""),
        late_s=late_s,
    )


def call_noted(name: str, note: str) -> CallNoted | None:
    """The core's event from a note of the dialplan's [callflow-note]; None for one that is not whole."""
    uniqueid, _, screening = name.rpartition("-")
    fields = note.split("|")
    if len(fields) != NOTED_FIELDS or not (fields[0].isdecimal() and fields[1].isdecimal()):
        return None
    since, left, result, channel, language, profile, number, dialled = fields
    arrived = CallArrived(
        call_id=call_id(uniqueid, screening),
        uniqueid=uniqueid,
        channel=channel,
        profile=one_line(profile),
        at_ms=int(since) * 1000,
        language=language,
        caller_number=_known(number),
        dialled=_known(dialled),
    )
    return CallNoted(arrived, max(int(left), int(since)) * 1000, hung_up=result == Result.HANGUP)


@dataclass(frozen=True, slots=True)
class RatingArrived:
    """A caller who reached the rating: what Asterisk says about the channel."""

    rating_id: str
    uniqueid: str
    profile: str
    language: str
    caller_number: str
    transferred: bool


def rating_arrived(variables: Mapping[str, str]) -> RatingArrived:
    """agi_arg_1 is the profile, agi_arg_2 the rating's number, agi_arg_3 is not empty after a transfer."""
    uniqueid = variables.get("agi_uniqueid", "")
    return RatingArrived(
        rating_id=call_id(uniqueid, variables.get("agi_arg_2", "")),
        uniqueid=uniqueid,
        profile=one_line(variables.get("agi_arg_1", "")),
        language=variables.get("agi_language", ""),
        caller_number=_known(variables.get("agi_callerid", "")),
        transferred=bool(variables.get("agi_arg_3", "")),
    )


@dataclass(frozen=True, slots=True)
class GreetingArrived:
    """The caller to greet, and the line."""

    line: str
    language: str
    caller_number: str


def greeting_arrived(variables: Mapping[str, str]) -> GreetingArrived:
    """agi_arg_1 is the line."""
    return GreetingArrived(
        line=one_line(variables.get("agi_arg_1", "")),
        language=variables.get("agi_language", ""),
        caller_number=_known(variables.get("agi_callerid", "")),
    )


def call_id(uniqueid: str, screening: str) -> str:
    """The uniqueid, with `-n` for the n-th screening of the same channel; a number that makes no sense is the first."""
    number = int(screening) if screening.isascii() and screening.isdigit() and len(screening) < 7 else 1
    return f"{uniqueid}-{number}" if number > 1 else uniqueid


def _known(text: str) -> str:
    return "" if text == "unknown" else one_line(text)
