"""Taps by RTP on a real Asterisk without AudioSocket: what ends the channel when the daemon is gone."""

from collections.abc import Mapping

import pytest

from callflow.adapters.ami.actions import RTP_TAP_S
from callflow.lab.phone.call import State
from callflow.scenarios.site import Version
from tests.lab_assist.stage import assisted, gaps_ok
from tests.lab_assist.test_kinds_of_caller import NORMAL_DBOV, voice

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]

SLACK_S = 1.0


@pytest.mark.parametrize("version", ["16"])
async def test_the_tap_of_a_killed_daemon_ends_by_itself_and_the_talk_goes_on(version: Version) -> None:
    async with assisted(version, "prompt") as there:
        there.caller.media.background = voice(there.talks, NORMAL_DBOV)

        def is_tap(event: Mapping[str, str], name: str) -> bool:
            return event["Event"] == name and event.get("Uniqueid", "").startswith("callflow-tap-")

        begun = await there.talks.ami.wait_event(lambda event: is_tap(event, "Newchannel"), 20)
        await there.daemon.kill()
        ended = await there.talks.ami.wait_event(lambda event: is_tap(event, "Hangup"), RTP_TAP_S + 10)
        lasted_s = float(ended["Timestamp"]) - float(begun["Timestamp"])
        assert lasted_s == pytest.approx(RTP_TAP_S, abs=SLACK_S)
        assert (there.caller.state, there.agent.state) == (State.TALKING, State.TALKING)
        gaps_ok(there)
