"""What Asterisk says about a caller when it hands them over: pure functions."""

from collections.abc import Mapping

from callflow.core.events import CallArrived


def parse_variables(raw: bytes) -> dict[str, str]:
    """The `name: value` lines of a FastAGI request; bytes that are not UTF-8 become U+FFFD."""
    lines = (line.partition(":") for line in raw.decode("utf-8", "replace").split("\n"))
    return {name.strip(): value.strip() for name, colon, value in lines if colon}


def call_arrived(variables: Mapping[str, str], at_ms: int) -> CallArrived:
    """The core's event; agi_arg_1 is the profile, agi_arg_2 the screening's number, agi_arg_3 the self-test's id."""
    uniqueid = variables.get("agi_uniqueid", "")
    return CallArrived(
        call_id=call_id(uniqueid, variables.get("agi_arg_2", "")),
        uniqueid=uniqueid,
        channel=variables.get("agi_channel", ""),
        profile=variables.get("agi_arg_1", ""),
        at_ms=at_ms,
        language=variables.get("agi_language", ""),
        caller_number=_known(variables.get("agi_callerid", "")),
        caller_name=_known(variables.get("agi_calleridname", "")),
        dialled=_known(variables.get("agi_dnid", "")),
        check=variables.get("agi_arg_3", ""),
    )


def call_id(uniqueid: str, screening: str) -> str:
    """The uniqueid, with `-n` for the n-th screening of the same channel; a number that makes no sense is the first."""
    number = int(screening) if screening.isascii() and screening.isdigit() and len(screening) < 7 else 1
    return f"{uniqueid}-{number}" if number > 1 else uniqueid


def _known(text: str) -> str:
    return "" if text == "unknown" else text
