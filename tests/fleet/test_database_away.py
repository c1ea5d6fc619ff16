"""The page and the collector of a fleet while PostgreSQL is stopped and started: they wait, say so, and go on."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
import tomli_w

from callflow.adapters.store.fleet.migrate import bring_to_head
from callflow.adapters.store.places import Postgres
from callflow.errors import StoreError
from callflow.processes.notify_socket import NotifySocket
from callflow.processes.ports import take_ports
from callflow.processes.process import Process
from callflow.web.tokens import Role, TokenFile
from tests.services.postgres import Cluster, make_database, url
from tests.services.programs import Missing

pytestmark = pytest.mark.timeout(300)
PATIENCE_S = 60.0
AWAY = "the database is away: see the log"
GONE = "failed: No such file"
"""Of a PostgreSQL that is down; one that starts refuses for a moment, which is another reason and told, too."""
BOTH_COMMANDS = pytest.mark.parametrize("command", ["web", "collect"])


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL of these tests alone, with the tables of a fleet in the database `callflow`."""
    made = Cluster.new()
    try:
        made.start()
    except Missing as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(missing))
    try:
        bring_to_head(Postgres(make_database(made.folder, "callflow")))
        yield made
    finally:
        made.stop()


@pytest.fixture(autouse=True)
def runs(cluster: Cluster) -> Iterator[None]:
    """Each test begins with a PostgreSQL that runs."""
    yield
    if not cluster.pids():
        cluster.restart()


class Service:
    """`callflow web` or `callflow collect`, and what it says."""

    def __init__(self, process: Process, port: int, secret: str, notify: NotifySocket) -> None:
        self.process = process
        self.told: list[str] = []
        self._notify = notify
        self._address = f"http://127.0.0.1:{port}"
        self._headers = {"Authorization": f"Bearer {secret}"}

    async def get(self, path: str) -> httpx.Response:
        async with httpx.AsyncClient(base_url=self._address, headers=self._headers, timeout=30) as client:
            return await client.get(path)

    async def becomes(self, path: str, status: int) -> httpx.Response:
        """The first answer with this status."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                assert self.process.running, self.process.output.read_text()
                try:
                    answer = await self.get(path)
                except httpx.TransportError:
                    answer = None
                if answer is not None and answer.status_code == status:
                    return answer
                await asyncio.sleep(0.05)

    async def says(self, line: str) -> None:
        """Wait until systemd is told a line that begins so."""
        async with asyncio.timeout(PATIENCE_S):
            while not any(each.startswith(line) for each in self.told):
                self.told += await self._notify.told()


@asynccontextmanager
async def service(command: str, folder: Path, database: str) -> AsyncIterator[Service]:
    """The command runs while inside."""
    _, secret = TokenFile(folder / "web-tokens.json").add("test", Role.VIEWER)
    with take_ports() as ports, NotifySocket() as notify:
        port, broker = ports.named(), ports.named()
        config: dict[str, Any] = {
            "store": {"path": str(folder / "none.db")},
            "fleet": {"database_url": database},
            "mqtt": {"enabled": True, "host": "127.0.0.1", "port": broker},
            "http": {"port": port},
            "web": {"port": port},
        }
        file = folder / "fleet.toml"
        file.write_text(tomli_w.dumps(config))
        words = [sys.executable, "-m", "callflow", "-c", str(file), command, *(["--fleet"] * (command == "web"))]
        env = {**os.environ, "NOTIFY_SOCKET": notify.address}
        process = await Process.start(words, folder, command, env)
        try:
            yield Service(process, port, secret, notify)
        finally:
            await process.stop()


async def test_the_page_waits_for_its_database_and_goes_on_by_itself(cluster: Cluster, tmp_path: Path) -> None:
    cluster.crash()
    async with service("web", tmp_path, url(cluster.folder, "callflow")) as page:
        await page.says("READY=1")
        await page.says("STATUS=waiting: the database postgresql://")
        told = await page.becomes("/readyz", 503)
        assert told.json() == {"ready": False, "reason": AWAY}
        assert (await page.get("/healthz")).status_code == 200, "a restart would not bring PostgreSQL back"
        assert "<title>" in (await page.get("/")).text
        refused = await page.get("/api/v1/calls")
        assert refused.status_code == 503
        assert refused.json()["is_away"]
        assert "goes on once the database is back" in refused.json()["remedy"]
        cluster.restart()
        await page.becomes("/readyz", 200)
        assert (await page.get("/api/v1/calls")).json() == {"calls": [], "next": None}
        await page.says("STATUS=the database can be read")
        assert page.told.count("READY=1") == 1
        log = page.process.output.read_text()
        away = [line for line in log.splitlines() if "the database is away" in line and GONE in line]
        assert len(away) == 1, "said once, however often it is looked for"
        assert "check that PostgreSQL runs" in away[0]


async def test_the_database_restarts_under_the_page(cluster: Cluster, tmp_path: Path) -> None:
    async with service("web", tmp_path, url(cluster.folder, "callflow")) as page:
        await page.becomes("/readyz", 200)
        for _ in range(2):
            cluster.crash()
            refused = await page.get("/api/v1/calls")
            assert (refused.status_code, refused.json()["is_away"]) == (503, True)
            await page.becomes("/readyz", 503)
            cluster.restart()
            assert (await page.get("/api/v1/calls")).status_code == 200, "no restart of the page is needed"
            await page.becomes("/readyz", 200)


async def test_the_collector_waits_for_its_database(cluster: Cluster, tmp_path: Path) -> None:
    cluster.crash()
    async with service("collect", tmp_path, url(cluster.folder, "callflow")) as collector:
        await collector.says("READY=1")
        await collector.says("STATUS=waiting: the database postgresql://")
        told = (await collector.becomes("/readyz", 503)).json()
        assert "No such file" in told["reason"] or "refused" in told["reason"]
        cluster.restart()
        await collector.says("STATUS=waiting: [Errno 111]")  # now for the broker, which is not there
        assert collector.process.running


async def test_the_page_waits_until_the_collector_has_made_the_tables(cluster: Cluster, tmp_path: Path) -> None:
    database = make_database(cluster.folder, "empty")
    async with service("web", tmp_path, database) as page:
        await page.says("STATUS=waiting: ")
        assert "holds no calls of callflow" in page.told[-1]
        bring_to_head(Postgres(database), "0005")
        await page.says(f"STATUS=waiting: {Postgres(database).shown} is from an older callflow (schema 0005")
        bring_to_head(Postgres(database))
        await page.becomes("/readyz", 200)


@BOTH_COMMANDS
@pytest.mark.parametrize("fault", ["password", "newer", "none of this name", "no URL"])
async def test_what_a_person_must_mend_ends_it_with_a_clear_error(
    command: str, fault: str, cluster: Cluster, tmp_path: Path
) -> None:
    database, said = {
        "password": (url(cluster.folder, "callflow").replace("callflow@", "walled:wr0ng@"), "authentication failed"),
        "newer": (make_database(cluster.folder, "newer"), "made by a newer callflow (schema 9999"),
        "none of this name": (url(cluster.folder, "nowhere"), "createdb makes it"),
        "no URL": ("mysql://callflow@localhost/callflow", "not the URL of a PostgreSQL database"),
    }[fault]
    if fault == "newer":
        bring_to_head(Postgres(database))
        with Postgres(database).transaction() as connection:
            connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    elif fault == "password":
        _wall_in(cluster)
    async with service(command, tmp_path, database) as one:
        began_s = time.monotonic()
        assert await one.process.wait(PATIENCE_S) == 2
        text = one.process.output.read_text()
        assert said in text
        assert "Traceback" not in text
        assert "wr0ng" not in text
        assert "READY=1" not in one.told, "systemctl start fails"
        assert time.monotonic() - began_s < PATIENCE_S


def _wall_in(cluster: Cluster) -> None:
    """The user `walled` needs a password."""
    rules = cluster.folder / "data" / "pg_hba.conf"
    with Postgres(url(cluster.folder, "callflow")).transaction() as connection:
        if connection.exec_driver_sql("SELECT 1 FROM pg_roles WHERE rolname = 'walled'").first() is None:
            connection.exec_driver_sql("CREATE ROLE walled LOGIN PASSWORD 'right'")
        if "walled" not in rules.read_text():
            rules.write_text("local all walled scram-sha-256\n" + rules.read_text())
        connection.exec_driver_sql("SELECT pg_reload_conf()")
    without = Postgres(url(cluster.folder, "callflow").replace("callflow@", "walled@"))
    until_s = time.monotonic() + PATIENCE_S
    while _lets_in(without):
        assert time.monotonic() < until_s, "the rules have not been read"
        time.sleep(0.05)


def _lets_in(database: Postgres) -> bool:
    try:
        with database.transaction():
            return True
    except StoreError:
        return False
