"""An export whose PostgreSQL goes away after the first bytes: every client sees that it is not whole."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner

from callflow.adapters.store.queries import Reader
from callflow.adapters.store.store import Store
from callflow.cli import app
from callflow.errors import StoreError
from callflow.settings.model import Settings
from callflow.web import calls_api
from callflow.web.options import WebOptions
from callflow.web.server import WebServer
from callflow.web.tokens import Role, TokenFile
from tests.adapters.waiting import until
from tests.fleet.test_database_away import cluster  # noqa: F401 - a fixture
from tests.services.postgres import Cluster, copy_of, make_database
from tests.store.samples import T0, ended, live_call

CALLS = 7
ROWS = 2
"""Calls of one page."""


@pytest.fixture
def calls(cluster: Cluster, tmp_path: Path) -> Iterator[str]:  # noqa: F811
    """The URL of a fleet's database with some calls; PostgreSQL runs again afterwards."""
    file = tmp_path / "node.db"
    store = Store(file, "main")
    store.open()
    for number in range(CALLS):
        store.save(ended(live_call(f"call-{number}", T0 + number)), final=True)
    store.close()
    yield copy_of(file, make_database(cluster.folder, "calls"))
    if not cluster.pids():
        cluster.restart()


@pytest.fixture
def gone_at_third_page(
    calls: str,  # filled before anything is counted
    cluster: Cluster,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """PostgreSQL crashes before the third query for rows of calls."""
    asked, rows = 0, Reader.rows

    def crashing(self: Reader, query: object, values: object = None) -> object:
        nonlocal asked
        asked += "calls.call_id" in str(query) and "count(" not in str(query)
        if asked == 3 and cluster.pids():
            cluster.crash()
        return rows(self, query, values)  # type: ignore[arg-type]

    monkeypatch.setattr(Reader, "rows", crashing)
    monkeypatch.setattr(calls_api, "EXPORT_PAGE", ROWS)
    stream: Callable[..., object] = Reader.stream
    monkeypatch.setattr(Reader, "stream", lambda self, wanted: stream(self, wanted, ROWS))


@asynccontextmanager
async def served(database: str, folder: Path) -> AsyncIterator[tuple[int, dict[str, str]]]:
    """The port of a page of this database, and the headers of a supervisor."""
    tokens = folder / "web-tokens.json"
    _, secret = TokenFile(tokens).add("test", Role.SUPERVISOR)
    options = WebOptions(port=0, tokens_file=str(tokens), audit_file=str(folder / "audit.jsonl"))
    server = WebServer(options, database, lambda: T0, settings=Settings)
    server.start()
    await until(lambda: server.port)
    try:
        yield server.port, {"Authorization": f"Bearer {secret}"}
    finally:
        await server.stop()


@pytest.mark.usefixtures("gone_at_third_page")
async def test_a_client_reports_an_incomplete_body(calls: str, tmp_path: Path) -> None:
    with capture_logs() as logs:
        async with served(calls, tmp_path) as (port, headers), httpx.AsyncClient(headers=headers) as client:
            with pytest.raises(httpx.TransportError):
                await client.get(f"http://127.0.0.1:{port}/api/v1/calls/export.csv")
    (told,) = [line for line in logs if line["event"] == "an export has broken off; its reader sees that"]
    assert "cannot be used" in told["reason"]


@pytest.mark.usefixtures("gone_at_third_page")
async def test_a_client_without_chunks_sees_it_too(calls: str, tmp_path: Path) -> None:
    """HTTP/1.0, as many proxies speak it: the end of the connection is the end of the body."""
    async with served(calls, tmp_path) as (port, headers):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        asked = f"GET /api/v1/calls/export.csv HTTP/1.0\r\nAuthorization: {headers['Authorization']}\r\n\r\n"
        writer.write(asked.encode())
        with pytest.raises(ConnectionResetError):
            async with asyncio.timeout(30):
                await reader.read()
        writer.close()


async def test_a_whole_export_ends_well_for_both(calls: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls_api, "EXPORT_PAGE", ROWS)
    async with served(calls, tmp_path) as (port, headers):
        async with httpx.AsyncClient(headers=headers) as client:
            answer = await client.get(f"http://127.0.0.1:{port}/api/v1/calls/export.csv")
        assert len(answer.text.splitlines()) == 1 + CALLS
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        asked = f"GET /api/v1/calls/export.csv HTTP/1.0\r\nAuthorization: {headers['Authorization']}\r\n\r\n"
        writer.write(asked.encode())
        async with asyncio.timeout(30):
            body = (await reader.read()).partition(b"\r\n\r\n")[2]
        assert body.decode() == answer.text
        writer.close()


async def test_a_database_that_is_away_from_the_start_is_an_error_in_words(
    calls: str,
    cluster: Cluster,  # noqa: F811
    tmp_path: Path,
) -> None:
    cluster.crash()
    async with served(calls, tmp_path) as (port, headers), httpx.AsyncClient(headers=headers) as client:
        answer = await client.get(f"http://127.0.0.1:{port}/api/v1/calls/export.csv")
    assert answer.status_code == 503
    assert answer.json()["is_away"]


@pytest.mark.usefixtures("gone_at_third_page")
@pytest.mark.parametrize("to_file", [True, False])
def test_the_command_fails_and_leaves_no_file(calls: str, tmp_path: Path, to_file: bool) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    words = ["calls", "--db", calls, "export", *([str(folder / "calls.csv")] if to_file else [])]
    done = CliRunner().invoke(app, words)
    assert done.exit_code != 0
    assert isinstance(done.exception, StoreError)
    assert list(folder.iterdir()) == [], "neither a finished-looking file nor a temporary one"
