"""Open cases over HTTP: read, opened, told and closed; who may do so."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from callflow.adapters.store.case_list import CaseList
from callflow.core.cases import HOUR_MS, CaseKind, new_case
from callflow.web.app import make_app
from callflow.web.options import WebOptions
from callflow.web.server import site_for
from callflow.web.static_files import StaticFiles
from callflow.web.tokens import Role
from tests.store.command_line import callflow
from tests.store.samples import T0
from tests.web.conftest import Page


def fill(database: Path) -> CaseList:
    """Two open cases: one whose news is late, one told an hour ago."""
    made = CaseList(database, "main")
    late = new_case("T/1", "13855550100", CaseKind.INSTALLATION, "default", "UTC", T0 - 30 * HOUR_MS, "Mary", 24)
    told = new_case("T-2", "13855550102", CaseKind.GENERAL, "default", "UTC", T0 - 20 * HOUR_MS, "Mary", 24)
    made.add(late, told)
    made.change("T-2", lambda now: now.told(T0 - HOUR_MS, "Mary", "the part comes on Friday", T0 + 23 * HOUR_MS))
    return made


async def ask(page: Page, method: str, role: Role = Role.SUPERVISOR, **body: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {page.secret(role)}"}
    return await page.client.request(method, "/api/v1/cases", headers=headers, json=body)


async def test_a_case_from_open_to_close(page: Page) -> None:
    wanted: dict[str, Any] = {"reference": "T/1", "number": "138-5555-0100", "kind": "installation"}
    assert (await ask(page, "POST", **wanted)).status_code == 201
    assert (await ask(page, "POST", **wanted)).status_code == 409
    (case,) = (await page.get("cases", Role.VIEWER)).json()
    assert (case["news_due_ms"], case["number"], case["overdue"]) == (T0 + 86_400_000, "•••00", False)
    news = await ask(page, "PUT", reference="T/1", step="news", news="on Friday")
    assert news.json()["news"] == "on Friday"
    assert (await ask(page, "PUT", reference="T/1", step="close")).status_code == 200
    assert (await ask(page, "PUT", reference="T/1", step="news")).status_code == 409
    assert (await page.get("cases")).json() == []
    assert [entry["action"] for entry in page.audited()] == ["open case", "case news", "case close"]


async def test_what_is_refused(page: Page) -> None:
    assert (await ask(page, "POST", Role.VIEWER, reference="T-1")).status_code == 403
    for number in ("110", "+911", "x"):
        assert (await ask(page, "POST", reference="T-1", number=number)).status_code == 409
    assert (await ask(page, "PUT", reference="nowhere", step="news")).status_code == 404
    assert (await page.get("cases", Role.AGENT, agent="8012")).status_code == 403


async def opened(page: Page, reference: str = "T/1", **more: Any) -> None:
    assert (await ask(page, "POST", reference=reference, number="13855550100", **more)).status_code == 201


async def test_one_case_tells_who_said_what_and_when(page: Page) -> None:
    await opened(page)
    await ask(page, "PUT", reference="T/1", step="news", news="on Friday")
    shown = (await page.get("cases/one?reference=T/1")).json()
    assert [(one["step"], one["actor"], one["news"]) for one in shown["changes"]] == [
        ("opened", "a supervisor", ""),
        ("news", "a supervisor", "on Friday"),
    ]
    assert (shown["may"], shown["may_unmask"], shown["number"]) == (["news", "close"], True, "•••00")
    seen = (await page.get("cases/one?reference=T/1", Role.VIEWER)).json()
    assert (seen["may"], seen["may_unmask"]) == ([], False)
    await ask(page, "PUT", reference="T/1", step="close", news="works again")
    closed = (await page.get("cases/one?reference=T/1")).json()
    assert (closed["may"], closed["news"], closed["closed_ms"]) == ([], "works again", T0)
    assert (await page.get("cases/one?reference=nowhere")).status_code == 404


async def test_a_number_is_shown_to_supervisors_and_that_is_written_down(page: Page) -> None:
    await opened(page)
    asked = "cases/one?reference=T/1&unmask=true"
    assert (await page.get(asked, Role.VIEWER)).status_code == 403
    assert (await page.get(asked)).json()["number"] == "13855550100"
    assert [line["case"] for line in page.audited() if line["action"] == "unmask"] == ["T/1"]


async def test_what_is_due_first_comes_first_and_late_news_is_overdue(page: Page) -> None:
    for hours, reference in ((0, "second"), (-1, "first"), (1, "third")):
        page.floor.now_ms = T0 + 3_600_000 * hours
        await opened(page, reference)
    page.floor.now_ms = T0 + 86_400_000
    rows = [(row["reference"], row["overdue"]) for row in (await page.get("cases")).json()]
    assert rows == [("first", True), ("second", True), ("third", False)]


async def test_the_fields_are_those_of_the_command_line(page: Page) -> None:
    await opened(page, kind="installation")
    (row,) = (await page.get("cases")).json()
    (listed,) = json.loads(callflow(page.folder, "cases", "list", "--json"))["cases"]
    assert (row.pop("number"), row.pop("overdue")) == ("•••00", False)
    assert row.items() <= listed.items()


@pytest.mark.parametrize("path", ["cases", "cases/one?reference=T/1"])
async def test_a_token_limited_to_queues_sees_no_case(page: Page, path: str) -> None:
    await opened(page)
    assert (await page.get(path, Role.ADMIN, queues=("support",))).status_code == 403


async def test_a_session_changes_no_case_without_the_page_s_header(page: Page) -> None:
    await opened(page)
    await page.client.post("/api/v1/session", json={"token": page.secret()})
    for method, body in (("POST", {"reference": "T/2"}), ("PUT", {"reference": "T/1", "step": "close"})):
        assert (await page.client.request(method, "/api/v1/cases", json=body)).status_code == 403
    assert [row["reference"] for row in (await page.get("cases")).json()] == ["T/1"]


async def test_a_page_alone_on_a_database_changes_no_case(page: Page, files: StaticFiles) -> None:
    await opened(page)
    site = site_for(WebOptions(), page.folder / "callflow.db", lambda: T0, None)
    transport = httpx.ASGITransport(make_app(site, files))
    headers = {"Authorization": f"Bearer {page.secret()}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://page/api/v1/", headers=headers) as client:
        shown = (await client.get("cases/one?reference=T/1")).json()
        assert (shown["reference"], shown["may"]) == ("T/1", [])
        assert (await client.put("cases", json={"reference": "T/1", "step": "close"})).status_code == 403
        assert (await client.post("cases", json={"reference": "T/2"})).status_code == 403
    site.database.close()
