"""An agent that is half of a Local channel and runs something other than Dial: an announcement, a bot.

callflow assists in such a talk like in any other, and knows less: Asterisk counts no packets of a Local channel. So no
prompt counts as heard, and callflow does not hang up.
"""

import asyncio

import pytest

from callflow.lab.phone.call import State
from callflow.lab.talks.talk_lab import talk_lab
from callflow.scenarios.site import Version
from tests.lab_assist.stage import CALLER, own_channels
from tests.labs import EACH_ASTERISK, rows

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]

FILES = {
    "queues.conf": "\n[bots]\nstrategy = rrmemory\ntimeout = 15\nmember => Local/s@talk-bot/n\n",
    "extensions.conf": (
        "\n[talk-bot]\nexten => s,1,Answer()\n same => n,Playback(lab/tone_1450)\n same => n,Wait(34)\n"
    ),
}
"""The application sends nothing while it waits: after 15 s callflow does not believe that it still speaks."""
LASTS_S = 34.0


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_a_silent_caller_of_an_application_is_not_hung_up_on(version: Version) -> None:
    """The talk ends when the application does, and nothing of callflow's remains."""
    async with talk_lab(version, lambda port: FILES) as talks:
        daemon = await talks.lab.start_daemon({"profiles": {"default": {"assist": "act"}}})
        caller = talks.phone(CALLER)
        caller.tone_hz = 0
        call = caller.call("plain_bots")
        await call.until(State.TALKING)
        began_s = asyncio.get_running_loop().time()
        await call.until(State.ENDED, 60)
        assert asyncio.get_running_loop().time() - began_s > LASTS_S
        await asyncio.sleep(1.0)
        steps = [dict(row) for row in rows(daemon.database, "select * from assist_steps order by seq")]
        asked = [step["outcome"] for step in steps if step["what"] == "can_you_hear to caller"]
        assert asked == ["unknown"]
        kinds = [step["kind"] for step in steps]
        assert "doubt" in kinds
        assert not {"parted", "hung_up", "returned"} & set(kinds)
        assert own_channels(talks.ami) == []
