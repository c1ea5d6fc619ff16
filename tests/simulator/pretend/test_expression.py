"""$[...] and ${...} of the pretend dialplan."""

import pytest

from callflow.simulator.pretend.program.expression import ExpressionInvalid, evaluate, is_true
from callflow.simulator.pretend.program.substitution import arguments, substituted

VALUES = {"NAME": "abcdef", "EMPTY": "", "ONE": "1", "WHICH": "NAME"}


def value(text: str) -> str:
    return substituted(text, lambda name: VALUES.get(name, f"<{name}>" if "(" in name else ""))


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ('"" != ""', False), ('"a" != ""', True), ('"1" = "1"', True), ("1=1", True), ("2 > 10", False),
        ('"b" > "a"', True), ("1 & 0", False), ("0 | 1", True), ('"x" = "x" & "y" != "z"', True), ("!1", False),
        ("2 + 3 * 4 = 14", True), ("(2 + 3) * 4 = 20", True), ("7 >= 7", True), ("7 <= 6", False), ("", False),
        ('"silent" = "silent" | "silent" = "quiet"', True), ("-1 < 0", True), ("10 / 4 = 2.5", True),
    ],
)  # fmt: skip
def test_an_expression_is_true_or_not(text: str, result: bool) -> None:
    assert is_true(evaluate(text)) is result


@pytest.mark.parametrize("text", ["(1", "1 / 0", "1)", '"a" "b"'])
def test_an_expression_that_means_nothing_is_refused(text: str) -> None:
    with pytest.raises(ExpressionInvalid):
        evaluate(text)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("${NAME}", "abcdef"), ("${NAME:2}", "cdef"), ("${NAME:1:3}", "bcd"), ("${NAME:0:-2}", "abcd"),
        ("${NAME:-2}", "ef"), ("${${WHICH}}", "abcdef"), ("$[0${ONE} + 1]", "2"), ("$[0${EMPTY} + 1]", "1"),
        ("${CUT(EXTEN,_,2)}", "<CUT(EXTEN,_,2)>"), ("a${EMPTY}b", "ab"), ("100$", "100$"),
    ],
)  # fmt: skip
def test_values_stand_in_for_names(text: str, result: str) -> None:
    assert value(text) == result


@pytest.mark.parametrize(
    ("data", "parts"),
    [
        ("q,c,,,60", ["q", "c", "", "", "60"]),
        ("q,b(ctx^s^1(a,b)),x", ["q", "b(ctx^s^1(a,b))", "x"]),
        ('E,"a, b",c', ["E", '"a, b"', "c"]),
    ],
)
def test_a_comma_in_parentheses_or_quotes_parts_nothing(data: str, parts: list[str]) -> None:
    assert arguments(data) == parts
