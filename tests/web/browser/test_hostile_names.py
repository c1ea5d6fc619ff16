"""Names with markup, marks that turn the text, and 10 kB stay text and in their place."""

from dataclasses import replace
from typing import Any

import pytest

from callflow.adapters.store.callback_list import CallbackList
from callflow.adapters.store.case_list import CaseList
from callflow.adapters.store.store import Store
from tests.store.samples import T0, ended, live_call
from tests.web.browser.conftest import Served, first_callback, settle, turn_to

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]


async def test_a_hostile_name_stays_text(visit: Any, served: Served) -> None:
    window = await visit()
    await window.tab.wait_for_selector(".tile")
    hostile = "<img src=x onerror=alert(1)>\u202e" + 200 * "x"
    served.floor.put("queue/hostile", queue=hostile, waiting=1, oldest_ms=None, members={})
    served.floor.put("agent/8001", reason="<script>alert(1)</script>", work="paused")
    await window.tab.wait_for_selector("h3:has-text('<img src=x')")
    assert await window.tab.locator("img").count() == 0
    assert await window.tab.evaluate("document.documentElement.scrollWidth") <= 1280
    assert window.problems == []


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.usefixtures("quality")
async def test_a_hostile_caller_name_of_10_kb_stays_text_and_in_its_place(
    visit: Any, served: Served, width: int
) -> None:
    """Markup, marks that turn the direction of the text, and no blank: on every page that shows a name or a reason."""
    hostile = "<img src=x onerror=alert(1)>\u202e\u2066\u200f&lt;/script>" + 10_000 * "\u6d77x"
    with Store(served.database, "main") as store:
        call = replace(live_call("hostile", T0 + 90_000), caller_name=hostile)
        store.save(ended(call), final=True)
    one = first_callback(served)
    CallbackList(served.database, "main").change(one, lambda now: now.changed(T0, "callflow", hostile))
    CaseList(served.database, "main").change("T/1", lambda now: now.told(T0, "Mary", hostile, T0))
    served.floor.put("agent/8001", reason=hostile, work="paused")
    window = await visit(width=width)
    tab = window.tab
    pages = ("now", "calls", "call/main/hostile", "callbacks", f"callbacks/{one}", "cases", "cases/T%2F1")
    for page in pages:
        await turn_to(tab, page)
        await tab.wait_for_selector("main :text('<img src=x')")
        await settle(tab)
        seen = await tab.evaluate(WHERE_IT_STANDS)
        assert seen["width"] <= width, page
        assert seen["outside"] == [], page
        assert await tab.locator("main img").count() == 0
    await turn_to(tab, "call/main/hostile")
    await tab.wait_for_selector("main :text('<img src=x')")
    assert len(await tab.inner_text("main")) < 3000, "a name takes no screens"
    assert window.problems == []


WHERE_IT_STANDS = """() => {
  const walk = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  const outside = [];
  while (walk.nextNode()) {
    if (!walk.currentNode.data.includes("<img")) continue;
    const element = walk.currentNode.parentElement;
    if (!element.closest("bdi")) outside.push(element.outerHTML.slice(0, 80));
  }
  return { outside, width: document.documentElement.scrollWidth };
}"""
"""Hostile text that stands outside an element which keeps its direction to itself, and how wide the page is."""
