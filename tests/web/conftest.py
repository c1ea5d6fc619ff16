"""A page with a few days of calls behind it, and a floor that the test moves."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from callflow.adapters.store.store import Store
from callflow.core.assist.steps import AssistStep, StepKind
from callflow.core.assist.wrap_up import EndedBy
from callflow.core.screening.states import Result
from callflow.settings.model import Settings
from callflow.web.app import make_app
from callflow.web.options import WebOptions
from callflow.web.server import site_for
from callflow.web.site import Site
from callflow.web.static_files import StaticFiles
from callflow.web.tokens import Role, TokenFile
from tests.publishing import samples
from tests.store.samples import T0, ended, live_call, observed, silent_story


@dataclass
class Floor:
    """What the daemon would read off."""

    now_ms: int = T0
    state: dict[str, dict[str, Any]] = field(
        default_factory=lambda: {
            "health": {"ami": True},
            "queue/support": {"queue": "support", "waiting": 2},
            "queue/sales": {"queue": "sales", "waiting": 0},
            "agent/8001": {"agent": "8001", "work": "talking", "queues": ["support"]},
            "agent/8002": {"agent": "8002", "work": "available", "queues": ["sales"]},
            "call/a": {"call_id": "a", "rung": 1},
        }
    )

    def put(self, key: str, **values: Any) -> None:
        """Something has changed."""
        self.state = self.state | {key: self.state.get(key, {}) | values}

    def remove(self, key: str) -> None:
        """Something has gone."""
        self.state = {name: value for name, value in self.state.items() if name != key}


@dataclass
class Page:
    """The application with its parts, and a token of each role."""

    site: Site
    floor: Floor
    tokens: TokenFile
    client: httpx.AsyncClient
    folder: Path

    def secret(self, role: Role = Role.SUPERVISOR, **limits: Any) -> str:
        """The secret of a new token."""
        return self.tokens.add(f"a {role}", role, **limits)[1]

    async def get(self, path: str, role: Role = Role.SUPERVISOR, **limits: Any) -> httpx.Response:
        """GET /api/v1/PATH with a token of this role."""
        headers = {"Authorization": f"Bearer {self.secret(role, **limits)}"}
        return await self.client.get(f"/api/v1/{path}", headers=headers)

    def audited(self) -> list[dict[str, Any]]:
        """The audit trail."""
        import json

        file = self.folder / "web-audit.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


@pytest.fixture(scope="session")
def files() -> StaticFiles:
    return StaticFiles()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Seven calls: two silent, four who spoke (one with all that a talk may have), one observed, heard afterwards."""
    path = tmp_path / "callflow.db"
    with Store(path, "main") as store:
        story = live_call("silent-1", T0)
        store.save(story, final=False)
        for entry in silent_story():
            store.add_to_timeline("silent-1", entry)
        store.save(ended(story, Result.SILENT, 20_019), final=True)
        store.save(ended(live_call("silent-2", T0 + 1000), Result.SILENT, 20_019), final=True)
        for number in range(4):
            store.save(ended(live_call(f"spoke-{number}", T0 + 10_000 * (number + 1))), final=True)
        for record in (samples.stay(), samples.offer(), samples.leg(), samples.talk(at_ms=T0 + 20_000)):
            store.save(replace(record, call_id="spoke"), final=True)
        step = AssistStep(
            "s-1", samples.talk(at_ms=T0 + 20_000).talk_id, "spoke", 1, "1007", "support", "support", "prompt",
            T0 + 50_000, StepKind.SAID, "please_go_on", "reached", "the caller has stopped in mid-sentence",
        )  # fmt: skip
        store.save(step, final=True)
        store.save(replace(samples.transfer(at_ms=T0 + 52_000), call_id="spoke"), final=True)
        wrap_up = replace(samples.wrap_up(None), call_id="spoke", asked_ms=T0 + 55_000)
        store.save(wrap_up.begin(T0 + 60_000, "order").end(T0 + 90_000, EndedBy.READY), final=True)
        hold = replace(samples.hold(at_ms=T0 + 40_000), talk_id=samples.talk(at_ms=T0 + 20_000).talk_id)
        store.save(replace(hold, call_id="spoke"), final=True)
        store.save(observed(live_call("observed-1", T0 + 60_000), Result.SILENT, spoke_after=True), final=True)
    return path


def page_settings(database: Path) -> Settings:
    """The settings of a site whose file of standards, if there is one, is beside its database."""
    file = database.with_name("standards.toml")
    return Settings(standards={"file": file} if file.is_file() else {})


@pytest.fixture
async def page(database: Path, files: StaticFiles) -> AsyncIterator[Page]:
    floor = Floor()
    options = WebOptions(max_viewers=5, query_timeout_s=5.0)
    site = site_for(options, database, lambda: floor.now_ms, lambda: floor.state, lambda: page_settings(database))
    transport = httpx.ASGITransport(make_app(site, files), client=("127.0.0.9", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://page") as client:
        yield Page(site, floor, site.tokens, client, database.parent)
    if site.live is not None:
        site.live.stop()
    site.database.close()
