"""The daemon is killed and started again while a caller waits: that is one stay, with its outcome and times."""

import asyncio

import pytest

from callflow.lab.rings.judge import record, records_of, rules_of
from callflow.lab.rings.run import SCENARIOS, ring_lab
from callflow.lab.rings.scenario import read_ring_scenarios
from callflow.processes.daemon import Daemon
from callflow.scenarios.site import Version
from tests.labs import EACH_ASTERISK, rows

KILL_AFTER_S = 2.5
"""`queue-late` rings until 9.5 s."""
AGREES_MS = 100
"""Without the DialBegin that the first daemon saw, AgentConnect gives the time of connection, not the bridge."""

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]


async def kill_and_start(daemon: Daemon) -> None:
    await asyncio.sleep(KILL_AFTER_S)
    await daemon.kill()
    await daemon.start()


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_a_stay_goes_on_through_a_kill_of_the_daemon(version: Version) -> None:
    async with ring_lab(version, read_ring_scenarios(SCENARIOS, ("queue-late",))) as rings:
        (scenario,) = rings.scenarios
        daemon = await rings.lab.start_daemon({"rings": {"queue_cadences": rules_of(rings.scenarios).queue_cadences}})
        placed, _ = await asyncio.gather(rings.place(), kill_and_start(daemon))
        await daemon.stop()
        (stay,) = rows(daemon.database, "select * from stays")
    (was,) = records_of(record(placed), scenario).stays
    assert (stay["entry_id"], stay["joined_ms"]) == (was.entry_id, was.joined_ms)
    assert (stay["outcome"], stay["agent"]) == (was.outcome, was.agent)
    assert (stay["partial"], stay["open"]) == (1, 0)
    assert [stay["wait_ms"], stay["talk_ms"]] == pytest.approx([was.wait_ms, was.talk_ms], abs=AGREES_MS)
