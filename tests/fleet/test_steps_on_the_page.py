"""Steps of call-backs on the page of a fleet: the node of the entry takes them, and the page says what it answers."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from callflow.adapters.mqtt import asking
from callflow.adapters.mqtt.asking import NodeAway
from callflow.adapters.store.callback_list import CallbackList
from callflow.adapters.store.fleet.collecting import CollectorDatabase
from callflow.adapters.store.places import Postgres
from callflow.core.callbacks.entry import Entry, Reason
from callflow.core.callbacks.raising import Wanted
from callflow.core.callbacks.states import State, Step
from callflow.core.fleet.orders import Answer, ListStep
from callflow.settings.model import Settings, load_settings
from callflow.web import callbacks_elsewhere
from callflow.web.app import make_app
from callflow.web.options import WebOptions
from callflow.web.server import site_for
from callflow.web.site import Site
from callflow.web.static_files import StaticFiles
from callflow.web.tokens import Role
from tests.fleet.test_callback_lists import arrivals
from tests.fleet.test_steps_elsewhere import RULES, Elsewhere, orders_of
from tests.fleet.test_steps_elsewhere import elsewhere as elsewhere
from tests.publishing import samples
from tests.web.conftest import Floor, Page
from tests.web.conftest import files as files


class Node:
    """The node north with one entry, asked without a broker; what it does is collected unless `collects` is False."""

    def __init__(self, path: Path, fleet: str) -> None:
        self.entries = CallbackList(path, "north")
        self.entries.prepare()
        wanted = Wanted("13855550100", "default", Reason.SILENT, samples.T0, "because")
        self.entry: Entry = self.entries.add(wanted, RULES, samples.T0)[0]
        self.orders = orders_of(path, None)
        self.collects, self.is_away = True, False
        self._database = CollectorDatabase(Postgres(fleet), "all")
        assert self._database.open()
        self.collect()

    def collect(self) -> None:
        self._database.write(arrivals(self.entries))

    def close(self) -> None:
        self._database.close()

    async def ask(self, site: str, asked: ListStep) -> Answer:
        assert site == "north"
        if self.is_away:
            raise NodeAway("the node of north has not answered", "callflow fleet")
        answer = await self.orders.obey(asked)
        if self.collects:
            self.collect()
        return answer

    @property
    def now(self) -> Entry:
        return self.entries.find(self.entry.callback_id)


@dataclass
class Visit:
    """The page of the fleet, and the node behind it."""

    node: Node
    page: Page

    async def post(self, step: str, role: Role = Role.SUPERVISOR, agent: str = "", **body: Any) -> httpx.Response:
        return await post(self.page, self.node.entry.callback_id, step, role, agent, **body)


async def post(
    page: Page, callback_id: str, step: str, role: Role = Role.SUPERVISOR, agent: str = "", **body: Any
) -> httpx.Response:
    headers = {"Authorization": f"Bearer {page.secret(role, agent=agent)}"}
    return await page.client.post(f"/api/v1/callbacks/{callback_id}/{step}", json=body, headers=headers)


def client_of(site: Site, folder: Path, files: StaticFiles) -> Page:
    transport = httpx.ASGITransport(make_app(site, files), client=("127.0.0.9", 1))
    client = httpx.AsyncClient(transport=transport, base_url="http://page", timeout=60)
    return Page(site, Floor(), site.tokens, client, folder)


@pytest.fixture
async def visit(fleet: str, tmp_path: Path, files: StaticFiles) -> AsyncIterator[Visit]:
    node = Node(tmp_path / "callflow.db", fleet)
    settings = Settings.model_validate({"store": {"path": tmp_path / "none.db"}})
    site = site_for(WebOptions(query_timeout_s=30), fleet, lambda: samples.T0, None, lambda: settings)
    page = client_of(replace(site, ask_node=node.ask), tmp_path, files)
    async with page.client:
        yield Visit(node, page)
    node.close()
    site.database.close()


async def test_the_node_takes_the_step_and_the_page_shows_it(visit: Visit) -> None:
    one = visit.node.entry.callback_id
    detail = (await visit.page.get(f"callbacks/{one}")).json()
    assert (detail["may"], detail["may_dial"]) == (["claim", "done", "give_up"], True)
    claimed = await visit.post("claim", Role.AGENT, "8012")
    assert claimed.status_code == 200, claimed.text
    assert (claimed.json()["state"], claimed.json()["answer"]) == ("claimed", "north: is claimed now")
    assert (visit.node.now.state, visit.node.now.actor) == (State.CLAIMED, "8012")
    assert (await visit.post("done", Role.AGENT, "8013")).status_code == 404, "it is another agent's"
    dialled = (await visit.post("dial", Role.AGENT, "8012")).json()
    assert dialled["answer"] == "north: has been asked to call for agent 8012"
    assert visit.node.now.wish == "8012"
    refused = await visit.post("reopen")
    assert (refused.status_code, "reopen is not possible" in refused.json()["problem"]) == (409, True)
    settled = (await visit.post("done", Role.AGENT, "8012", why="wrote a letter")).json()
    assert (settled["state"], settled["changes"][-1]["why"]) == ("done", "wrote a letter")
    audited = [line for line in visit.page.audited() if "answer" in line]
    assert [line["action"] for line in audited] == [
        "claim call-back",
        "dial call-back",
        "reopen call-back",
        "done call-back",
    ]


async def test_a_refusal_a_silent_node_and_a_viewer_change_nothing(visit: Visit) -> None:
    assert (await visit.post("claim", Role.VIEWER)).status_code == 403
    assert (await visit.post("give_up")).status_code == 409, "giving up needs a reason"
    visit.node.is_away = True
    away = await visit.post("claim")
    assert (away.status_code, "has not answered" in away.json()["problem"]) == (504, True)
    visit.node.is_away = False
    visit.node.orders = orders_of(visit.node.entries._path, None, RULES.model_copy(update={"remote": False}))
    refused = await visit.post("claim")
    assert (refused.status_code, "callbacks.remote is off" in refused.json()["problem"]) == (409, True)
    assert visit.node.now == visit.node.entry


async def test_a_step_for_what_the_entry_no_longer_is_is_refused(visit: Visit) -> None:
    """The page shows what the collector has; the node knows better."""
    at_node = visit.node.entries
    at_node.change(visit.node.entry.callback_id, lambda now: now.step(Step.CLAIM, samples.T0, "8012", "claimed"))
    refused = await visit.post("done")
    assert (refused.status_code, "somebody else has just changed" in refused.json()["problem"]) == (409, True)
    assert visit.node.now.state is State.CLAIMED


async def test_a_late_collector_does_not_hide_the_answer(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callbacks_elsewhere, "LOOKS", 2)
    visit.node.collects = False
    late = (await visit.post("claim")).json()
    assert (late["state"], late["answer"]) == ("open", "north: is claimed now")
    assert visit.node.now.state is State.CLAIMED


async def test_over_a_real_broker(
    elsewhere: Elsewhere, fleet: str, tmp_path: Path, files: StaticFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callbacks_elsewhere, "LOOKS", 2)
    settings = load_settings(elsewhere.config)
    site = site_for(WebOptions(query_timeout_s=30), fleet, lambda: samples.T0, None, lambda: settings)
    page = client_of(site, tmp_path, files)
    async with page.client:
        claimed = await post(page, elsewhere.entry.callback_id, "claim")
        assert (claimed.status_code, claimed.json()["answer"]) == (200, "north: is claimed now")
        assert elsewhere.state() == "claimed"
        monkeypatch.setattr(asking, "ANSWER_S", 1.0)
        elsewhere.sender.publishing.fleet_orders = None
        away = await post(page, elsewhere.entry.callback_id, "release")
        assert (away.status_code, "has not answered" in away.json()["problem"]) == (504, True)
    site.database.close()
