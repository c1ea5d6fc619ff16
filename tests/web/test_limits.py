"""A token that is limited to queues sees what belongs to them, and nothing else."""

import pytest

from callflow.web.tokens import Role
from tests.store.samples import T0
from tests.web.conftest import Page

PERIOD = f"since_ms={T0 - 1000}&until_ms={T0 + 86_400_000}"


async def test_it_lists_the_calls_that_joined_its_queues(page: Page) -> None:
    for path in ("calls", f"calls?{PERIOD}"):
        mine = (await page.get(path, Role.VIEWER, queues=("support",))).json()["calls"]
        assert {call["call_id"] for call in mine} == {f"spoke-{n}" for n in range(4)}
        assert (await page.get(path, Role.VIEWER, queues=("sales",))).json()["calls"] == []


async def test_it_opens_those_calls_alone(page: Page) -> None:
    for queues, call, status in (
        (("support",), "spoke-0", 200),
        (("sales",), "spoke-0", 404),
        (("support",), "silent-1", 404),
    ):
        answer = await page.get(f"calls/main/{call}?unmask=true", Role.SUPERVISOR, queues=queues)
        assert answer.status_code == status
    assert [line["call"] for line in page.audited() if line["action"] == "unmask"] == ["spoke-0"]


async def test_it_exports_those_calls_alone(page: Page) -> None:
    text = (await page.get("calls/export.csv", Role.SUPERVISOR, queues=("sales",))).text
    assert len(text.splitlines()) == 1
    text = (await page.get("calls/export.csv", Role.SUPERVISOR, queues=("support",))).text
    assert len(text.splitlines()) == 5


@pytest.mark.parametrize(("queues", "answered"), [((), 1), (("support",), 1), (("sales",), 0)])
async def test_its_rings_are_those_of_its_queues_without_choosing_one(
    page: Page, queues: tuple[str, ...], answered: int
) -> None:
    answer = (await page.get(f"rings?{PERIOD}", Role.VIEWER, queues=queues)).json()
    assert sum(bar["count"] for bar in answer["bars"]) == answered
    assert answer["names"] == (["queue/support", "agent/1007"] if not queues else ["queue/support"] * answered)


async def test_screening_belongs_to_no_queue(page: Page) -> None:
    answer = await page.get(f"silence?{PERIOD}", Role.VIEWER, queues=("support",))
    assert answer.status_code == 403
