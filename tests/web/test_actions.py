"""What agents ask for over HTTP: who may, and how each answer looks."""

from dataclasses import dataclass, field

import httpx
import pytest

from callflow.core.assist.actions import WORDS, ActionAnswer, Door, Refusal
from callflow.web.app import make_app
from callflow.web.options import WebOptions
from callflow.web.server import site_for
from callflow.web.static_files import StaticFiles
from callflow.web.tokens import Role
from tests.web.conftest import Page


@dataclass
class Floor:
    """Answers every request alike."""

    refusal: Refusal | None = None
    asked: list[tuple[str, str, str, tuple[str, ...]]] = field(default_factory=list)

    async def act(
        self, action: str, door: Door, agent: str, call_id: str = "", queues: tuple[str, ...] = ()
    ) -> ActionAnswer:
        assert door is Door.HTTP
        self.asked.append((action, agent, call_id, queues))
        return ActionAnswer("r", action, self.refusal, WORDS[self.refusal] if self.refusal else "")


@pytest.fixture
def floor() -> Floor:
    return Floor()


@pytest.fixture
def page(page: Page, floor: Floor, files: StaticFiles) -> Page:
    database = page.folder / "callflow.db"
    site = site_for(WebOptions(), database, lambda: page.floor.now_ms, None, agent_actions=lambda: floor)
    page.tokens = site.tokens
    page.client = httpx.AsyncClient(transport=httpx.ASGITransport(make_app(site, files)), base_url="http://page")
    return page


async def ask(page: Page, role: Role, asked: object = None, **limits: object) -> httpx.Response:
    """Ask for an action of agent 8001."""
    headers = {"Authorization": f"Bearer {page.secret(role, **limits)}"}
    body = {"action": "repeat"} if asked is None else asked
    return await page.client.post("/api/v1/agents/8001/actions", json=body, headers=headers)


async def test_an_agent_asks_in_the_own_name_alone(page: Page, floor: Floor) -> None:
    asked = {"action": "close:order", "call_id": "c.1"}
    assert (await ask(page, Role.AGENT, asked, agent="8002")).status_code == 403
    assert floor.asked == []
    answer = await ask(page, Role.AGENT, asked, agent="8001")
    assert answer.status_code == 200
    assert answer.json() == {"action": "close:order", "done": True, "refused": None, "why": ""}
    assert floor.asked == [("close:order", "8001", "c.1", ())]
    (noted,) = page.audited()
    assert (noted["agent"], noted["asked"]) == ("8001", "close:order")


@pytest.mark.parametrize(("role", "status"), [(Role.VIEWER, 403), (Role.SUPERVISOR, 200), (Role.ADMIN, 200)])
async def test_a_supervisor_asks_for_any_agent(page: Page, floor: Floor, role: Role, status: int) -> None:
    assert (await ask(page, role, queues=("support",))).status_code == status
    assert [queues for *_, queues in floor.asked] == ([("support",)] if status == 200 else [])


@pytest.mark.parametrize("refusal", Refusal)
async def test_every_refusal_has_a_status_and_a_sentence(page: Page, floor: Floor, refusal: Refusal) -> None:
    floor.refusal = refusal
    answer = await ask(page, Role.SUPERVISOR)
    expected = {"not_yours": 403, "no_talk": 404, "too_many": 429, "asterisk": 503}.get(refusal.value, 409)
    assert (answer.status_code, answer.json()["refused"], answer.json()["done"]) == (expected, refusal.value, False)
    assert answer.json()["why"] == WORDS[refusal]


@pytest.mark.parametrize("asked", [{}, {"action": "sell"}, {"action": "close:"}, [], {"action": ["repeat"]}])
async def test_what_is_no_action_is_refused(page: Page, floor: Floor, asked: object) -> None:
    assert (await ask(page, Role.SUPERVISOR, asked=asked)).status_code == 422
    assert floor.asked == []
