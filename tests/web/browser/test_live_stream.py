"""The live stream in the browser: changes, restarts, sleep, shared tabs, months at the wall."""

import asyncio
from typing import Any

import pytest
from playwright.async_api import Route

from callflow.web import live
from tests.adapters.waiting import until
from tests.store.samples import T0
from tests.web.browser.conftest import Served, settle, turn_to

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]


async def test_what_changes_is_on_the_screen_at_once(visit: Any, served: Served) -> None:
    window = await visit()
    await window.tab.wait_for_selector("text=Wall view")
    served.floor.put("queue/support", waiting=77)
    await window.tab.wait_for_selector(".tile b:text-is('77')")
    served.floor.remove("queue/billing")
    await window.tab.wait_for_selector("h3:text-is('billing')", state="detached")


async def test_the_page_says_how_old_its_data_are_and_comes_back(visit: Any, served: Served) -> None:
    tab = (await visit()).tab
    await tab.wait_for_selector(".freshness.fresh")
    await served.server.stop()
    await tab.wait_for_selector(".freshness.stale")
    served.floor.put("queue/support", waiting=55)
    await served.restart()
    await tab.wait_for_selector(".freshness.fresh")
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
        await tab.wait_for_selector(".tile b:text-is('66')")
    await window.tab.close()
    served.floor.put("queue/support", waiting=67)
    await second.wait_for_selector(".tile b:text-is('67')")


async def test_a_laptop_that_slept_takes_up_the_stream_again(
    visit: Any, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock has jumped by an hour, and the connection says nothing more: the page notices, and begins again.

    The new stream is held until the page has said how old its data are: at the right moment it would be faster.
    """
    monkeypatch.setattr(live, "BEAT_S", 3600.0)
    window = await visit()
    tab = window.tab
    await tab.wait_for_selector(".freshness.fresh")
    seen = asyncio.Event()

    async def hold(route: Route) -> None:
        await seen.wait()
        await route.continue_()

    await tab.route("**/api/v1/events", hold)
    await window.context.clock.set_system_time((T0 + 120_000 + 3_600_000) / 1000)
    await tab.wait_for_selector(".freshness.stale")
    seen.set()
    await tab.wait_for_selector(".freshness.fresh")
    served.floor.put("queue/support", waiting=44)
    await tab.wait_for_selector(".tile b:text-is('44')")
    await until(lambda: served.server.viewers == 1)
    assert window.problems == []


async def test_months_at_the_wall_leave_no_memory_behind(
    visit: Any, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thousands of changes, of queues, agents and calls that come and go: the page's heap and nodes do not grow."""
    monkeypatch.setattr(live, "LOOK_S", 0.002)
    window = await visit()
    tab = window.tab
    await turn_to(tab, "now?wall")
    await tab.wait_for_selector(".wall .tile")
    chromium = await window.context.new_cdp_session(tab)

    async def used() -> tuple[float, int]:
        await chromium.send("HeapProfiler.collectGarbage")
        heap = await chromium.send("Runtime.getHeapUsage")
        counts = await chromium.send("Memory.getDOMCounters")
        return heap["usedSize"] / 1e6, counts["nodes"]

    async def pass_changes(number: int) -> None:
        floor = served.floor
        for n in range(number):
            floor.put(f"queue/{n % 7}", queue=f"queue {n % 7}", waiting=n, oldest_ms=T0, members={"talking": n})
            floor.remove(f"agent/{8001 + (n - 1) % 60}")
            floor.put(f"agent/{8001 + n % 60}", agent=str(8001 + n % 60), work="talking", since_ms=T0, queues=[])
            floor.put(f"call/c{n}", **floor.state["call/1"])
            floor.remove(f"call/c{n - 1}")
            await asyncio.sleep(0.002)
        floor.put("queue/end", queue="end", waiting=number, oldest_ms=None, members={})
        await tab.wait_for_selector(f".tile:has(h3:text-is('end')) b:text-is('{number}')")
        await settle(tab)

    await pass_changes(1000)
    before_mb, before_nodes = await used()
    await pass_changes(3000)
    after_mb, after_nodes = await used()
    assert after_mb - before_mb < 1
    assert after_nodes <= 1.2 * before_nodes
    assert window.problems == []


async def test_a_daemon_of_another_version_brings_its_own_page(visit: Any, served: Served) -> None:
    tab = (await visit()).tab
    await tab.wait_for_selector(".freshness.fresh")
    await tab.evaluate("document.body.dataset.page = 'of before'")
    await served.restart()
    served.floor.put("queue/support", waiting=33)
    await tab.wait_for_selector(".tile b:text-is('33')")
    assert await tab.get_attribute("body", "data-page") == "of before", "the same version: nothing is fetched anew"
    served.floor.put("health", version="9.9.9")
    await served.restart()
    await tab.wait_for_selector("body:not([data-page])")
    await tab.wait_for_selector(".tile b:text-is('33')")


async def test_signing_out_ends_the_stream_and_the_next_visitor_sees_nothing_of_it(visit: Any, served: Served) -> None:
    tab = (await visit()).tab
    await tab.wait_for_selector(".tile")
    assert served.server.viewers == 1
    await tab.click("button:has-text('Sign out')")
    await tab.wait_for_selector("input#token")
    await until(lambda: not served.server.viewers)
    await tab.fill("input#token", served.secret())
    await tab.keyboard.press("Enter")
    await tab.wait_for_selector(".tile")
    await tab.wait_for_selector(".freshness.fresh")
    assert served.server.viewers == 1
