"""Open cases over HTTP: read, opened, told and closed."""

from typing import Any

import httpx

from callflow.web.tokens import Role
from tests.store.samples import T0
from tests.web.conftest import Page


async def ask(page: Page, method: str, role: Role = Role.SUPERVISOR, **body: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {page.secret(role)}"}
    return await page.client.request(method, "/api/v1/cases", headers=headers, json=body)


async def test_a_case_from_open_to_close(page: Page) -> None:
    wanted: dict[str, Any] = {"reference": "T/1", "number": "138-5555-0100", "kind": "installation"}
    assert (await ask(page, "POST", **wanted)).status_code == 201
    assert (await ask(page, "POST", **wanted)).status_code == 409
    (case,) = (await page.get("cases", Role.VIEWER)).json()
    assert (case["news_due_ms"], case["caller"], case["overdue"]) == (T0 + 86_400_000, "•••00", False)
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
