"""The page on the database of a fleet: every node's history with the same answers, its nodes, and nothing to change."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from callflow.adapters.store.fleet.collecting import CollectorDatabase
from callflow.adapters.store.places import Postgres
from callflow.core.fleet.arrival import Announced, Arrival
from callflow.settings.model import Settings
from callflow.web.app import make_app
from callflow.web.options import WebOptions
from callflow.web.server import site_for
from callflow.web.static_files import StaticFiles
from callflow.web.tokens import Role
from tests.services.postgres import copy_of
from tests.store.samples import T0
from tests.web import test_callbacks, test_quality
from tests.web.conftest import Floor, Page

NORTH = Announced("north", "1-a", "main", "pbx1", "0.1.0", T0, '{"rings": "a"}', T0, 20)
PERIOD = f"since_ms={T0 - 86_400_000}&until_ms={T0 + 86_400_000}"


def fill_fleet(database: Path, url: str) -> None:
    """What a node has recorded, and two nodes, one of them with a wrong clock."""
    copy_of(database, url)
    collector = CollectorDatabase(Postgres(url), "all")
    assert collector.open()
    collector.note(NORTH)
    collector.note(replace(NORTH, site="east", stream="2-b", host="pbx2", settings='{"rings": "a"}'))
    collector.note(replace(NORTH, site="south", stream="3-c", host="pbx3", skew_ms=-90_000, settings='{"rings": "b"}'))
    collector.write([Arrival("callflow/v1/north/event/call/stay", '{"schema": "callflow.call.stay/9"}', T0)])
    collector.close()


def fleet_settings(database: Path) -> Settings:
    """Of the machine that shows the page: its tokens are beside `store.path`."""
    file = database.with_name("standards.toml")
    return Settings.model_validate({"store": {"path": database}, "standards": {"file": file} if file.is_file() else {}})


@pytest.fixture
async def fleet_page(database: Path, fleet: str, files: StaticFiles) -> AsyncIterator[Page]:
    test_quality.fill(database.parent)
    test_callbacks.fill(database)
    fill_fleet(database, fleet)
    options = WebOptions(query_timeout_s=30.0)
    site = site_for(options, fleet, lambda: T0 + 5000, None, lambda: fleet_settings(database))
    transport = httpx.ASGITransport(make_app(site, files), client=("127.0.0.9", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://page") as client:
        yield Page(site, Floor(), site.tokens, client, database.parent)
    site.database.close()


async def test_it_answers_as_the_page_of_the_node(fleet_page: Page, page: Page) -> None:
    page.floor.now_ms = T0 + 5000
    for path in (
        "calls",
        "calls/main/silent-1",
        f"rings?{PERIOD}",
        f"silence?{PERIOD}",
        f"ratings?{PERIOD}",
        f"standards?{PERIOD}",
        "callbacks",
        "callbacks?state=done&state=open",
        f"callbacks/report?{PERIOD}",
    ):
        told, known = await fleet_page.get(path), await page.get(path)
        assert (told.status_code, path) == (200, path), told.text
        assert told.json() == known.json(), path
    assert len((await fleet_page.get("calls")).json()["calls"]) == 7


async def test_it_shows_the_nodes_and_what_is_wrong(fleet_page: Page) -> None:
    told = (await fleet_page.get("fleet", Role.VIEWER)).json()
    by_site = {node["site"]: node for node in told["nodes"]}
    assert list(by_site) == ["east", "north", "south"]
    assert by_site["north"]["wrong"] == by_site["north"]["differs"] == []
    assert by_site["south"]["differs"] == ["rings"]
    assert "its clock is -90 s" in by_site["south"]["wrong"][0]
    assert (by_site["south"]["host"], by_site["south"]["version"], told["unread_events"]) == ("pbx3", "0.1.0", 1)
    assert (await fleet_page.get("fleet", Role.AGENT, agent="8012")).status_code == 403
    assert (await fleet_page.get("fleet", queues=("support",))).status_code == 403


async def test_nothing_is_live_and_nothing_can_be_changed(fleet_page: Page) -> None:
    me = (await fleet_page.get("session")).json()
    assert (me["fleet"], me["live"], me["may_change"]) == (True, False, False)
    assert (await fleet_page.get("live")).status_code == 404
    cases = await fleet_page.get("cases")
    assert (cases.status_code, "kept at each node" in cases.json()["problem"]) == (404, True)
    one = (await fleet_page.get("callbacks")).json()["callbacks"][0]
    assert one["node"] == "main"
    detail = (await fleet_page.get(f"callbacks/{one['callback_id']}")).json()
    assert (detail["may"], detail["may_dial"]) == ([], False)
    headers = {"Authorization": f"Bearer {fleet_page.secret()}"}
    for path, body in (
        (f"callbacks/{one['callback_id']}/claim", {}),
        (f"callbacks/{one['callback_id']}/dial", {"agent": "8012"}),
        ("callbacks", {"number": "13855550100"}),
    ):
        answer = await fleet_page.client.post(f"/api/v1/{path}", json=body, headers=headers)
        assert answer.status_code == 403, (path, answer.text)


async def test_the_page_of_a_node_shows_no_fleet(page: Page) -> None:
    assert (await page.get("fleet")).status_code == 404
    assert not (await page.get("session")).json()["fleet"]
