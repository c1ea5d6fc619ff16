"""Every page, in both languages, light and dark, on a phone; readable by a screen reader."""

from pathlib import Path
from typing import Any

import pytest

from callflow.web.tokens import Role
from tests.docs.pictures import PAGES as PICTURES
from tests.docs.pictures import take
from tests.web.browser.conftest import Served, barriers, first_callback, settle, turn_to

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
    await turn_to(tab, page.replace("ONE", first_callback(served)))
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


@pytest.mark.parametrize(("language", "dark"), [("en-GB", False), ("zh-CN", True)])
async def test_the_way_in_is_readable_by_everybody(visit: Any, language: str, dark: bool) -> None:
    tab = (await visit(language=language, dark=dark, width=390, role=None)).tab
    await tab.wait_for_selector("input#token:focus")
    assert await tab.evaluate("document.documentElement.scrollWidth") <= 390
    assert await barriers(tab) == []


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


async def test_an_empty_page_says_what_to_do_next(
    visit: Any, served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # where no config/standards.toml is found
    served.floor.state = {"health": served.floor.state["health"]}
    tab = (await visit()).tab
    nothing = "2025-06-01..2025-06-02"
    for page in ("now", f"rings?period={nothing}", f"silence?period={nothing}", f"calls?period={nothing}", *MORE):
        await turn_to(tab, page)
        await tab.wait_for_selector(f"nav a[aria-current][href='#/{page.partition('?')[0]}']")
        await tab.wait_for_selector("main:not(:has-text('Loading')) .empty .hint")
        hints = await tab.locator("main .empty .hint").all_inner_texts()
        assert min(len(hint) for hint in hints) > 20, page


@pytest.mark.parametrize("page", ["call/main/nobody", "callbacks/nobody", "cases/nobody"])
async def test_a_link_to_what_is_not_there_is_a_sentence(visit: Any, page: str) -> None:
    tab = (await visit()).tab
    await turn_to(tab, page)
    await tab.wait_for_selector("main [role=alert]:has-text('there is no')")


async def test_language_and_theme_are_chosen_and_remembered(visit: Any, served: Served) -> None:
    tab = (await visit()).tab
    await tab.click("button:text-is('中文')")
    await tab.click("button:text-is('深色')")
    await tab.wait_for_selector("html[lang=zh][data-theme=dark] nav a:text-is('铃声')")
    await tab.reload()
    await tab.wait_for_selector("html[lang=zh][data-theme=dark] nav a:text-is('铃声')")


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
        await turn_to(tab, page)
        await tab.wait_for_selector(there)
        offered = await tab.locator("main button:not([title]), main form, main summary").all_inner_texts()
        assert offered == [], page
    assert window.problems == []


async def test_the_pictures_of_the_documentation_can_be_taken(tmp_path: Path) -> None:
    await take(tmp_path)
    taken = {file.name: file.stat().st_size for file in tmp_path.glob("*.png")}  # noqa: ASYNC240
    assert taken.keys() == {f"page-{name}.png" for name in PICTURES}
    assert min(taken.values()) > 20_000
