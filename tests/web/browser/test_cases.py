"""The page Cases."""

import asyncio
from typing import Any

import pytest

from callflow.adapters.store.case_list import CaseList
from callflow.web.tokens import Role
from tests.web.browser.conftest import Served

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]


@pytest.mark.usefixtures("quality")
async def test_a_supervisor_opens_a_case_tells_news_and_closes_it_with_the_keyboard(visit: Any, served: Served) -> None:
    tab = (await visit()).tab
    await tab.click("nav a[href='#/cases']")
    await tab.wait_for_selector("td a")
    assert await tab.locator("td a").all_inner_texts() == ["T/1", "T-2"], "overdue first"
    await tab.focus("summary")
    await tab.keyboard.press("Enter")
    await tab.focus("input[name=reference]")
    await tab.keyboard.type("T/1")
    await tab.keyboard.press("Enter")
    await tab.wait_for_selector("[role=alert]:has-text('there is a case T/1 already')")
    await tab.fill("input[name=reference]", "T 3 ?&#")
    await tab.keyboard.press("Enter")
    await tab.focus("a:has-text('T 3 ?&#')")
    await tab.keyboard.press("Enter")
    await tab.focus("label:has-text('What the caller was told') input")
    await tab.keyboard.type("nothing new yet")
    await tab.keyboard.press("Enter")
    await tab.wait_for_selector("td:has-text('nothing new yet')")
    tab.once("dialog", lambda dialog: asyncio.ensure_future(dialog.accept()))
    await tab.focus("button:text-is('Close the case')")
    await tab.keyboard.press("Enter")
    await tab.wait_for_selector("dt:text-is('Closed')")
    steps = [change.step for change in CaseList(served.database, "main").changes("T 3 ?&#")]
    assert steps == ["opened", "news", "closed"]
    await tab.click("a:text-is('Back to the list')")
    await tab.wait_for_selector("td a")
    assert await tab.locator("td a").all_inner_texts() == ["T/1", "T-2"]


@pytest.mark.usefixtures("quality")
async def test_a_viewer_reads_cases_and_is_offered_no_step(visit: Any) -> None:
    tab = (await visit(role=Role.VIEWER)).tab
    await tab.click("nav a[href='#/cases']")
    await tab.click("td a:has-text('T-2')")
    await tab.wait_for_selector("td:has-text('the part comes on Friday')")
    assert await tab.locator("main button, main input, main summary").count() == 0
