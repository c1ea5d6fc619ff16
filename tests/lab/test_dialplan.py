"""The dialplan include and the AMI user as they are shipped, on a real Asterisk, without the daemon."""

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from callflow.lab.ami import AmiClient
from callflow.lab.lab import AMI_SECRET, AMI_USER, Lab, open_lab
from callflow.lab.roots import VERSIONS

pytestmark = [pytest.mark.lab]


@pytest.fixture(params=[pytest.param(v, marks=pytest.mark.xdist_group(f"asterisk-{v}")) for v in VERSIONS])
async def lab(request: pytest.FixtureRequest) -> AsyncIterator[Lab]:
    async with open_lab(request.param) as lab:
        yield lab


@pytest.fixture
async def ami(lab: Lab) -> AsyncIterator[AmiClient]:
    """A session of the user in config/asterisk/manager_callflow.conf."""
    client = await AmiClient.connect(lab.asterisk.ports.ami, AMI_USER, AMI_SECRET)
    yield client
    await client.close()


async def test_the_least_privileges_are_enough_and_no_more(ami: AmiClient) -> None:
    for action in ("Status", "CoreShowChannels", "CoreSettings", "QueueStatus", "Ping"):
        assert (await ami.action(action))["Response"] == "Success", action
    for action, headers in (("Command", {"Command": "core stop now"}), ("ModuleCheck", {"Module": "app_queue"})):
        assert "denied" in (await ami.action(action, **headers))["Message"], action


async def test_the_self_test_call_is_heard_and_reports(lab: Lab, ami: AmiClient) -> None:
    async with _agi_that_hangs_up(lab.asterisk.ports.agi):
        reply = await ami.action(
            "Originate", {"CALLFLOW_CHECK": "check-1"}, Channel="Local/s@callflow-check/n",
            Context="callflow-check", Exten="tone", Priority="1", Async="true",
        )  # fmt: skip
        assert reply["Response"] == "Success"
        heard = await ami.wait_event(lambda event: event["Event"] == "ChannelTalkingStart", 3)
        assert heard["Channel"].startswith("Local/s@callflow-check")
        report = await ami.wait_event(lambda event: event.get("UserEvent") == "CallflowCheck", 3)
        assert (report["Id"], report["Agi"], report["Result"]) == ("check-1", "SUCCESS", "unavailable")


async def test_the_language_in_front_of_a_prompt_wins_over_the_channels(lab: Lab) -> None:
    ...
