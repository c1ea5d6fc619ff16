"""Which numbers are never called."""

import pytest

from callflow.core.callbacks.numbers import EMERGENCY, UndialableNumber, dialable

PATTERN = r"\+?[0-9]{3,15}"


@pytest.mark.parametrize("number", sorted({number for numbers in EMERGENCY.values() for number in numbers}))
@pytest.mark.parametrize("prefix", ["", "+", "0", "00", "9"])
def test_emergency_numbers_are_refused_with_any_prefix(number: str, prefix: str) -> None:
    with pytest.raises(UndialableNumber):
        dialable(prefix + number, PATTERN, ())


@pytest.mark.parametrize(
    "number",
    [
        "",
        " ",
        "anonymous",
        "s",
        "1234567890123456",
        "12",
        "138\r\n5",
        "138&55501",
        "138,55501",
        "\uff11\uff13\uff18\uff15\uff15",
        "²³⁴",
    ],
)
def test_what_is_no_number_is_refused(number: str) -> None:
    with pytest.raises(UndialableNumber):
        dialable(number, PATTERN, ())


def test_a_looser_pattern_cannot_let_a_dial_string_in() -> None:
    for number in ("138@carrier", "138${X}", "138;x", "138&139", "13^8"):
        with pytest.raises(UndialableNumber):
            dialable(number, r".*", ())


def test_numbers_of_the_site_are_refused_too_and_the_rest_is_dialled_bare() -> None:
    with pytest.raises(UndialableNumber):
        dialable("400-555", PATTERN, ("400 555",))
    assert dialable("+86 (138) 5555-0100", PATTERN, ("400555",)) == "+8613855550100"
