"""What Asterisk says about a caller, as the core's event."""

import pytest

from callflow.adapters.agi.arrival import call_arrived, call_id, parse_variables
from callflow.core.events import CallArrived
from tests.adapters.agi_peer import VARIABLES, header


def test_a_caller() -> None:
    variables = parse_variables(header(agi_callerid="100", agi_dnid="200"))
    assert call_arrived(variables, 7) == CallArrived(
        call_id="1700000000.1",
        uniqueid="1700000000.1",
        channel="PJSIP/caller-00000001",
        profile="sales",
        at_ms=7,
        language="zh",
        caller_number="100",
        caller_name="王小姐",
        dialled="200",
        check="",
    )


def test_what_is_unknown_is_empty() -> None:
    arrived = call_arrived(VARIABLES | {"agi_calleridname": "unknown"}, 7)
    assert (arrived.caller_number, arrived.caller_name, arrived.dialled) == ("", "", "")


def test_a_self_test_call() -> None:
    assert call_arrived(VARIABLES | {"agi_arg_3": "17-1"}, 7).check == "17-1"


def test_a_bare_request_is_no_fault() -> None:
    assert call_arrived({}, 7) == CallArrived("", "", "", "", 7)


@pytest.mark.parametrize(
    ("screening", "expected"),
    [
        ("1", "9.1"),
        ("2", "9.1-2"),
        ("12", "9.1-12"),
        ("", "9.1"),
        ("0", "9.1"),
        ("-2", "9.1"),
        ("x", "9.1"),
        ("²", "9.1"),
    ],
)
def test_each_screening_of_a_channel_is_a_call(screening: str, expected: str) -> None:
    assert call_id("9.1", screening) == expected
