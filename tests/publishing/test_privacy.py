"""No number of a person leaves the daemon readable, unless the site wants it."""

import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callflow.core.publishing.privacy import PrivacyRules, Pseudonymizer
from callflow.privacy import load_key
from tests.publishing import samples

PLAIN = Pseudonymizer(samples.KEY, PrivacyRules(numbers="plain"))


def test_the_same_caller_has_the_same_hash_however_the_number_is_written() -> None:
    hashed = samples.HIDDEN.caller("+15550100")
    assert hashed is not None
    assert hashed == samples.HIDDEN.caller("+1-555-0100") == samples.HIDDEN.caller("+1 (555) 0100")
    assert "555" not in hashed
    assert hashed != samples.HIDDEN.caller("+15550101")


def test_another_key_gives_another_hash() -> None:
    assert Pseudonymizer(b"another").caller("5550100") != samples.HIDDEN.caller("5550100")


def test_no_number_stays_no_number() -> None:
    assert samples.HIDDEN.caller("") is None


@pytest.mark.parametrize("name", ["support", "1001", "PJSIP/carrier", "line-2", "sales 24", "客服", ""])
def test_names_and_short_numbers_stay_readable(name: str) -> None:
    assert samples.HIDDEN.name(name) == name


@pytest.mark.parametrize("name", ["5550100", "+1 555 0100", "SIP/15550100", "Local/15550100@agents", "555-010-0"])
def test_numbers_long_enough_to_be_a_persons_are_hashed_wherever_they_stand(name: str) -> None:
    shown = samples.HIDDEN.name(name)
    assert "0100" not in shown
    assert "010-0" not in shown


def test_plain_shows_numbers_as_they_are() -> None:
    assert PLAIN.caller("+15550100") == "+15550100"
    assert PLAIN.name("SIP/15550100") == "SIP/15550100"


@given(st.text(max_size=300))
def test_whatever_comes_in_leaves_printable_and_encodable(text: str) -> None:
    shown = samples.HIDDEN.name(text)
    shown.encode("utf-8")
    assert shown.isprintable()
    assert len(shown) <= 220


def test_events_hold_neither_number_nor_name_of_a_person() -> None:
    for record in (samples.call(), samples.stay(), samples.offer(), samples.leg()):
        envelope = samples.MAKER.event_of(record)
        assert envelope is not None
        body = envelope.body()
        for secret in ("5550100", "555-0100", "Alice", "alice"):
            assert secret not in body


def test_plain_events_hold_the_number_and_the_name() -> None:
    envelope = replace(samples.MAKER, pseudonymizer=PLAIN).event_of(samples.stay())
    assert envelope is not None
    data = json.loads(envelope.body())["data"]
    assert (data["caller"], data["caller_name"]) == ("+15550100", "Alice")


# -- the key ----------------------------------------------------------------------------------------------------------


def test_the_key_is_made_once_and_closed_to_others(tmp_path: Path) -> None:
    path = tmp_path / "privacy.key"
    key = load_key(path)
    assert len(key) == 32
    assert load_key(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_key_too_short_to_hide_anything_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "privacy.key"
    path.write_text("abcd\n")
    with pytest.raises(ValueError, match="16 bytes"):
        load_key(path)
