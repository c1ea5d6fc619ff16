"""`systemctl reload` beside a real Asterisk: the caller in screening keeps the old settings, the next gets the new."""

import asyncio
from signal import SIGHUP
from typing import Any

import pytest
import tomli_w

from callflow.lab.lab import open_lab
from callflow.lab.sipp import Caller
from callflow.processes.daemon import Daemon
from callflow.scenarios.site import Version
from tests import labs

pytestmark = [pytest.mark.lab]

IN_LISTENING_S = 5.0
SHORT: dict[str, Any] = {
    "ladders": {"short": {"rungs": [{"prompt": "goodbye", "listen_s": 0.5, "then": "pass_on"}]}},
    "profiles": {"support": {"ladder": "short"}},
    "limits": {"max_calls": 7},
}


async def reload(daemon: Daemon, config: dict[str, Any], expected: str) -> None:
    """Write the settings file, ask for a reload, and wait for its line in the log."""
    (daemon.work / "callflow.toml").write_text(tomli_w.dumps(config))
    before = daemon.log.read_text().count(expected)
    daemon.send_signal(SIGHUP)
    async with asyncio.timeout(10):
        while daemon.log.read_text().count(expected) == before:  # noqa: ASYNC110 - a file has no events
            await asyncio.sleep(0.02)


async def said_to(daemon: Daemon, number: str) -> list[str]:
    """The prompts of a caller, then the result; waits until the screening has ended."""
    query = "select call_id, result from calls where result is not null and caller_number = ?"
    async with asyncio.timeout(40):
        while not (found := labs.rows(daemon.database, query, number)):  # noqa: ASYNC110 - a database has no events
            await asyncio.sleep(0.1)
    call_id, result = found[0]
    entries = labs.rows(
        daemon.database, "select what from happenings where kind = 'said' and call_id = ? order by seq", call_id
    )
    return [*(what for (what,) in entries), result]


@pytest.mark.parametrize("version", labs.EACH_ASTERISK)
async def test_new_calls_get_new_settings_and_a_faulty_file_changes_nothing(version: Version) -> None:
    async with open_lab(version) as lab:
        daemon = await lab.start_daemon()
        await lab.call(Caller("1001", "dial_en_support", hang_up_at_s=40.0))
        await asyncio.sleep(IN_LISTENING_S)
        await reload(daemon, lab.config(SHORT), "the settings are reloaded")
        await lab.call(Caller("1002", "dial_en_support", hang_up_at_s=12.0))
        assert await said_to(daemon, "1002") == ["goodbye", "passed"]
        assert (await said_to(daemon, "1001"))[:3] == ["greeting", "can_you_hear", "goodbye"]
        await reload(daemon, lab.config(SHORT | {"limits": {"max_cals": 1}}), "the settings are not reloaded")
        await lab.call(Caller("1003", "dial_en_support", hang_up_at_s=12.0))
        assert await said_to(daemon, "1003") == ["goodbye", "passed"]
        log = daemon.log.read_text()
    assert "limits.max_calls" in log, "it needs a restart"
    assert "limits.max_cals: there is no such setting" in log
    assert "did you mean 'max_calls'?" in log
