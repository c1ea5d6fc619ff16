"""The page on the database of a fleet, in a browser."""

import asyncio
from pathlib import Path
from typing import Any

import psycopg
import pytest
from playwright.async_api import expect

from callflow.adapters.mqtt.asking import NodeAway
from callflow.adapters.mqtt.options import MqttOptions
from callflow.core.callbacks.states import Step
from callflow.core.fleet.orders import Answer, ListStep
from callflow.web import callbacks_elsewhere, server
from tests.fleet.test_database_away import cluster  # noqa: F401 - a fixture
from tests.services.postgres import Cluster, url
from tests.web.browser.conftest import Served, barriers
from tests.web.test_fleet_page import fill_fleet, fleet_settings

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]


@pytest.mark.parametrize("language", ["en-GB", "zh-CN"])
async def test_it_begins_with_the_nodes_and_says_that_nothing_is_live(
    served: Served, visit: Any, quality: Path, fleet: str, language: str
) -> None:
    fill_fleet(quality, fleet)
    await served.restart(of=fleet, settings=fleet_settings(quality))
    one = await visit(language=language)
    tab = one.tab
    row = tab.get_by_role("row").filter(has_text="south")
    await expect(row).to_contain_text("its clock is -90 s")
    await expect(row).to_contain_text("rings")
    await expect(tab.get_by_role("alert")).to_contain_text("1")
    said = "Nothing is live here" if language == "en-GB" else "这里没有实时数据"
    await expect(tab.locator("main")).to_contain_text(said)
    for name in ("now", "cases", "health"):
        assert await tab.locator(f'nav a[href="#/{name}"]').count() == 0
    assert await barriers(tab) == []
    await tab.locator('nav a[href="#/callbacks"]').click()
    await expect(tab.get_by_role("row").nth(1)).to_contain_text("main")
    await tab.locator('nav a[href="#/calls"]').click()
    await expect(tab.get_by_role("row").nth(7)).to_be_visible()
    assert one.problems == []


async def test_it_says_that_the_database_is_away_and_goes_on_once_it_is_back(
    served: Served,
    visit: Any,
    quality: Path,
    cluster: Cluster,  # noqa: F811
) -> None:
    """The visitor touches nothing."""
    database = url(cluster.folder, "callflow")
    fill_fleet(quality, database)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CHECKPOINT")  # a test's cluster does not wait for its disk, and a crash would undo it
    cluster.crash()
    await served.restart(of=database, settings=fleet_settings(quality))
    one = await visit()
    said = one.tab.get_by_role("alert")
    await expect(said).to_contain_text("cannot be used")
    await expect(said).to_contain_text("goes on once the database is back")
    assert await barriers(one.tab) == []
    cluster.restart()
    await expect(one.tab.get_by_role("row").filter(has_text="south")).to_contain_text(
        "its clock is -90 s", timeout=20_000
    )


async def test_a_token_of_one_queue_begins_with_its_rings(
    served: Served, visit: Any, quality: Path, fleet: str
) -> None:
    fill_fleet(quality, fleet)
    await served.restart(of=fleet, settings=fleet_settings(quality))
    tab = (await visit(queues=("support",))).tab
    await expect(tab.locator('nav a[aria-current="page"]')).to_have_attribute("href", "#/rings")
    assert await tab.locator('nav a[href="#/fleet"]').count() == 0


async def test_a_step_is_asked_of_the_node_and_its_answer_is_shown(
    served: Served, visit: Any, quality: Path, fleet: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_fleet(quality, fleet)
    may_answer, asked = asyncio.Event(), list[ListStep]()

    async def answer(options: MqttOptions, site: str, step: ListStep) -> Answer:
        asked.append(step)
        await may_answer.wait()
        if len(asked) > 1:
            raise NodeAway("the node of main has not answered", "callflow fleet shows the node")
        return Answer(step.order_id, True, "is claimed now", step.callback_id)

    monkeypatch.setattr(server, "answer_of_node", answer)
    monkeypatch.setattr(callbacks_elsewhere, "LOOKS", 1)
    settings = fleet_settings(quality).model_copy(update={"mqtt": MqttOptions(host="broker.example.org")})
    await served.restart(of=fleet, settings=settings)
    one = await visit()
    tab = one.tab
    await tab.locator('nav a[href="#/callbacks"]').click()
    await tab.get_by_role("row").filter(has_text="open").first.get_by_role("link").click()
    claim = tab.get_by_role("button", name="Claim")
    await claim.click()
    await expect(tab.locator("main")).to_contain_text("the node of the entry is asked")
    await expect(claim).to_be_disabled()
    may_answer.set()
    await expect(tab.locator("main")).to_contain_text("main: is claimed now")
    await claim.click()
    await expect(tab.get_by_role("alert")).to_contain_text("has not answered")
    assert [step.step for step in asked] == [Step.CLAIM] * 2
    assert await barriers(tab) == []
