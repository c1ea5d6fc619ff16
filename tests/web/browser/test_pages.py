"""Every page, in both languages, light and dark, on a phone; with the keyboard alone; readable by a screen reader."""

import re
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe

from tests.docs.pictures import PAGES as PICTURES
from tests.docs.pictures import take
from tests.web.browser.conftest import Served, settle

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]

PAGES = {
    "now": ".tile",
    "rings": ".empty, canvas",
    "silence": "canvas",
    "calls": "table",
    "call/main/silent-1": "svg.picture",
    "health": ".health",
    "definitions": ".meanings",
}
"""The address of each page, and what is there once it is drawn."""


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    ("language", "dark", "width"), [("en-GB", False, 1280), ("zh-CN", True, 1280), ("zh-CN", False, 390)]
)
async def test_every_page_is_drawn_and_readable_by_everybody(
    visit: Any, page: str, language: str, dark: bool, width: int
) -> None:
    window = await visit(language=language, dark=dark, width=width)
    tab = window.tab
    await tab.wait_for_selector(".tile")
    await tab.evaluate("place => { location.hash = '#/' + place }", page)
    await tab.wait_for_selector(PAGES[page])
    await settle(tab)
    assert await tab.evaluate("document.documentElement.lang") == language[:2]
    assert await tab.evaluate("document.documentElement.scrollWidth") <= width
    found = await Axe().run(tab)
    serious = [one for one in found.response["violations"] if one["impact"] in ("serious", "critical")]
    assert [(one["id"], [node["target"] for node in one["nodes"]][:3]) for one in serious] == []
    assert window.problems == []


async def test_what_changes_is_on_the_screen_at_once(visit: Any, served: Served) -> None:
    window = await visit()
    await window.tab.wait_for_selector("text=Wall view")
    served.floor.put("queue/support", waiting=77)
    await window.tab.wait_for_selector(".tile b:text-is('77')", timeout=2000)
    served.floor.remove("queue/billing")
    await window.tab.wait_for_selector("h3:text-is('billing')", state="detached", timeout=2000)


async def test_the_page_says_how_old_its_data_are_and_comes_back(visit: Any, served: Served) -> None:
    tab = (await visit()).tab
    await tab.wait_for_selector(".freshness.fresh")
    await served.server.stop()
    await tab.wait_for_selector(".freshness.stale", timeout=5000)
    served.floor.put("queue/support", waiting=55)
    await served.restart()
    await tab.wait_for_selector(".freshness.fresh", timeout=15_000)
    await tab.wait_for_selector(".tile b:text-is('55')")


async def test_tabs_of_one_browser_share_one_stream(visit: Any, served: Served) -> None:
    window = await visit()
    await window.tab.wait_for_selector(".tile")
    second = await window.context.new_page()
    await second.goto(served.url)
    await second.wait_for_selector(".tile")
    assert served.server.viewers == 1
    served.floor.put("queue/support", waiting=66)
    for tab in (window.tab, second):
        await tab.wait_for_selector(".tile b:text-is('66')", timeout=3000)
    await window.tab.close()
    served.floor.put("queue/support", waiting=67)
    await second.wait_for_selector(".tile b:text-is('67')", timeout=15_000)


async def test_sign_in_with_the_keyboard_and_reach_every_page_with_it(visit: Any, served: Served) -> None:
    tab = (await visit(role=None)).tab
    await tab.wait_for_selector("input#token")
    await tab.keyboard.type(served.secret())
    await tab.keyboard.press("Enter")
    await tab.wait_for_selector(".tile")
    reached = set()
    for _ in range(40):
        await tab.keyboard.press("Tab")
        reached.add(await tab.evaluate("document.activeElement.getAttribute('href')"))
    assert {"#content", "#/now", "#/rings", "#/silence", "#/calls", "#/health"} <= reached
    await tab.evaluate("document.querySelector('nav a[href=\"#/calls\"]').focus()")
    await tab.keyboard.press("Enter")
    await tab.wait_for_selector("table")
    await tab.wait_for_selector("h1:focus")


async def test_a_wrong_token_is_refused_in_words(visit: Any) -> None:
    tab = (await visit(role=None)).tab
    await tab.fill("input#token", "cf_00000000_" + 43 * "x")
    await tab.keyboard.press("Enter")
    await tab.wait_for_selector("[role=alert]:has-text('wrong, expired or revoked')")


async def test_the_token_of_a_link_stays_in_no_address_and_no_history(visit: Any, served: Served) -> None:
    tab = (await visit()).tab
    await tab.wait_for_selector(".tile")
    assert re.fullmatch(rf"{served.url}#/now", tab.url)


async def test_a_hostile_name_stays_text(visit: Any, served: Served) -> None:
    window = await visit()
    await window.tab.wait_for_selector(".tile")
    hostile = "<img src=x onerror=alert(1)>\u202e" + 200 * "x"
    served.floor.put("queue/hostile", queue=hostile, waiting=1, oldest_ms=None, members={})
    served.floor.put("agent/8001", reason="<script>alert(1)</script>", work="paused")
    await window.tab.wait_for_selector("h3:has-text('<img src=x')", timeout=3000)
    assert await window.tab.locator("img").count() == 0
    assert await window.tab.evaluate("document.documentElement.scrollWidth") <= 1280
    assert window.problems == []


async def test_a_number_is_shown_on_demand(visit: Any) -> None:
    tab = (await visit()).tab
    await tab.wait_for_selector(".tile")
    await tab.evaluate("location.hash = '#/call/main/silent-1'")
    await tab.click("text=Show the number")
    await tab.wait_for_selector("text=+1-555-0100")


async def test_any_days_can_be_chosen(visit: Any) -> None:
    tab = (await visit()).tab
    await tab.wait_for_selector(".tile")
    await tab.evaluate("location.hash = '#/calls'")
    await tab.wait_for_selector("td a")
    await tab.fill("input[type=date] >> nth=1", "2026-01-30")
    await tab.wait_for_selector(".empty")
    await tab.fill("input[type=date] >> nth=1", "2026-01-31")
    await tab.wait_for_selector("td a")
    assert "2026-01-31" in tab.url


async def test_a_search_by_number_is_for_supervisors_and_written_down(visit: Any, served: Served) -> None:
    tab = (await visit()).tab
    await tab.wait_for_selector(".tile")
    await tab.evaluate("location.hash = '#/calls'")
    await tab.wait_for_selector("td a")
    await tab.fill("input[inputmode=tel]", "+1-555-0199")
    await tab.keyboard.press("Enter")
    await tab.wait_for_selector(".empty")
    assert '"search by number"' in served.database.with_name("web-audit.jsonl").read_text()


async def test_the_pictures_of_the_documentation_can_be_taken(tmp_path: Path) -> None:
    await take(tmp_path)
    taken = {file.name: file.stat().st_size for file in tmp_path.glob("*.png")}  # noqa: ASYNC240
    assert taken.keys() == {f"page-{name}.png" for name in PICTURES}
    assert min(taken.values()) > 20_000
