"""The page Call-backs: claimed, dialled and added by hand."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from playwright.async_api import Dialog

from callflow.adapters.store.callback_list import CallbackList
from callflow.core.callbacks.attempt import Attempt, Outcome
from callflow.core.callbacks.hours import CallingHours
from callflow.core.callbacks.rules import CallbackProfile
from callflow.core.callbacks.states import Step
from callflow.privacy import mask_number
from callflow.web.tokens import Role
from tests.adapters.waiting import until
from tests.store.samples import T0
from tests.web.browser.conftest import Served, barriers, first_callback, settle, turn_to

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]


@pytest.mark.usefixtures("quality")
async def test_an_agent_claims_a_call_back_and_settles_it_with_the_keyboard(visit: Any, served: Served) -> None:
    tab = (await visit(role=Role.AGENT, agent="8001")).tab
    await tab.wait_for_selector("nav a")
    one = first_callback(served)
    await turn_to(tab, f"callbacks/{one}")
    await tab.focus("button:text-is('Claim')")
    await tab.keyboard.press("Enter")
    await tab.wait_for_selector("button:text-is('Done')")
    await tab.click("button:text-is('Show the number')")
    await tab.wait_for_selector("dd:has-text('138555501')")
    await tab.fill("input[maxlength='500']", "spoke to them")
    await tab.focus("button:text-is('Done')")
    await tab.keyboard.press("Enter")
    await tab.wait_for_selector("td:has-text('spoke to them')")
    found = CallbackList(served.database, "main").find(one)
    assert (found.state, found.actor, found.why) == ("done", "8001", "spoke to them")


@pytest.mark.usefixtures("quality")
async def test_a_supervisor_has_a_call_back_dialled_with_the_keyboard(visit: Any, served: Served) -> None:
    """The daemon's part is played: it finds the wish, begins, and the caller is reached."""
    tab = (await visit()).tab
    await tab.wait_for_selector("nav a")
    found, one = CallbackList(served.database, "main"), first_callback(served)
    asked: list[str] = []

    async def refuse(dialog: Dialog) -> None:
        await dialog.dismiss()
        asked.append(dialog.message)

    tab.once("dialog", refuse)
    await turn_to(tab, f"callbacks/{one}")
    await tab.focus("input[list=agents]")
    assert await tab.evaluate("[...document.querySelectorAll('datalist option')].map(each => each.value).length") == 60
    await tab.keyboard.type("8001")
    await tab.keyboard.press("Enter")
    await until(lambda: asked)
    assert asked == [f"Call {mask_number(found.find(one).number)} now for agent 8001?"]
    await settle(tab)
    assert found.find(one).wish == "", "who says no to the question has nobody called"
    tab.once("dialog", lambda dialog: asyncio.ensure_future(dialog.accept()))
    await tab.evaluate(STATUSES)
    await tab.keyboard.press("Enter")
    await tab.wait_for_selector("[role=status]:has-text('asked to call for agent 8001')")
    assert found.find(one).wish == "8001"
    assert await tab.locator("input[list=agents]").count() == 0, "nothing is dialled twice"
    assert await barriers(tab) == []
    call = Attempt("cb-1", one, "8001", "PJSIP/8001", "browser", "agent", T0)
    found.begin_attempt(call, lambda now: now.step(Step.DIAL, T0, "browser", "calls", attempt_id="cb-1"))
    await tab.wait_for_selector("[role=status]:has-text('calling for agent 8001')")
    found.save_attempt(replace(call, placed_ms=T0, reached_ms=T0))
    await tab.wait_for_selector("[role=status]:has-text('agent 8001 talks with the caller')")
    ended = replace(call, placed_ms=T0, reached_ms=T0, ended_ms=T0 + 1, outcome=Outcome.REACHED)
    found.save_attempt(ended, lambda now: now.step(Step.REACH, T0 + 1, "callflow", "they have talked"))
    await tab.wait_for_selector("[role=status]:has-text('they have talked')")
    told = await tab.evaluate("told")
    assert "callflow: because" not in told[1:], "what was known stays until the next is"
    assert len(told) == len(set(told)), "no status comes back"


STATUSES = """() => {
  window.told = [];
  new MutationObserver(() => {
    const status = document.querySelector("main [role=status]")?.textContent;
    if (status && told.at(-1) !== status) told.push(status);
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""
"""Records what the page says of a call, in order."""


@pytest.mark.usefixtures("quality")
async def test_an_agent_dials_with_their_own_phone_and_hears_why_it_failed(visit: Any, served: Served) -> None:
    tab = (await visit(role=Role.AGENT, agent="8001")).tab
    await tab.wait_for_selector("nav a")
    found, one = CallbackList(served.database, "main"), first_callback(served)
    await turn_to(tab, f"callbacks/{one}")
    tab.on("dialog", lambda dialog: asyncio.ensure_future(dialog.accept()))
    await tab.click("button:text-is('Call back')")
    await tab.wait_for_selector("[role=status]:has-text('asked to call for agent 8001')")
    found.change(one, lambda now: now.changed(T0, "callflow", "AMI is not connected", wish=""))
    await tab.wait_for_selector("[role=status]:has-text('AMI is not connected')")
    await tab.wait_for_selector("button:text-is('Call back')")


@pytest.mark.usefixtures("quality")
async def test_a_call_back_outside_the_hours_is_refused_in_words(
    visit: Any, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CallbackProfile, "calling_hours", lambda _: CallingHours(("mon-sun 00:00-00:01",), ()))
    tab = (await visit()).tab
    await tab.wait_for_selector("nav a")
    one = first_callback(served)
    await turn_to(tab, f"callbacks/{one}")
    tab.on("dialog", lambda dialog: asyncio.ensure_future(dialog.accept()))
    await tab.fill("input[list=agents]", "8001")
    await tab.click("button:text-is('Call back')")
    await tab.wait_for_selector("[role=alert]:has-text('outside the calling hours')")


@pytest.mark.usefixtures("quality")
async def test_a_caller_is_put_on_the_list_by_hand_with_the_keyboard(visit: Any, served: Served) -> None:
    window = await visit()
    tab = window.tab
    await tab.click("nav a[href='#/callbacks']")
    await tab.focus("main summary")
    await tab.keyboard.press("Enter")
    await tab.focus("input[name=number]")
    await tab.keyboard.type("110")
    await tab.keyboard.press("Enter")
    await tab.wait_for_selector("[role=alert]:has-text('emergency')")
    await tab.fill("input[name=number]", "13855550155")
    await tab.fill("input[name=zone]", "Mars/Olympus")
    await tab.keyboard.press("Enter")
    await tab.wait_for_selector("[role=alert]:has-text('Mars/Olympus')")
    await tab.fill("input[name=zone]", "Europe/Berlin")
    await tab.fill("input[name=due]", "2026-02-03T10:30")
    await tab.fill("input[name=note]", "asked for a price")
    await tab.keyboard.press("Enter")
    await tab.click("[role=status] a:has-text('•••55 is on the list: by hand')")
    await tab.wait_for_selector("dd:has-text('asked for a price')")
    (entry,) = [one for one in CallbackList(served.database, "main").entries() if one.number == "13855550155"]
    due = await tab.evaluate("new Date('2026-02-03T10:30').getTime()")
    assert (entry.due_ms, entry.zone, entry.actor, entry.reasons) == (due, "Europe/Berlin", "browser", ("manual",))
    told = served.database.with_name("web-audit.jsonl").read_text()
    assert '"add call-back"' in told
    assert "13855550155" not in told, "the trail names the entry, not the number"


@pytest.mark.usefixtures("quality")
async def test_who_may_not_change_anything_is_offered_no_form(visit: Any, served: Served) -> None:
    limits: list[tuple[Role, dict[str, Any]]] = [(Role.VIEWER, {}), (Role.SUPERVISOR, {"queues": ("support",)})]
    for role, limited in limits:
        tab = (await visit(role=role, **limited)).tab
        await tab.click("nav a[href='#/callbacks']")
        await tab.wait_for_selector("td a")
        assert await tab.locator("main summary").count() == 0
