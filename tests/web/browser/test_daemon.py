"""The page of a real daemon beside the pretend Asterisk: live calls, stored calls, a daemon that is killed."""

import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from callflow.processes.daemon import Daemon
from callflow.processes.ports import take_ports
from callflow.processes.process import Process
from callflow.scenarios.scenario import find_scenario
from callflow.scenarios.site import daemon_config
from callflow.web.tokens import Role, TokenFile

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]


@dataclass
class Floor:
    """A daemon that serves the page, and the pretend Asterisk whose calls begin at its first login."""

    daemon: Daemon
    address: str


@pytest_asyncio.fixture(loop_scope="session")
async def floor(tmp_path: Path) -> AsyncIterator[Floor]:
    with take_ports() as ports:
        ami, agi, web = ports.named(), ports.named(), ports.named()
        config = daemon_config(ami, agi, tmp_path / "callflow.db") | {"web": {"port": web}}
        daemon = Daemon(tmp_path, config)
        command = [sys.executable, "-m", "callflow.simulator.pretend", str(find_scenario("demo"))]
        command += ["--ami-port", str(ami), "--agi-port", str(agi), "--start", "login"]
        pretend = await Process.start(command, tmp_path, "pretend")
        _, secret = TokenFile(tmp_path / "web-tokens.json").add("test", Role.SUPERVISOR)
        try:
            await daemon.start()
            yield Floor(daemon, f"http://127.0.0.1:{web}/#token={secret}")
        finally:
            if daemon.running:
                await daemon.stop()
            await pretend.stop()


async def test_calls_are_shown_while_they_last_and_after_and_a_killed_daemon_comes_back(
    chromium: Browser, floor: Floor
) -> None:
    context = await chromium.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
    tab = await context.new_page()
    problems: list[str] = []
    tab.on("pageerror", lambda error: problems.append(str(error)))
    await tab.goto(floor.address)
    await tab.wait_for_selector("td .does.saying:has-text('greeting')")
    await tab.wait_for_selector("td .does.listening")
    await floor.daemon.kill()
    await tab.wait_for_selector(".freshness.stale")
    await floor.daemon.start()
    await tab.wait_for_selector(".freshness.fresh")
    await tab.evaluate("location.hash = '#/calls'")
    await tab.click("tbody tr:last-child a")
    await tab.wait_for_selector("svg.picture rect.span.prompt")
    await tab.evaluate("location.hash = '#/health'")
    await tab.wait_for_selector(".health dt:has-text('AMI')")
    assert problems == []
    await context.close()
