"""Signing in on the page, with the keyboard alone, and the administrator's tokens."""

import asyncio
import re
from typing import Any

import pytest

from callflow.web.tokens import Role
from tests.web.browser.conftest import Served

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]


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


async def test_an_administrator_creates_and_revokes_a_token(visit: Any, served: Served) -> None:
    tab = (await visit(role=Role.ADMIN)).tab
    await tab.click("nav a[href='#/admin']")
    await tab.fill("input[name=name]", "wall display")
    await tab.fill("input[name=days]", "0")
    await tab.click("button:has-text('Create token')")
    await tab.wait_for_selector(".made code:has-text('cf_')")
    secret = await tab.inner_text(".made code")
    assert served.tokens.check(secret) is not None
    tab.once("dialog", lambda dialog: asyncio.ensure_future(dialog.accept()))
    await tab.click("button[aria-label='Revoke wall display']")
    await tab.wait_for_selector("button[aria-label='Revoke wall display']", state="detached")
    assert served.tokens.check(secret) is None


async def test_a_token_that_cannot_be_revoked_says_so_and_stays(visit: Any, served: Served) -> None:
    made = await visit(role=Role.ADMIN)
    tab = made.tab
    refusal = {"problem": "the token file cannot be written", "remedy": "look at the disk"}
    await tab.route("**/api/v1/admin/tokens/*", lambda route: route.fulfill(status=500, json=refusal))
    await tab.click("nav a[href='#/admin']")
    tab.once("dialog", lambda dialog: asyncio.ensure_future(dialog.accept()))
    await tab.click("button[aria-label^='Revoke']")
    await tab.wait_for_selector(".problem[role=alert]:has-text('cannot be written')")
    assert await tab.locator("button[aria-label^='Revoke']").count() == len(served.tokens.all())
    made.problems.clear()
