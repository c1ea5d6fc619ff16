"""What a caller is greeted with."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from callflow.core.greetings.greeting import Acquaintance, greeting
from callflow.core.greetings.rules import GreetedLine, GreetingRules
from callflow.installed import SOUNDS

SHANGHAI = ZoneInfo("Asia/Shanghai")
STRANGER = Acquaintance()


def at(text: str) -> int:
    """Epoch ms of a time in Shanghai."""
    return round(datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).timestamp() * 1000)


def rules(**more: Any) -> GreetingRules:
    return GreetingRules.model_validate({"zone": "Asia/Shanghai"} | more)


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ("2026-05-11T04:59:59", "good_evening"),
        ("2026-05-11T05:00", "good_morning"),
        ("2026-05-11T12:00", "good_afternoon"),
        ("2026-05-11T18:00", "good_evening"),
        ("2026-05-11T23:59", "good_evening"),
    ],
)
def test_the_time_of_day_is_that_of_the_zone(when: str, said: str) -> None:
    assert greeting(rules(), "", at(when), STRANGER) == (said, "welcome_company")


def test_a_festival_is_that_of_the_zone_too() -> None:
    eve = at("2026-02-17T00:30")  # still the 16th in UTC
    assert greeting(rules(), "", eve, STRANGER)[1] == "spring_festival"
    assert "spring_festival" not in greeting(rules(zone="UTC"), "", eve, STRANGER)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({}, ("welcome_company",)),
        ({"kind": "department"}, ("welcome_department",)),
        ({"kind": "direct", "work_number": "801"},
         ("work_number", "digit_8", "digit_0", "digit_1", "how_can_i_help")),
        ({"kind": "direct", "prompt": "our_own"}, ("our_own",)),
    ],
)  # fmt: skip
def test_each_line_has_its_own_greeting(line: dict[str, str], said: tuple[str, ...]) -> None:
    found = greeting(rules(lines={"sales": line}), "sales", at("2026-05-11T09:00"), STRANGER)
    assert found == ("good_morning", *said)


@pytest.mark.parametrize(
    ("caller", "said"),
    [(Acquaintance(True), "welcome_back"), (Acquaintance(True, "dear_friend"), "dear_friend")],
)
def test_a_known_caller_is_greeted_as_one(caller: Acquaintance, said: str) -> None:
    assert greeting(rules(), "", at("2026-05-11T09:00"), caller) == ("good_morning", said, "welcome_company")


def test_every_prompt_that_can_be_said_is_shipped() -> None:
    lines = [GreetedLine(kind="department"), GreetedLine()]
    lines += [GreetedLine(kind="direct", work_number=digits) for digits in ("01234", "56789")]
    moments = ["2026-05-11T09:00", "2026-05-11T13:00", "2026-05-11T20:00", "2026-01-01T09:00", "2026-02-17T09:00"]
    moments += ["2026-03-03T09:00", "2026-06-19T09:00", "2026-09-25T09:00", "2026-10-01T09:00"]
    said = {
        prompt
        for line in lines
        for moment in moments
        for prompt in greeting(rules(lines={"x": line}), "x", at(moment), Acquaintance(True))
    }
    missing = [f"{code}/{one}" for code in ("en", "zh") for one in said
               if not (SOUNDS / code / "callflow" / f"{one}.wav").is_file()]  # fmt: skip
    assert missing == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"zone": "Mars/Base"},
        {"festivals": ["x 02-31"]},
        {"morning_from": "13:00"},
        {"lookup_ms": 301},
        {"lookup_url": "ftp://x/{number}"},
        {"lookup_url": "http://x/{number}", "lookup_command": ["x"]},
        {"lines": {"a": {"kind": "direct"}}},
    ],
)
def test_settings_that_cannot_be_meant_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        GreetingRules.model_validate(wrong)
