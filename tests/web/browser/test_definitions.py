"""Every number on every page links to its definition."""

from typing import Any

import pytest

from tests.web.browser.conftest import settle, turn_to

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]

PAGES = {
    "now": ".tile",
    "rings?period=days365": "canvas",
    "silence?period=days365": "canvas",
    "calls": "td a",
    "call/main/silent-1": "svg.picture",
    "call/main/spoke-0": "svg.picture rect.hold",
    "callbacks?period=days365": "td a",
    "cases": "td .bad",
    "cases/T%2F1": "dd .bad",
    "ratings?period=days365": "canvas",
    "standards?period=days365": "td .bad",
    "health": ".health",
}

UNDEFINED = r"""() => {
  // Not figures: moments, names and ids, headings, what is drawn (its table has the figures), and what can be chosen.
  const chosen = "select, input, label, button";
  const other = `time, .name, h1, h2, h3, svg, canvas, caption, .u-legend, .empty, section > .hint, ${chosen}`;
  const term = (element) => element?.querySelector("a.term");
  const found = [];
  let figures = 0;
  const walk = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const element = walk.currentNode.parentElement;
    const within = element.closest("a.term, td, dd, li span, li p, p.counts span");
    if (!/[0-9]/.test(walk.currentNode.data)) continue;
    if (element.closest(other) && !element.closest("a.term")) continue;
    figures += 1;
    let link = within?.matches("a.term") ? within : term(within);
    if (within?.matches("td")) link = term(within.closest("table").rows[0].cells[within.cellIndex]) ?? link;
    if (within?.matches("dd")) link = term(within.parentElement.querySelector("dt"));
    if (!link) found.push(`${walk.currentNode.data} in ${element.outerHTML.slice(0, 120)}`);
  }
  const links = [...document.querySelectorAll("main a.term")].map((link) => link.getAttribute("href"));
  return { found, figures, links: [...new Set(links)] };
}"""


@pytest.mark.usefixtures("quality")
@pytest.mark.parametrize("page", PAGES)
async def test_every_figure_has_its_definition(visit: Any, page: str) -> None:
    tab = (await visit()).tab
    await turn_to(tab, page)
    await tab.wait_for_selector(PAGES[page])
    await settle(tab)
    seen = await tab.evaluate(UNDEFINED)
    assert seen["found"] == []
    assert seen["figures"] >= (1 if "/T" in page else 4), "there is something to look at"
    await turn_to(tab, "definitions")
    await tab.wait_for_selector(".meanings")
    defined = await tab.evaluate("[...document.querySelectorAll('.meanings > div')].map((each) => each.id)")
    assert {link.removeprefix("#/definitions/") for link in seen["links"]} <= {
        name.removeprefix("meaning-") for name in defined
    }


async def test_a_figure_s_link_shows_its_definition(visit: Any) -> None:
    tab = (await visit()).tab
    await tab.click("p.counts a.term >> nth=0")
    await tab.wait_for_selector(".meanings .chosen:has-text('not connected to an agent yet')")
