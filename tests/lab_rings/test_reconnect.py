"""AMI is cut in mid-ring: what was in progress is recorded once, as partial, and nothing is made up."""

import asyncio

import pytest

from callflow.lab.lab import Lab
from callflow.lab.proxy import Proxy
from callflow.lab.rings.judge import record, records_of, rules_of
from callflow.lab.rings.run import SCENARIOS, ring_lab
from callflow.lab.rings.scenario import read_ring_scenarios
from callflow.scenarios.site import Version
from tests.labs import EACH_ASTERISK, rows

CUT_AFTER_S, BACK_AFTER_S = 3.0, 7.8
"""From the first ring on. `queue-ideal` is picked up while AMI is away, `queue-late` after it is back."""

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]


async def cut_in_mid_ring(lab: Lab, proxy: Proxy) -> None:
    await lab.asterisk.ami.wait_event(lambda event: event["Event"] == "AgentCalled", 30)
    await asyncio.sleep(CUT_AFTER_S)
    proxy.cut(reset=True, refuse=True)
    await asyncio.sleep(BACK_AFTER_S - CUT_AFTER_S)
    proxy.heal()


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_what_rang_while_ami_was_cut_is_told_once_and_never_wrongly(version: Version) -> None:
    names = ("queue-ideal", "queue-late")
    async with ring_lab(version, read_ring_scenarios(SCENARIOS, names)) as rings, rings.lab.ami_proxy() as proxy:
        cadences = rules_of(rings.scenarios).queue_cadences
        daemon = await rings.lab.start_daemon({"rings": {"queue_cadences": cadences}, "ami": {"port": proxy.port}})
        placed, _ = await asyncio.gather(rings.place(), cut_in_mid_ring(rings.lab, proxy))
        after = await rings.place()
        await daemon.stop()
        stays, legs = [rows(daemon.database, f"select * from {table} order by rowid") for table in ("stays", "legs")]
    truth, truth_after = record(placed), record(after)
    for one in rings.scenarios:
        (cut, whole) = [row for row in stays if row["queue"] == one.queue]
        (was,) = records_of(truth, one).stays
        assert (cut["partial"], cut["open"]) == (1, 0)
        assert cut["outcome"] in (None, was.outcome)
        (is_now,) = records_of(truth_after, one).stays
        assert (whole["partial"], whole["outcome"]) == (0, is_now.outcome)
        (leg,) = records_of(truth_after, one).legs
        (row,) = [row for row in legs if row["leg_id"] == leg.leg_id]
        assert (row["answer_class"], row["ring_ms"]) == (leg.answer_class, leg.ring_ms)
    known = {leg.leg_id: leg for kept in (truth, truth_after) for leg in kept.legs}
    for row in legs:
        assert row["leg_id"] in known
        if not row["partial"]:
            right = known[row["leg_id"]]
            assert (row["answer_class"], row["end"], row["ring_ms"]) == (right.answer_class, right.end, right.ring_ms)
    assert len({row["leg_id"] for row in legs}) == len(legs)
