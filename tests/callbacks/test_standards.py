"""Call-backs in service standards: the share reached and the time to reach are those of the call-backs' own report."""

from datetime import date
from pathlib import Path

import pytest

from callflow.adapters.store.callback_list import CallbackList
from callflow.adapters.store.callback_queries import CallbackQueries
from callflow.adapters.store.queries import Reader
from callflow.adapters.store.standing import standing
from callflow.commands.callbacks_report import figures_of
from callflow.core.callbacks.entry import Reason
from callflow.core.callbacks.raising import Wanted
from callflow.core.callbacks.rules import CallbackProfile, CallbackRules
from callflow.core.callbacks.states import Step
from callflow.core.service.standards import Light, Standard, Trend
from callflow.core.service.targets import QueueTarget, Targets
from tests.conftest import At

T0 = 1_769_817_600_000
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
RULES = CallbackRules(profiles={"default": CallbackProfile(zone="UTC", hours=("mon-sun 00:00-24:00",))})
TARGETS = Targets(queues={"default": QueueTarget()})


def standard(measure: str, adequate: float, desired: float, *queues: str, **changes: object) -> Standard:
    values = {"name": measure, "measure": measure, "adequate": adequate, "desired": desired, "owner": "Ada"}
    return Standard.model_validate(values | {"reviewed": date(2026, 1, 1), "queues": queues, "min_cases": 3} | changes)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Raised in the hour: three reached after 10, 20 and 60 minutes, one given up, one open; and one an hour before."""
    path = tmp_path / "callflow.db"
    entries = CallbackList(path, "main")
    entries.prepare()
    for number, (step, after_min, queue) in enumerate(
        [(Step.DONE, 10, "sales"), (Step.DONE, 20, ""), (Step.ANSWER, 60, ""), (Step.GIVE_UP, 90, ""), (None, 0, "")]
    ):
        wanted = Wanted(f"1385555010{number}", "default", Reason.SILENT, T0 + number, "because", queue=queue)
        entry, _ = entries.add(wanted, RULES, T0 + number)
        if step is not None:
            at_ms, taken = T0 + number + 60_000 * after_min, step
            entries.change(entry.callback_id, lambda now, taken=taken, at_ms=at_ms: now.step(taken, at_ms, "8012", "x"))  # type: ignore[misc]
    before, _ = entries.add(Wanted("13855550109", "default", Reason.SILENT, T0 - HOUR_MS, "because"), RULES, T0)
    entries.change(before.callback_id, lambda now: now.step(Step.GIVE_UP, T0, "8012", "x"))
    return path


def test_the_measures_are_those_of_the_report(database: Path, at: At) -> None:
    reached, time, sales = (
        standard("callbacks_reached", 70, 90),
        standard("time_to_reach", 3600, 900),
        standard("callbacks_reached", 70, 90, "sales"),
    )
    with Reader(at(database)) as reader:
        found = standing(reader, (reached, time, sales), TARGETS, T0, T0 + HOUR_MS, T0 + DAY_MS).judged
        figures = figures_of(CallbackQueries(reader.rows), T0, T0 + HOUR_MS)["all"]
    assert (figures["reached"], figures["given_up"], figures["open"]) == (3, 1, 1)
    assert (found[0].perceived, found[0].cases, found[0].light) == (75.0, 4, Light.YELLOW)
    assert (found[1].perceived, found[1].cases, found[1].light) == (1800.0, 3, Light.YELLOW)
    assert (found[2].cases, found[2].light) == (1, Light.NONE)
    assert found[0].trend is Trend.UNKNOWN, "one case before is too few"


def test_a_call_back_has_no_agent(database: Path) -> None:
    of_agent = standard("callbacks_reached", 70, 90, agents=("8012",))
    with Reader(database) as reader:
        (judged,) = standing(reader, (of_agent,), TARGETS, T0, T0 + HOUR_MS, T0 + DAY_MS).judged
    assert (judged.perceived, judged.cases) == (None, 0)
