"""The daemon starts while a caller talks to an agent, who then consults another queue and transfers the caller."""

import asyncio

import pytest

from callflow.lab.rings.judge import record, records_of, rules_of
from callflow.lab.rings.run import SCENARIOS, ring_lab
from callflow.lab.rings.scenario import read_ring_scenarios
from callflow.scenarios.site import Version
from tests.labs import EACH_ASTERISK, rows

AGREES_MS = 100

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]


@pytest.mark.parametrize("name", ["attended-key-to-queue", "attended-key-to-local"])
@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_a_consulted_queues_talk_is_the_transferred_callers(version: Version, name: str) -> None:
    async with ring_lab(version, read_ring_scenarios(SCENARIOS, (name,))) as rings:
        (scenario,) = rings.scenarios
        cadences = rules_of(rings.scenarios).queue_cadences
        daemon = rings.lab.daemon({"rings": {"queue_cadences": cadences}})
        calls = asyncio.create_task(rings.place())
        await rings.lab.asterisk.ami.wait_event(lambda event: event["Event"] == "BridgeEnter", 30)
        await daemon.start()
        placed = await calls
        await daemon.stop()
        talks = rows(daemon.database, "select * from talks")
        stays = rows(daemon.database, "select * from stays")
    was = records_of(kept := record(placed), scenario)
    (caller,) = {stay.call_id for stay in was.stays}
    known = {talk.agent: talk for talk in kept.talk_records}
    (talk,) = talks
    assert (talk["call_id"], talk["agent"]) == (caller, scenario.numbers["b"])
    assert talk["talk_ms"] == pytest.approx(known[scenario.numbers["b"]].talk_ms, abs=AGREES_MS)
    (stay,) = stays
    assert (stay["call_id"], stay["agent"], stay["outcome"]) == (caller, scenario.numbers["b"], "answered")
