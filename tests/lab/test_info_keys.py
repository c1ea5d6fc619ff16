"""Keys sent by SIP INFO: Asterisk reports only their end, and they count as a sign of life all the same."""

import pytest

from callflow.lab.lab import open_lab
from callflow.lab.screening.run import SCENARIO_CONFIG
from callflow.lab.sipp import Agents, Caller
from callflow.scenarios.site import Version
from tests import labs

pytestmark = [pytest.mark.lab]


@pytest.mark.parametrize("version", ["22", "16"])
async def test_a_key_by_info_hands_the_caller_on(version: Version) -> None:
    async with open_lab(version, agents=Agents(talk_s=1.0)) as lab:
        daemon = await lab.start_daemon(SCENARIO_CONFIG)
        async with lab.capture() as capture:
            caller = Caller("1001", "dial_zh_support", hang_up_at_s=20.0, info_key=(4.0, "5"))
            assert await (await lab.call(caller)).wait(40) == 0
        told = [event["Event"] for event in lab.asterisk.ami.events if event["Event"].startswith("DTMF")]
        await daemon.stop()
        assert lab.read(capture).one("1001").agent_reached
        (call,) = labs.rows(daemon.database, "select result from calls where caller_number = '1001'")
    assert call["result"] == "key"
    assert set(told) == {"DTMFEnd"}
