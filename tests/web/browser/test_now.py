"""The page Now: the wall, the agents' tiles, an agent's own day."""

from typing import Any

import pytest

from callflow.web.tokens import Role
from tests.web.browser.conftest import Served, turn_to

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]


async def test_sixty_agents_the_queues_and_the_callers_are_on_one_screen_of_a_wall(visit: Any) -> None:
    tab = (await visit(width=1920)).tab
    await tab.set_viewport_size({"width": 1920, "height": 1080})
    await turn_to(tab, "now?wall")
    await tab.wait_for_selector(".wall .tile")
    assert await tab.evaluate("document.querySelectorAll('.wall .tiles.small .tile').length") == 60
    lowest = await tab.evaluate(
        "Math.max(...[...document.querySelectorAll('.wall .tile p, td')].map(e => e.getBoundingClientRect().bottom))"
    )
    assert lowest <= 1080


async def test_wrap_ups_and_the_outcome_of_an_action_stand_in_the_agent_s_tile(visit: Any, served: Served) -> None:
    tab = (await visit()).tab
    tiles = {agent: f".tile:has(h3:text-is('{agent}'))" for agent in (8002, 8007, 8008)}
    assert "nuisance (only observing)" in await tab.inner_text(tiles[8002])
    assert "wrap-up: order" in await tab.inner_text(tiles[8007])
    assert "wrap-up follows" in await tab.inner_text(tiles[8008])
    served.floor.put("agent/8007", work="available", reason="", wrap_up=None)
    await tab.wait_for_selector(f"{tiles[8007]}:has-text('available')")
    await tab.click("summary:text-is('Show by agent')")
    await tab.wait_for_selector("td:text-is('12 · 0:00')")


async def test_an_agent_sees_their_own_day_and_no_one_else_s(visit: Any) -> None:
    tab = (await visit(role=Role.AGENT, agent="8002")).tab
    await tab.wait_for_selector("td span:text-is('8002')")
    assert await tab.locator("h3").all_inner_texts() == ["8002"]
    assert await tab.locator("main td:first-child").all_inner_texts() == ["8002"]
    assert await tab.locator("main .empty").count() == 0, "nothing is said to be missing that an agent may not see"
