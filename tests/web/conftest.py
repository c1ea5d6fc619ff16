"""A page with a few days of calls behind it, and a floor that the test moves."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from callflow.settings.model import Settings
from callflow.web.app import make_app
from callflow.web.options import WebOptions
from callflow.web.server import site_for
from callflow.web.site import Site
from callflow.web.static_files import StaticFiles
from callflow.web.tokens import Role, TokenFile
from tests.store.samples import T0
from tests.web.database import seven_calls


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
    return seven_calls(tmp_path / "callflow.db")


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
