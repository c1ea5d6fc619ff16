"""Ratings and standards over the API: the same fields and figures as on the command line."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from callflow.adapters.store.store import Store
from callflow.core.rating.record import Ending, NotAsked, Rating
from callflow.web.tokens import Role
from tests.store.command_line import callflow
from tests.store.samples import T0
from tests.web.conftest import Page

DAY_MS = 86_400_000
PERIOD = f"since_ms={T0 - DAY_MS}&until_ms={T0 + 3 * DAY_MS}"
STANDARDS = """
[[standard]]
name = "Helped quickly"
measure = "efficiency"
adequate = 4
desired = 4.5
min_cases = 2
owner = "head of service"

[[standard]]
name = "Support answers in time"
measure = "service_level"
adequate = 80
desired = 90
queues = ["support"]
owner = "head of service"
"""


def rating(number: int, *scores: int | None, agent: str = "1007", queue: str = "support", day: int = 0) -> Rating:
    efficiency, attitude, correctness = scores
    at_ms = T0 + day * DAY_MS + number
    return Rating(
        rating_id=f"r-{number}",
        call_id=f"c-{number}",
        profile="support",
        queue=queue,
        line="",
        agent=agent,
        caller="h1",
        language="en",
        talk_began_ms=at_ms - 1000,
        came_ms=at_ms,
        ended_ms=at_ms + 9000,
        not_asked=None,
        ending=Ending.COMPLETED,
        efficiency=efficiency,
        attitude=attitude,
        correctness=correctness,
    )


def fill(folder: Path) -> None:
    """Five calls rated, one of them without an answer, one caller who was not asked; and a file of standards."""
    (folder / "standards.toml").write_text(STANDARDS)
    with Store(folder / "callflow.db", "main") as store:
        for one in (
            rating(1, 5, 4, 5),
            rating(2, 4, None, 3, day=1),
            rating(3, None, None, None),
            rating(4, 2, 2, 2, agent="1008", queue="sales"),
            rating(5, 3, 3, 3, agent="1008", queue="sales", day=1),
            replace(rating(6, None, None, None), not_asked=NotAsked.SHARE, ending=None),
        ):
            store.save(one, final=True)


@pytest.fixture
def rated(page: Page) -> Path:
    fill(page.folder)
    return page.folder


def rounded(row: dict[str, Any]) -> dict[str, Any]:
    return {name: round(value, 3) if isinstance(value, float) else value for name, value in row.items()}


async def test_ratings_are_those_of_the_report(page: Page, rated: Path) -> None:
    shown = (await page.get(f"ratings?{PERIOD}&by=agent")).json()
    period = ("--from", "2026-01-30", "--to", "2026-02-03", "--zone", "UTC")
    printed = json.loads(callflow(rated, "report", *period, "--by", "agent", "--json"))
    there = {row["agent"]: rounded(row) for row in printed["rows"]}
    assert {row["name"] for row in shown["rows"]} == {"1007", "1008"}
    for row in shown["rows"]:
        assert rounded(row).items() - {("name", row["name"])} <= there[row["name"]].items()
    assert shown["not_asked"] == {"share": 1}


async def test_a_question_without_an_answer_counts_in_no_mean(page: Page, rated: Path) -> None:
    rows = {row["name"]: row for row in (await page.get(f"ratings?{PERIOD}&by=queue")).json()["rows"]}
    support = rows["support"]
    assert (support["rating_asked"], support["rating_answered"]) == (3, 2)
    assert (support["mean_efficiency"], support["n_efficiency"]) == (4.5, 2)
    assert (support["mean_attitude"], support["n_attitude"]) == (4.0, 1)


async def test_ratings_by_day(page: Page, rated: Path) -> None:
    days = (await page.get(f"ratings?{PERIOD}&queue=support&offset_min=480")).json()["days"]
    assert [(day["rating_answered"], day["mean_efficiency"]) for day in days] == [(1, 5.0), (1, 4.0)]
    assert days[1]["day_ms"] - days[0]["day_ms"] == DAY_MS


async def test_an_agent_sees_their_own_ratings(page: Page, rated: Path) -> None:
    for path in (f"ratings?{PERIOD}", f"ratings?{PERIOD}&by=queue"):
        shown = (await page.get(path, Role.AGENT, agent="1008")).json()
        assert [(row["name"], row["mean_efficiency"]) for row in shown["rows"]] == [("1008", 2.5)]
        assert shown["total"]["rating_answered"] == 2


async def test_a_token_limited_to_queues_sees_their_ratings_and_standards(page: Page, rated: Path) -> None:
    shown = (await page.get(f"ratings?{PERIOD}&by=queue", Role.VIEWER, queues=("sales",))).json()
    assert [row["name"] for row in shown["rows"]] == ["sales"]
    refused = await page.get(f"ratings?{PERIOD}&queue=support", Role.VIEWER, queues=("sales",))
    assert refused.status_code == 403
    for queue, names in (("support", ["Support answers in time"]), ("sales", [])):
        rows = (await page.get(f"standards?{PERIOD}", Role.VIEWER, queues=(queue,))).json()["rows"]
        assert [row["standard"] for row in rows] == names


async def test_standards_are_those_of_the_command_line(page: Page, rated: Path) -> None:
    page.floor.now_ms = T0 + 3 * DAY_MS
    midnight_ms = T0 // DAY_MS * DAY_MS
    period = f"since_ms={midnight_ms}&until_ms={midnight_ms + 2 * DAY_MS}"
    shown = (await page.get(f"standards?{period}")).json()["rows"]
    dates = ("--from", "2026-01-31", "--to", "2026-02-01", "--zone", "UTC")
    printed = json.loads(callflow(rated, "standards", *dates, "--file", str(rated / "standards.toml"), "--json"))
    assert [rounded(row) for row in shown] == [rounded(row) for row in printed["rows"]]
    helped = shown[0]
    assert (helped["perceived"], helped["cases"], helped["judgement"]) == (3.5, 4, "red")
    assert (helped["msa"], helped["mss"]) == (-0.5, -1.0)


async def test_a_faulty_file_of_standards_is_a_sentence_that_names_the_line(page: Page) -> None:
    (page.folder / "standards.toml").write_text(STANDARDS.replace('"efficiency"', '"speed"'))
    answer = await page.get(f"standards?{PERIOD}")
    assert answer.status_code == 503
    assert "line 4" in answer.json()["problem"]


async def test_an_agent_sees_no_standards(page: Page, rated: Path) -> None:
    assert (await page.get(f"standards?{PERIOD}", Role.AGENT, agent="1008")).status_code == 403
