"""Messages that Asterisk tore into one another: the first values count, and nobody's speech or hang-up is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callflow.adapters.ami.framing import parse
from callflow.adapters.ami.translate import translate
from callflow.core import events
from tests.adapters.test_ami_framing import protocol

TORN = (
    b"Event: ChannelTalkingStart\r\nPrivilege: call,all\r\nTimestamp: 1795000000.100000\r\n"
    b"Channel: PJSIP/trunk-00000001\r\nChannelStateDesc: Up\r\nCallerIDNum: 5550100\r\nUniqueid: 1795000000.1\r\n"
    b"Linkedid: 1795000000.1\r\name: CID:5550100\r\nContext: macro\r\nUniqueid: 1795000000.7\r\n"
    b"Variable: BRIDGEPEER\r\nValue: x"
)
"""Seen by others (PAMI, pull request 119): the end of a VarSet stands in another channel's event."""

FIRST = [
    (name, more)
    for name, more in (
        ("ChannelTalkingStart", ""),
        ("ChannelTalkingStop", "Duration: 740\r\n"),
        ("DTMFEnd", "Digit: 5\r\nDirection: Received\r\n"),
        ("HangupRequest", "Cause: 16\r\n"),
        ("Hangup", "Cause: 16\r\n"),
    )
]
SECOND = (
    "Event: DTMFEnd\r\nTimestamp: 1795000009.900000\r\nChannel: PJSIP/trunk-00000007\r\nUniqueid: 1795000000.7\r\n"
    "Linkedid: 1795000000.7\r\nDuration: 9\r\nDigit: 7\r\nDirection: Sent"
)


def test_the_first_of_two_uniqueids_counts() -> None:
    assert translate(parse(TORN), 5) == events.SoundStarted("1795000000.1", 1795000000100)


@pytest.mark.parametrize(("name", "more"), FIRST)
@given(cut=st.integers(0, len(SECOND)), behind=st.sampled_from(["", "Linkedid: 1795000000.1\r\n"]))
def test_a_message_means_the_same_with_the_end_of_another_in_it(name: str, more: str, cut: int, behind: str) -> None:
    whole = (
        f"Event: {name}\r\nTimestamp: 1795000000.100000\r\nChannel: PJSIP/trunk-00000001\r\n{more}"
        f"Uniqueid: 1795000000.1\r\n{behind}"
    )
    expected = translate(parse(whole.encode()), 5)
    assert expected is not None
    assert translate(parse((whole + SECOND[cut:]).encode()), 5) == expected


def test_a_torn_message_is_handed_on_and_counted() -> None:
    made, owner, _ = protocol()
    made.data_received(TORN + b"\r\n\r\n")
    assert [translate(event, 5) for event in owner.events] == [events.SoundStarted("1795000000.1", 1795000000100)]
    assert owner.counts["torn_messages"] == 1
