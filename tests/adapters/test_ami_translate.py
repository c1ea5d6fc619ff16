"""AMI events to the core's facts."""

import pytest

from callflow.adapters.ami.options import AmiOptions
from callflow.adapters.ami.translate import WANTED, check_outcome, has_audio_socket, may_go_deaf, stamped_ms, translate
from callflow.core import events
from callflow.errors import SettingError

STAMP = {"Timestamp": "1700000000.123456", "Uniqueid": "1.1"}
AT = 1700000000123


def test_each_event_has_its_fact() -> None:
    assert translate({"Event": "ChannelTalkingStart", **STAMP}, 5) == events.SoundStarted("1.1", AT)
    assert translate({"Event": "ChannelTalkingStop", "Duration": "29", **STAMP}, 5) == events.SoundEnded("1.1", AT, 29)
    key = {"Event": "DTMFBegin", "Digit": "#", **STAMP}
    assert translate({**key, "Direction": "Received"}, 5) == events.KeyPressed("1.1", "#", AT)
    assert translate({**key, "Direction": "Sent"}, 5) is None
    end = {**key, "Event": "DTMFEnd", "Direction": "Received"}
    assert translate(end, 5) == events.KeyPressed("1.1", "#", AT, released=True)
    for name in ("Hangup", "HangupRequest", "SoftHangupRequest"):
        assert translate({"Event": name, **STAMP}, 5) == events.CallerHungUp("1.1", AT)


@pytest.mark.parametrize("duration", ["-31", "", "abc", "1e3", "99999999999", "9" * 5000, "²"])
def test_an_absurd_duration_is_unknown(duration: str) -> None:
    event = {"Event": "ChannelTalkingStop", "Duration": duration, **STAMP}
    assert translate(event, 5) == events.SoundEnded("1.1", AT, None)


def test_a_missing_duration_is_unknown() -> None:
    assert translate({"Event": "ChannelTalkingStop", **STAMP}, 5) == events.SoundEnded("1.1", AT, None)


@pytest.mark.parametrize("stamp", ["", "soon", "nan", "inf", "-1", "1e999"])
def test_without_a_usable_stamp_the_arrival_counts(stamp: str) -> None:
    event = {"Event": "Hangup", "Uniqueid": "1.1", "Timestamp": stamp}
    assert stamped_ms(event) is None
    assert translate(event, 5) == events.CallerHungUp("1.1", 5)
    del event["Timestamp"]
    assert translate(event, 5) == events.CallerHungUp("1.1", 5)


@pytest.mark.parametrize(
    "event", [{}, {"Event": "Newexten", **STAMP}, {"Event": "Hangup"}, {"Event": "Hangup", "Uniqueid": ""}]
)
def test_what_means_nothing_is_nothing(event: dict[str, str]) -> None:
    assert translate(event, 5) is None


def test_the_gate_lets_in_what_is_translated() -> None:
    assert {b"ChannelTalkingStart", b"ChannelTalkingStop", b"DTMFBegin", b"Hangup", b"UserEvent"} <= WANTED


def test_outcome_of_a_self_test_call() -> None:
    event = {"Event": "UserEvent", "UserEvent": "CallflowCheck", "Id": "7", "Agi": "SUCCESS", "Result": "key"}
    assert check_outcome(event) == ("7", "SUCCESS", "key")
    assert check_outcome({"Event": "UserEvent", "UserEvent": "Other"}) is None
    assert translate(event, 5) is None


def test_a_certificate_that_cannot_be_read_is_a_setting_error() -> None:
    assert AmiOptions().tls_context() is None
    with pytest.raises(SettingError) as caught:
        AmiOptions(tls=True, tls_ca_file="/nowhere/ca.pem").tls_context()
    assert caught.value.setting == "[ami] tls_ca_file"


@pytest.mark.parametrize(
    ("version", "may"), [("5.0.4", False), ("4.0.3", False), ("6.0.0", True), ("11.0.0", True), ("", True), ("x", True)]
)
def test_a_release_that_was_not_measured_may_go_deaf(version: str, may: bool) -> None:
    assert may_go_deaf(version) is may


@pytest.mark.parametrize(
    ("version", "has"), [("5.0.4", False), ("6.0.0", False), ("7.0.3", True), ("11.0.0", True), ("", True), ("x", True)]
)
def test_audio_socket_came_with_asterisk_18(version: str, has: bool) -> None:
    assert has_audio_socket(version) is has
