"""A queue whose member is a Local channel that stays (`/n`, as in FreePBX) and dials the agent's phone.

callflow assists in such a talk, also when it is started during the talk.
"""

import asyncio

import pytest

from callflow.lab.talks.asterisk_files import AGENTS
from callflow.lab.talks.talk_lab import talk_lab
from callflow.scenarios.site import Version
from tests.lab_assist.stage import CALLER, Talk, own_channels
from tests.labs import EACH_ASTERISK

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]

FILES = {
    "queues.conf": f"\n[desks]\ntimeout = 15\nmember => Local/{AGENTS[0]}@talk-desk/n,0,Desk {AGENTS[0]}\n",
    "extensions.conf": "\n[talk-desk]\nexten => _X.,1,Dial(PJSIP/${EXTEN},20)\n",
}


@pytest.mark.parametrize("first", ["daemon", "talk"])
@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_a_silent_caller_is_asked(version: Version, first: str) -> None:
    async with talk_lab(version, lambda port: FILES) as talks:
        daemon = talks.lab.daemon({"profiles": {"default": {"assist": "prompt"}}})
        if first == "daemon":
            await daemon.start()
        caller, agent = talks.phone(CALLER), talks.agent()
        caller.tone_hz, agent.tone_hz = 0, 0
        there = Talk(talks, daemon, *await talks.talk(caller, agent, "plain_desks"))
        if first == "talk":
            await daemon.start()
        await there.agent_greets()
        said = await there.told("said", "can_you_hear to caller")
        assert (said["outcome"], said["agent"], said["queue"]) == ("reached", AGENTS[0], "desks")
        assert "can_you_hear" in there.at(there.caller, ["can_you_hear"]).prompts
        assert "can_you_hear" not in there.at(there.agent, ["can_you_hear"]).prompts
        await there.caller.hang_up()
        await there.told("ended")
        await asyncio.sleep(0.3)
        assert own_channels(talks.ami) == []
