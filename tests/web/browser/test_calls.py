"""The pages Calls and Rings, and one call."""

from typing import Any

import pytest

from tests.web.browser.conftest import Served, turn_to

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]


async def test_a_number_is_shown_on_demand(visit: Any) -> None:
    tab = (await visit()).tab
    await turn_to(tab, "call/main/silent-1")
    await tab.click("text=Show the number")
    await tab.wait_for_selector("text=+1-555-0100")


async def test_any_days_can_be_chosen(visit: Any) -> None:
    tab = (await visit()).tab
    await turn_to(tab, "calls")
    await tab.wait_for_selector("td a")
    await tab.fill("input[type=date] >> nth=1", "2026-01-30")
    await tab.wait_for_selector(".empty")
    await tab.fill("input[type=date] >> nth=1", "2026-01-31")
    await tab.wait_for_selector("td a")
    assert "2026-01-31" in tab.url


async def test_a_search_by_number_is_for_supervisors_and_written_down(visit: Any, served: Served) -> None:
    tab = (await visit()).tab
    await turn_to(tab, "calls")
    await tab.wait_for_selector("td a")
    await tab.fill("input[inputmode=tel]", "+1-555-0199")
    await tab.keyboard.press("Enter")
    await tab.wait_for_selector(".empty")
    assert '"search by number"' in served.database.with_name("web-audit.jsonl").read_text()


async def test_one_call_shows_its_transfer_and_its_wrap_up(visit: Any) -> None:
    tab = (await visit()).tab
    await turn_to(tab, "call/main/spoke-0")
    await tab.wait_for_selector("svg.picture rect.wrap")
    await tab.click("figure summary")
    drawn = await tab.inner_text("figure table")
    assert all(
        each in drawn for each in ("blind, 1007 → 8013", "wrap-up, order, ended by the agent", "says please_go_on")
    )
    await tab.wait_for_selector("dt:has-text('wrap-up') + dd:text-is('0:30')")


async def test_rings_are_shown_for_one_agent_and_the_address_is_a_link(visit: Any, served: Served) -> None:
    tab = (await visit()).tab
    await turn_to(tab, "rings?period=days365")
    await tab.wait_for_selector("canvas")
    await tab.select_option("select >> nth=1", "agent/1007")
    await tab.wait_for_url("**/#/rings?period=days365&of=agent%2F1007")
    await tab.wait_for_selector("canvas")
    await tab.reload()
    await tab.wait_for_selector("canvas")
    assert await tab.eval_on_selector("select >> nth=1", "select => select.value") == "agent/1007"
