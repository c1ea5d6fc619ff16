"""Only a process that serves the page loads its framework; `callflow web` serves it from a database alone."""

import hashlib
import subprocess
import sys
from pathlib import Path

import httpx
from typer.testing import CliRunner

from callflow.cli import app
from callflow.errors import SettingError
from callflow.installed import CHECKOUT
from callflow.processes.ports import take_ports
from callflow.processes.process import Process
from callflow.web.tokens import Role, TokenFile
from tests.adapters.waiting import answered
from tests.services.postgres import copy_of

COMMANDS_AND_DAEMON = """
import sys
import callflow.cli
from callflow.daemon import Daemon
from callflow.settings.model import Settings

settings = Settings.model_validate({"ami": {"secret": "x"}, "store": {"path": sys.argv[1]}})
assert settings.web.enabled
Daemon(settings)
assert "fastapi" not in sys.modules
"""
"""The page is on, and loaded only when callers are let in."""


def test_only_the_page_loads_its_framework(tmp_path: Path) -> None:
    command = [sys.executable, "-c", COMMANDS_AND_DAEMON, str(tmp_path / "callflow.db")]
    subprocess.run(command, check=True, timeout=60)


async def test_the_command_serves_the_database_of_a_fleet(database: Path, fleet: str, tmp_path: Path) -> None:
    copy_of(database, fleet)
    config = tmp_path / "fleet.toml"
    config.write_text(f'[store]\npath = "{tmp_path}/none.db"\n[fleet]\ndatabase_url = "{fleet}"\n')
    _, secret = TokenFile(tmp_path / "web-tokens.json").add("test", Role.VIEWER)
    with take_ports() as ports:
        port = ports.named()
        command = [sys.executable, "-m", "callflow", "-c", str(config), "web", "--port", str(port)]
        process = await Process.start(command, tmp_path, "page")
        try:
            await answered(port)
            address, headers = f"http://127.0.0.1:{port}/", {"Authorization": f"Bearer {secret}"}
            async with httpx.AsyncClient(base_url=address, headers=headers, timeout=30) as client:
                assert len((await client.get("/api/v1/calls")).json()["calls"]) == 7
                assert (await client.get("/api/v1/session")).json()["fleet"]
                assert "of the fleet's postgresql://" in process.output.read_text()
        finally:
            await process.stop()


def test_the_page_of_a_fleet_shows_no_node_s_database_instead(database: Path) -> None:
    """The unit of the fleet's page, before its settings are filled in, on a machine that has a daemon too."""
    config = database.with_name("collect.toml")
    config.write_text(f'[store]\npath = "{database}"\n')
    unit = (CHECKOUT / "config/systemd/callflow-web.service").read_text()
    (start,) = [line for line in unit.splitlines() if line.startswith("ExecStart=")]
    words = start.partition(" --config /etc/callflow/collect.toml ")[2].split()
    done = CliRunner(env={"CALLFLOW_CONFIG": ""}).invoke(app, ["--config", str(config), *words])
    assert done.exit_code != 0
    assert isinstance(done.exception, SettingError)
    assert "database_url" in str(done.exception)


def checksum(file: Path) -> bytes:
    return hashlib.sha256(file.read_bytes()).digest()


async def test_the_command_serves_a_database_alone_and_leaves_it_as_it_was(database: Path, tmp_path: Path) -> None:
    _, secret = TokenFile(database.with_name("web-tokens.json")).add("test", Role.ADMIN)
    before = checksum(database)
    with take_ports() as ports:
        port = ports.named()
        command = [sys.executable, "-m", "callflow", "web", "--db", str(database), "--port", str(port)]
        process = await Process.start(command, tmp_path, "page")
        try:
            await answered(port)
            address, headers = f"http://127.0.0.1:{port}/", {"Authorization": f"Bearer {secret}"}
            async with httpx.AsyncClient(base_url=address, headers=headers, timeout=30) as client:
                assert f"of this node's {database} " in process.output.read_text()
                assert "<title>" in (await client.get("/")).text
                assert len((await client.get("/api/v1/calls")).json()["calls"]) == 7
                assert (await client.get("/api/v1/live")).status_code == 404, "nothing is live"
                assert (await client.post("/api/v1/cases", json={"reference": "T-1"})).status_code == 403
        finally:
            await process.stop()
    assert checksum(database) == before
