"""The page of a real daemon beside the pretend Asterisk: live calls, stored calls, a killed daemon, every page."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from callflow.adapters.store.queries import Reader
from callflow.core.call_record import Kind
from callflow.processes.daemon import Daemon
from callflow.processes.ports import take_ports
from callflow.records.calls import StoredCall
from callflow.scenarios.scenario import find_scenario
from callflow.scenarios.site import daemon_config
from callflow.web.tokens import Role, TokenFile
from tests.adapters.waiting import answered
from tests.web.browser.conftest import turn_to

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]


@dataclass
class Floor:
    """A daemon that serves the page, and the standard input of the pretend Asterisk: with "begin" the calls begin."""

    daemon: Daemon
    address: str
    asterisk: asyncio.StreamWriter


@pytest_asyncio.fixture(loop_scope="session")
async def floor(tmp_path: Path) -> AsyncIterator[Floor]:
    with take_ports() as ports:
        ami, agi, web = ports.named(), ports.named(), ports.named()
        config = daemon_config(ami, agi, tmp_path / "callflow.db") | {"web": {"port": web}}
        daemon = Daemon(tmp_path, config)
        command = [sys.executable, "-m", "callflow.simulator.pretend", str(find_scenario("demo"))]
        command += ["--ami-port", str(ami), "--agi-port", str(agi), "--start", "stdin"]
        with (tmp_path / "pretend.out").open("wb") as output:
            pretend = await asyncio.create_subprocess_exec(
                *command, stdin=asyncio.subprocess.PIPE, stdout=output, stderr=output
            )
        _, secret = TokenFile(tmp_path / "web-tokens.json").add("test", Role.ADMIN)
        try:
            await daemon.start()
            await answered(web)  # it is ready for calls before it serves the page
            assert pretend.stdin is not None
            yield Floor(daemon, f"http://127.0.0.1:{web}/#token={secret}", pretend.stdin)
        finally:
            if daemon.running:
                await daemon.stop()
            with suppress(ProcessLookupError):  # it ends after its last call
                pretend.terminate()
            await pretend.wait()


async def with_a_prompt(database: Path) -> StoredCall:
    """A call of which the database knows that a prompt was played: a killed daemon saves nothing more."""
    async with asyncio.timeout(30):
        while True:
            with Reader(database) as reader:
                for call in reader.page():
                    if any(entry.kind is Kind.SAID for entry in reader.happenings(call)):
                        return call
            await asyncio.sleep(0.1)


async def test_calls_are_shown_while_they_last_and_after_and_a_killed_daemon_comes_back(
    chromium: Browser, floor: Floor
) -> None:
    context = await chromium.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
    tab = await context.new_page()
    problems: list[str] = []
    tab.on("pageerror", lambda error: problems.append(str(error)))
    await tab.goto(floor.address)
    await tab.wait_for_selector(".freshness.fresh")
    floor.asterisk.write(b"begin\n")
    await tab.wait_for_selector("td .does.saying:has-text('greeting')")
    await tab.wait_for_selector("td .does.listening")
    call = await with_a_prompt(floor.daemon.database)
    await floor.daemon.kill()
    await tab.wait_for_selector(".freshness.stale")
    await floor.daemon.start()
    await tab.wait_for_selector(".freshness.fresh")
    await turn_to(tab, "calls")
    await tab.click(f"td a[href='#/call/{call.node}/{call.record.call_id}']")
    await tab.wait_for_selector("svg.picture rect.span.prompt")
    await turn_to(tab, "health")
    await tab.wait_for_selector(".health dt:has-text('AMI')")
    for page in await tab.locator("nav a").all():
        await page.click()
        await tab.wait_for_selector("nav a[aria-current=page]:focus, h1:focus")
        await tab.wait_for_selector("main:has(h1):not(:has-text('Loading'))")
        assert await tab.locator("main .problem").count() == 0
    assert problems == []
    await context.close()
