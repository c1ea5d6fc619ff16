"""The prompts of one greeting, in the order in which they are said."""

from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

from callflow.core.greetings.calendar import festival_of
from callflow.core.greetings.rules import GreetedLine, GreetingRules


@dataclass(frozen=True, slots=True)
class Acquaintance:
    """The result of a look-up; `prompt` is a recording for this caller."""

    known: bool = False
    prompt: str = ""


def greeting(rules: GreetingRules, line: str, at_ms: int, caller: Acquaintance) -> tuple[str, ...]:
    """Prompts for a caller of this line at a moment (epoch ms): time of day, festival, acquaintance, line."""
    now = datetime.fromtimestamp(at_ms / 1000, ZoneInfo(rules.zone))
    said = (
        _time_of_day(rules, now.time()),
        festival_of(now.date(), rules.calendar()),
        caller.prompt or ("welcome_back" if caller.known else ""),
        *_line(rules.line(line)),
    )
    return tuple(prompt for prompt in said if prompt)


def _time_of_day(rules: GreetingRules, now: time) -> str:
    if rules.morning_from <= now < rules.afternoon_from:
        return "good_morning"
    return "good_afternoon" if rules.afternoon_from <= now < rules.evening_from else "good_evening"


def _line(line: GreetedLine) -> tuple[str, ...]:
    if line.prompt:
        return (line.prompt,)
    if line.kind == "direct":
        return ("work_number", *(f"digit_{digit}" for digit in line.work_number), "how_can_i_help")
    return (f"welcome_{line.kind}",)
