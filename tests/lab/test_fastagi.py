"""The FastAGI port on a real Asterisk: callers with hostile names, and strangers who pose as a caller."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from callflow.lab.lab import Lab, open_lab
from callflow.processes.ports import LOOPBACK
from callflow.scenarios.site import Version
from tests.labs import EACH_ASTERISK, rows

pytestmark = [pytest.mark.lab]

LINE_FEED = "${URIDECODE(%0A)}"
NAMES = {
    "plain": "Alice",
    "blank-line": f"ACME{LINE_FEED}{LINE_FEED}GmbH",
    "other-profile": f"X{LINE_FEED}agi_arg_1: default{LINE_FEED}agi_threadid: 1{LINE_FEED}agi_arg_1: default",
    "whole-tail": f"X{LINE_FEED}agi_callingpres: 0{LINE_FEED}agi_dnid: 5{LINE_FEED}agi_rdnis: 5{LINE_FEED}"
    f"agi_threadid: 1{LINE_FEED}agi_arg_1: default{LINE_FEED}agi_arg_2: 1{LINE_FEED}{LINE_FEED}HANGUP{LINE_FEED}"
    "200 result=0",
    "controls": "a${URIDECODE(%07%09%1b%0d)}z",
    "long": "${X}",
}
SHOWN = {"plain": "Alice", "blank-line": "ACME GmbH", "controls": "a z"}
PROFILES = {"profiles": {"default": {"mode": "act"}, "person": {"mode": "off"}, "watch": {"mode": "observe"}}}


def dialplan(*_: object) -> dict[str, str]:
    """An extension for each name, whose call is screened with profile `watch`; its other half waits."""
    doubled = " same => n,Set(X=${X}${X})\n" * 9
    lines = [
        f"exten => {key},1,Set(X=abcdefgh)\n{doubled} same => n,Set(CALLERID(name)={name})\n"
        " same => n,Gosub(callflow-screen,s,1(watch))\n"
        f" same => n,UserEvent(Named,Key: {key},Result: ${{CALLFLOW_RESULT}})\n same => n,Hangup()\n"
        for key, name in NAMES.items()
    ]
    live = "exten => live,1,Gosub(callflow-screen,s,1(default))\n same => n,Hangup()\n"
    return {"extensions.conf": "[named]\n" + "".join(lines) + live + "exten => hold,1,Answer()\n same => n,Wait(60)\n"}


@pytest.fixture(params=EACH_ASTERISK)
async def lab(request: pytest.FixtureRequest) -> AsyncIterator[Lab]:
    version: Version = request.param
    async with open_lab(version, additions=dialplan) as lab:
        yield lab


async def call(lab: Lab, extension: str) -> None:
    """Have one half of a Local channel screened."""
    where = {"Context": "named", "Exten": "hold", "Priority": "1", "Async": "true"}
    reply = await lab.asterisk.ami.action("Originate", None, Channel=f"Local/{extension}@named/n", **where)
    assert reply["Response"] == "Success"


async def test_no_name_changes_the_profile_or_the_record(lab: Lab) -> None:
    daemon = await lab.start_daemon(PROFILES)
    for key in NAMES:
        await call(lab, key)
        told = await lab.asterisk.ami.wait_event(lambda event, key=key: event.get("Key") == key, 20)  # type: ignore[misc]
        assert told["Result"] == "observed", key
    await daemon.stop()
    kept = rows(daemon.database, "select profile, caller_name from calls where profile != 'check' order by arrived_ms")
    assert [row["profile"] for row in kept] == ["watch"] * len(NAMES)
    shown = dict(zip(NAMES, (row["caller_name"] for row in kept), strict=True))
    assert {key: shown[key] for key in SHOWN} == SHOWN
    assert len(shown["long"]) == 256
    assert all(name.isprintable() for name in shown.values())


@asynccontextmanager
async def stranger(port: int, uniqueid: str, channel: str) -> AsyncIterator[asyncio.StreamReader]:
    """A program that claims to be the script of this channel."""
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    header = (
        f"agi_network: yes\nagi_network_script: screen\nagi_request: x\nagi_channel: {channel}\nagi_language: en\n"
        f"agi_type: Local\nagi_uniqueid: {uniqueid}\nagi_version: 22\nagi_callerid: 1\nagi_calleridname: x\n"
        "agi_callingpres: 0\nagi_dnid: 1\nagi_rdnis: 1\nagi_threadid: 1\nagi_arg_1: default\nagi_arg_2: 1\n\n"
    )
    writer.write(header.encode())
    try:
        yield reader
    finally:
        writer.close()


@pytest.mark.parametrize("token", ["", "auto"])
async def test_strangers_change_nothing_for_a_live_caller(lab: Lab, token: str) -> None:
    daemon = await lab.start_daemon({**PROFILES, "agi": {"token": token}})
    await call(lab, "live")
    called = await lab.asterisk.ami.wait_event(
        lambda event: (
            event["Event"] == "Newchannel"
            and event["Channel"].startswith("Local/live@named")
            and event["Channel"].endswith(";2")
        ),
        5,
    )
    await lab.asterisk.ami.wait_event(lambda event: event["Event"] == "ChannelTalkingStart", 10)
    for _ in range(12):
        async with stranger(lab.asterisk.ports.agi, called["Uniqueid"], called["Channel"]) as reader:
            if not token:
                question = await asyncio.wait_for(reader.readline(), 5)
                assert question.startswith(b"GET FULL VARIABLE")
    async with stranger(lab.asterisk.ports.agi, "1.99", "PJSIP/none-1") as reader:
        assert await asyncio.wait_for(reader.read(), 5) == b""
    uniqueid = called["Uniqueid"]
    await lab.asterisk.ami.wait_event(lambda event: (event["Event"], event.get("Uniqueid")) == ("Hangup", uniqueid), 40)
    await daemon.stop()
    (kept,) = rows(daemon.database, "select * from calls where profile = 'default'")
    assert kept["result"] in ("silent", "unavailable")
    ended = "select what from happenings where kind = 'prompt_ended' and call_id = "
    said = rows(daemon.database, f"{ended} '{uniqueid}' order by seq")
    assert [row["what"] for row in said] == ["greeting", "can_you_hear", "goodbye"]
