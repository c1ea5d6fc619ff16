"""The page in a real browser: a server of its own for each test, and one Chromium for all tests of a process."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext
from playwright.async_api import Page as Tab

from callflow.adapters.store.callback_list import CallbackList
from callflow.adapters.store.places import Where
from callflow.core.service.evaluation import AgentFigures, Holds
from callflow.core.service.grouping import Counted
from callflow.publishing.agents_today import today_of
from callflow.settings.model import Settings
from callflow.web.options import WebOptions
from callflow.web.server import WebServer, tokens_of
from callflow.web.tokens import Role, TokenFile
from tests.adapters.waiting import until
from tests.services.chromium import browser
from tests.store.samples import T0
from tests.web import test_callbacks, test_cases, test_quality
from tests.web.conftest import Floor, page_settings


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    async with browser() as started:
        yield started


def busy_floor() -> Floor:
    """Three queues, sixty agents, two callers being screened."""
    floor = Floor(now_ms=T0 + 120_000)
    works = ("talking", "available", "ringing", "paused", "talking", "unavailable")
    now_ms = floor.now_ms
    floor.state = {
        "health": {
            "version": "0.1.0",
            "ami": True,
            "ear_proven": True,
            "mqtt": None,
            "queues_known": True,
            "calls": 2,
            "taps": 2,
            "agi_sessions": 2,
            "loop_lag_ms": 10,
            "outbox": None,
            "store": {"waiting": 0, "failing": 0, "dropped": 0, "lost": 0},
        },
        **{
            f"queue/{name}": {
                "queue": name,
                "waiting": waiting,
                "oldest_ms": now_ms - 42_000 if waiting else None,
                "members": {"available": 3, "talking": 5, "paused": 1},
            }
            for name, waiting in (("support", 2), ("sales", 0), ("billing", 1))
        },
        **{
            f"agent/{number}": {
                "agent": str(number),
                "work": works[number % 6],
                "since_ms": now_ms - 1000 * number,
                "reason": "lunch" if works[number % 6] == "paused" else "",
                "queues": ["support"],
            }
            for number in range(8001, 8061)
        },
    }
    floor.put("agent/8002", assist={"kind": "action", "what": "nuisance", "outcome": "observing", "at_ms": now_ms})
    floor.put("agent/8008", wrap_up={"began_ms": None, "outcome": ""})
    floor.put("agent/8007", reason="wrapup", wrap_up={"began_ms": now_ms - 9000, "outcome": "order"})
    for number in (8001, 8002):
        floor.put(
            f"today/{number}",
            agent=str(number),
            **today_of(AgentFigures(str(number), Counted(), Holds(talks=12, holds=3, hold_ms=95_000)), "2026-01-31"),
        )
    for number, does, heard in ((1, "saying", None), (2, "raising", "quiet")):
        floor.state[f"call/{number}"] = {
            "call_id": str(number),
            "caller": "•••12",
            "profile": "support",
            "rung": number,
            "does": does,
            "prompt": "greeting",
            "heard": heard,
            "level_dbov": -44.1 if heard else None,
            "arrived_ms": now_ms - 3000,
        }
    return floor


def settings_of(database: Path) -> Settings:
    """The settings of a site that knows how to dial, and whose callers may be called all day."""
    dialling = test_callbacks.RULES.model_copy(update={"dial": "PJSIP/{number}@carrier"})
    return page_settings(database).model_copy(update={"callbacks": dialling})


@dataclass
class Served:
    """A page that is being served."""

    server: WebServer
    floor: Floor
    database: Path
    options: WebOptions

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}/"

    @property
    def tokens(self) -> TokenFile:
        """The tokens of this page."""
        return tokens_of(self.options, self.database)

    def secret(self, role: Role = Role.SUPERVISOR, **limits: Any) -> str:
        """The secret of a new token."""
        return self.tokens.add("browser", role, **limits)[1]

    async def restart(self, *, live: bool = True, of: Where = "", settings: Settings | None = None) -> None:
        """Stop, and serve again at the same port; not `live`, or `of` another database: a database alone."""
        await self.server.stop()
        self.server = WebServer(
            self.options,
            of or self.database,
            lambda: self.floor.now_ms,
            (lambda: self.floor.state) if live and not of else None,
            lambda: settings or settings_of(self.database),
        )
        self.server.start()
        await until(lambda: self.server.port)


@pytest.fixture
def quality(database: Path) -> Path:
    """The database with call-backs, cases, ratings and standards."""
    test_quality.fill(database.parent)
    test_callbacks.fill(database)
    test_cases.fill(database)
    return database


@pytest_asyncio.fixture(loop_scope="session")
async def served(database: Path) -> AsyncIterator[Served]:
    with kept_port() as port:
        floor, options = busy_floor(), WebOptions(port=port)
        server = WebServer(options, database, lambda: floor.now_ms, lambda: floor.state, lambda: settings_of(database))
        server.start()
        await until(lambda: server.port)
        page = Served(server, floor, database, options)
        yield page
        await page.server.stop()


@contextmanager
def kept_port() -> Iterator[int]:
    """A port that nobody else gets, also while its server is stopped: a socket is bound to it and listens never."""
    with socket.socket() as kept:
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        kept.bind(("127.0.0.1", 0))
        yield kept.getsockname()[1]


@dataclass
class Visit:
    """One browser window; what went wrong in it is collected."""

    context: BrowserContext
    tab: Tab
    problems: list[str]


@pytest_asyncio.fixture(loop_scope="session")
async def visit(chromium: Browser, served: Served) -> AsyncIterator[Any]:
    """Open the page: `await visit(language="zh", dark=True, width=390)`, signed in unless `role` is None."""
    contexts: list[BrowserContext] = []
    visits: list[Visit] = []

    async def come(
        *,
        language: str = "en-GB",
        dark: bool = False,
        width: int = 1280,
        role: Role | None = Role.SUPERVISOR,
        **limits: Any,
    ) -> Visit:
        context = await chromium.new_context(
            viewport={"width": width, "height": 900}, locale=language, color_scheme="dark" if dark else "light"
        )
        contexts.append(context)
        await context.clock.set_system_time((T0 + 120_000) / 1000)
        tab = await context.new_page()
        made = Visit(context, tab, [])
        visits.append(made)
        tab.on("pageerror", lambda error: made.problems.append(str(error)))
        tab.on("console", lambda line: made.problems.append(line.text) if line.type == "error" else None)
        await tab.goto(served.url + (f"#token={served.secret(role, **limits)}" if role else ""))
        return made

    yield come
    for context in contexts:
        await context.close()


async def turn_to(tab: Tab, place: str) -> None:
    """Go to a place of the page, such as `calls`, once the first one is drawn."""
    await tab.wait_for_selector(".desk h1, .wall h1")
    await tab.evaluate("place => { location.hash = '#/' + place }", place)


async def settle(tab: Tab) -> None:
    """Two drawings of the page."""
    await tab.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    await asyncio.sleep(0)


def first_callback(served: Served) -> str:
    return CallbackList(served.database, "main").entries()[0].callback_id


async def barriers(tab: Tab) -> list[Any]:
    """What axe-core finds serious or critical, and where."""
    found = await Axe().run(tab)
    serious = [one for one in found.response["violations"] if one["impact"] in ("serious", "critical")]
    return [(one["id"], [node["target"] for node in one["nodes"]][:3]) for one in serious]
