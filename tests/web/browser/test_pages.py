"""Every page, in both languages, light and dark, on a phone; with the keyboard alone; readable by a screen reader."""

import asyncio
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Dialog, Route
from playwright.async_api import Page as Tab

from callflow.adapters.store.callback_list import CallbackList
from callflow.adapters.store.case_list import CaseList
from callflow.adapters.store.store import Store
from callflow.core.callbacks.attempt import Attempt, Outcome
from callflow.core.callbacks.hours import CallingHours
from callflow.core.callbacks.rules import CallbackProfile
from callflow.core.callbacks.states import Step
from callflow.privacy import mask_number
from callflow.web import live
from callflow.web.tokens import Role
from tests.adapters.waiting import until
from tests.docs.pictures import PAGES as PICTURES
from tests.docs.pictures import take
from tests.store.samples import T0, ended, live_call
from tests.web.browser.conftest import Served, settle

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]

PAGES = {
    "now": ".tile",
    "now?wall": ".wall .tile",
    "rings": ".empty, canvas",
    "silence": "canvas",
    "calls": "table",
    "call/main/silent-1": "svg.picture",
    "callbacks?period=days365": "td a",
    "callbacks/ONE": "dl.figures",
    "cases": "td .bad",
    "cases/T%2F1": "dd .bad",
    "ratings?period=days365": "canvas",
    "standards?period=days365": "td .bad",
    "health": ".health",
    "admin": "table",
    "definitions": ".meanings",
}
"""The address of each page, and what is there once it is drawn."""
MORE = ("callbacks", "cases", "ratings", "standards")


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    ("language", "dark", "width"),
    [("en-GB", False, 1280), ("zh-CN", True, 1280), ("zh-CN", False, 390), ("en-GB", True, 390)],
)
@pytest.mark.usefixtures("quality")
async def test_every_page_is_drawn_and_readable_by_everybody(
    visit: Any, served: Served, page: str, language: str, dark: bool, width: int
) -> None:
    window = await visit(language=language, dark=dark, width=width, role=Role.ADMIN)
    tab = window.tab
    await tab.wait_for_selector(".tile")
    await tab.evaluate("place => { location.hash = '#/' + place }", page.replace("ONE", first_callback(served)))
    await tab.wait_for_selector(PAGES[page])
    await settle(tab)
    assert await tab.evaluate("document.documentElement.lang") == language[:2]
    assert await tab.evaluate("document.documentElement.scrollWidth") <= width
    assert await tab.evaluate(CHARTS_WITHOUT_A_TABLE) == []
    assert await barriers(tab) == []
    assert window.problems == []


CHARTS_WITHOUT_A_TABLE = """() => [...document.querySelectorAll("main canvas, main svg, main figure")]
  .filter((chart) => !chart.closest("figure")?.querySelector("details table td"))
  .map((chart) => chart.outerHTML.slice(0, 80))"""


def first_callback(served: Served) -> str:
    return CallbackList(served.database, "main").entries()[0].callback_id


async def barriers(tab: Tab) -> list[Any]:
    """What axe-core finds serious or critical, and where."""
    found = await Axe().run(tab)
    serious = [one for one in found.response["violations"] if one["impact"] in ("serious", "critical")]
    return [(one["id"], [node["target"] for node in one["nodes"]][:3]) for one in serious]


@pytest.mark.parametrize(("language", "dark"), [("en-GB", False), ("zh-CN", True)])
async def test_the_way_in_is_readable_by_everybody(visit: Any, language: str, dark: bool) -> None:
    tab = (await visit(language=language, dark=dark, width=390, role=None)).tab
    await tab.wait_for_selector("input#token:focus")
    assert await tab.evaluate("document.documentElement.scrollWidth") <= 390
    assert await barriers(tab) == []


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
        await tab.evaluate("page => { location.hash = '#/' + page }", page)
        await tab.wait_for_selector("main :text('<img src=x')")
        await settle(tab)
        seen = await tab.evaluate(WHERE_IT_STANDS)
        assert seen["width"] <= width, page
        assert seen["outside"] == [], page
        assert await tab.locator("main img").count() == 0
    await tab.evaluate("location.hash = '#/call/main/hostile'")
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


@pytest.mark.parametrize(
    ("role", "limits", "pages"),
    [
        (Role.ADMIN, {}, ["now", "rings", "silence", "calls", *MORE, "health", "admin", "definitions"]),
        (Role.SUPERVISOR, {}, ["now", "rings", "silence", "calls", *MORE, "health", "definitions"]),
        (
            Role.VIEWER,
            {"queues": ("support",)},
            ["now", "rings", "calls", "callbacks", "ratings", "standards", "health", "definitions"],
        ),
        (Role.AGENT, {"agent": "8001"}, ["now", "rings", "callbacks", "ratings", "definitions"]),
    ],
)
async def test_the_menu_has_the_pages_that_a_visitor_may_see(
    visit: Any, role: Role, limits: dict[str, Any], pages: list[str]
) -> None:
    tab = (await visit(role=role, **limits)).tab
    await tab.wait_for_selector("nav a")
    assert await tab.evaluate("[...document.querySelectorAll('nav a')].map((link) => link.hash.slice(2))") == pages
    assert await barriers(tab) == []


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
    await tab.wait_for_selector(".tile")
    await tab.evaluate("location.hash = '#/now?wall'")
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


@pytest.mark.usefixtures("quality")
async def test_an_agent_claims_a_call_back_and_settles_it_with_the_keyboard(visit: Any, served: Served) -> None:
    tab = (await visit(role=Role.AGENT, agent="8001")).tab
    await tab.wait_for_selector("nav a")
    one = first_callback(served)
    await tab.evaluate("one => { location.hash = '#/callbacks/' + one }", one)
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
    await tab.evaluate("one => { location.hash = '#/callbacks/' + one }", one)
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


@pytest.mark.usefixtures("quality")
async def test_a_page_alone_on_a_database_offers_nothing_that_needs_the_daemon(visit: Any, served: Served) -> None:
    await served.restart(live=False)
    window = await visit(role=Role.ADMIN)
    tab = window.tab
    await tab.wait_for_selector("main .empty:has-text('nothing is live')")
    await tab.wait_for_selector("[role=status]:text-is('a stored database')")
    for page, there in (
        ("callbacks", "td a"),
        (f"callbacks/{first_callback(served)}", "dl.figures"),
        ("cases", "td .bad"),
        ("cases/T%2F1", "dd .bad"),
    ):
        await tab.evaluate("page => { location.hash = '#/' + page }", page)
        await tab.wait_for_selector(there)
        offered = await tab.locator("main button:not([title]), main form, main summary").all_inner_texts()
        assert offered == [], page
    assert window.problems == []


async def test_sixty_agents_the_queues_and_the_callers_are_on_one_screen_of_a_wall(visit: Any) -> None:
    tab = (await visit(width=1920)).tab
    await tab.set_viewport_size({"width": 1920, "height": 1080})
    await tab.evaluate("location.hash = '#/now?wall'")
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


async def test_one_call_shows_its_transfer_and_its_wrap_up(visit: Any) -> None:
    tab = (await visit()).tab
    await tab.wait_for_selector(".tile")
    await tab.evaluate("location.hash = '#/call/main/spoke-0'")
    await tab.wait_for_selector("svg.picture rect.wrap")
    await tab.click("figure summary")
    drawn = await tab.inner_text("figure table")
    assert all(
        each in drawn for each in ("blind, 1007 → 8013", "wrap-up, order, ended by the agent", "says please_go_on")
    )
    await tab.wait_for_selector("dt:has-text('wrap-up') + dd:text-is('0:30')")


@pytest.mark.usefixtures("quality")
async def test_an_agent_dials_with_their_own_phone_and_hears_why_it_failed(visit: Any, served: Served) -> None:
    tab = (await visit(role=Role.AGENT, agent="8001")).tab
    await tab.wait_for_selector("nav a")
    found, one = CallbackList(served.database, "main"), first_callback(served)
    await tab.evaluate("one => { location.hash = '#/callbacks/' + one }", one)
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
    await tab.evaluate("one => { location.hash = '#/callbacks/' + one }", one)
    tab.on("dialog", lambda dialog: asyncio.ensure_future(dialog.accept()))
    await tab.fill("input[list=agents]", "8001")
    await tab.click("button:text-is('Call back')")
    await tab.wait_for_selector("[role=alert]:has-text('outside the calling hours')")


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


async def test_an_empty_page_says_what_to_do_next(
    visit: Any, served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # where no config/standards.toml is found
    served.floor.state = {"health": served.floor.state["health"]}
    tab = (await visit()).tab
    nothing = "2025-06-01..2025-06-02"
    for page in ("now", f"rings?period={nothing}", f"silence?period={nothing}", f"calls?period={nothing}", *MORE):
        await tab.evaluate("place => { location.hash = '#/' + place }", page)
        await tab.wait_for_selector(f"nav a[aria-current][href='#/{page.partition('?')[0]}']")
        await tab.wait_for_selector("main:not(:has-text('Loading')) .empty .hint")
        hints = await tab.locator("main .empty .hint").all_inner_texts()
        assert min(len(hint) for hint in hints) > 20, page


async def test_language_and_theme_are_chosen_and_remembered(visit: Any, served: Served) -> None:
    tab = (await visit()).tab
    await tab.click("button:text-is('中文')")
    await tab.click("button:text-is('深色')")
    await tab.wait_for_selector("html[lang=zh][data-theme=dark] nav a:text-is('铃声')")
    await tab.reload()
    await tab.wait_for_selector("html[lang=zh][data-theme=dark] nav a:text-is('铃声')")


async def test_rings_are_shown_for_one_agent_and_the_address_is_a_link(visit: Any, served: Served) -> None:
    tab = (await visit()).tab
    await tab.wait_for_selector(".tile")
    await tab.evaluate("location.hash = '#/rings?period=days365'")
    await tab.wait_for_selector("canvas")
    await tab.select_option("select >> nth=1", "agent/1007")
    await tab.wait_for_url("**/#/rings?period=days365&of=agent%2F1007")
    await tab.wait_for_selector("canvas")
    await tab.reload()
    await tab.wait_for_selector("canvas")
    assert await tab.eval_on_selector("select >> nth=1", "select => select.value") == "agent/1007"


@pytest.mark.parametrize("page", ["call/main/nobody", "callbacks/nobody", "cases/nobody"])
async def test_a_link_to_what_is_not_there_is_a_sentence(visit: Any, page: str) -> None:
    tab = (await visit()).tab
    await tab.wait_for_selector(".tile")
    await tab.evaluate("place => { location.hash = '#/' + place }", page)
    await tab.wait_for_selector("main [role=alert]:has-text('there is no')")
