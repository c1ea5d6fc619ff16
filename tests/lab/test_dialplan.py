"""The dialplan include and the AMI user as shipped, on a real Asterisk, with a FastAGI server of a few lines."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from callflow.lab.ami import AmiClient
from callflow.lab.lab import Lab, open_lab
from callflow.lab.sipp import Caller
from callflow.scenarios.site import AMI_SECRET, AMI_USER
from tests.labs import EACH_ASTERISK

pytestmark = [pytest.mark.lab]
Environment = dict[str, str]


@pytest.fixture(params=EACH_ASTERISK)
async def lab(request: pytest.FixtureRequest) -> AsyncIterator[Lab]:
    async with open_lab(request.param) as lab:
        yield lab


@asynccontextmanager
async def agi(lab: Lab, command: Callable[[Environment], str | None]) -> AsyncIterator[None]:
    """A FastAGI server in the daemon's place: gives each call one command, then closes the connection."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        environment: Environment = {}
        while line := (await reader.readline()).decode().strip():
            name, _, value = line.partition(":")
            environment[name] = value.strip()
        if wanted := command(environment):
            writer.write(f"{wanted}\n".encode())
            await reader.readline()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", lab.asterisk.ports.agi):
        yield


async def shipped_user(lab: Lab) -> AmiClient:
    """A session of the user in config/asterisk/manager_callflow.conf."""
    return await AmiClient.connect(lab.asterisk.ports.ami, AMI_USER, AMI_SECRET)


async def test_the_users_privileges_are_enough_and_no_more(lab: Lab) -> None:
    ami = await shipped_user(lab)
    for action in ("Status", "CoreShowChannels", "CoreSettings", "QueueStatus", "Ping"):
        assert (await ami.action(action))["Response"] == "Success", action
    for action, headers in (("Command", {"Command": "core stop now"}), ("ModuleCheck", {"Module": "app_queue"})):
        assert "denied" in (await ami.action(action, None, **headers))["Message"], action
    await ami.close()


async def test_the_self_test_call_is_heard_and_reports(lab: Lab) -> None:
    ami = await shipped_user(lab)
    where = {"Context": "callflow-check", "Exten": "tone", "Priority": "1", "Async": "true"}
    async with agi(lab, lambda environment: f"SET VARIABLE CALLFLOW_RESULT {environment['agi_arg_1']}"):
        check = {"CALLFLOW_CHECK": "check-1"}
        reply = await ami.action("Originate", check, Channel="Local/s@callflow-check/n", **where)
        assert reply["Response"] == "Success"
        heard = await ami.wait_event(lambda event: event["Event"] == "ChannelTalkingStart", 3)
        assert heard["Channel"].startswith("Local/s@callflow-check")
        report = await ami.wait_event(lambda event: event.get("UserEvent") == "CallflowCheck", 3)
        assert (report["Id"], report["Agi"], report["Result"]) == ("check-1", "SUCCESS", "check")
    await ami.close()


async def test_the_language_in_front_of_a_prompt_wins_over_the_channels(lab: Lab) -> None:
    languages = {"1001": ("en", "zh"), "1002": ("zh", "en"), "1003": ("fr", "zh"), "1004": ("zh", "zh")}

    def play(environment: Environment) -> str:
        return f'STREAM FILE {languages[environment["agi_callerid"]][1]}/callflow/greeting ""'

    async with agi(lab, play), lab.capture() as capture:
        calls = [
            await lab.call(Caller(number, f"dial_{channel}_support", hang_up_at_s=2.0))
            for number, (channel, _) in languages.items()
        ]
        await asyncio.gather(*(call.wait(10) for call in calls))
    wire = lab.read(capture)
    for number, (_, spoken) in languages.items():
        heard = lab.prompts(spoken).spoken(wire.one(number).received)
        assert [burst.prompt for burst in heard] == ["greeting"], number


async def test_only_silent_ends_in_the_include(lab: Lab) -> None:
    results = {"1001": "silent", "1002": "spoke", "1003": "passed", "1004": None}

    def decide(environment: Environment) -> str | None:
        result = results[environment["agi_callerid"]]
        return result and f"SET VARIABLE CALLFLOW_RESULT {result}"

    async with agi(lab, decide), lab.capture() as capture:
        calls = [await lab.call(Caller(number, "dial_zh_support")) for number in results]
        await asyncio.gather(*(call.wait(10) for call in calls))
    wire = lab.read(capture)
    assert {number for number in results if wire.one(number).agent_reached} == {"1002", "1003", "1004"}
    told = {event["Number"]: event["Result"] for event in lab.asterisk.ami.user_events("LabH")}
    assert told == {"1001": "silent", "1002": "spoke", "1003": "passed", "1004": "unavailable"}
