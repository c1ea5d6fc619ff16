"""Calls that come while the daemon is away are recorded once when it is back, on a real Asterisk."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

import pytest

from callflow.lab.lab import Lab, open_lab
from callflow.processes.daemon import Daemon
from callflow.scenarios.site import Version
from tests.labs import EACH_ASTERISK, rows

pytestmark = [pytest.mark.lab]

PATIENCE_S = 20.0
SETTINGS: dict[str, Any] = {"profiles": {"support": {}}}
CALLER = """[noted]
exten => _X.,1,Set(CALLERID(num)=${EXTEN})
 same => n,Set(CALLERID(name)=a "caller",|x)
 same => n,Gosub(callflow-screen,s,1(support))
 same => n,UserEvent(Noted,Number: ${CALLERID(num)},Result: ${CALLFLOW_RESULT})
 same => n,Hangup()
exten => h,1,UserEvent(Noted,Number: ${CALLERID(num)},Result: h of the caller's own context)
exten => odd,1,Set(CALLERID(num)=1|2${URIDECODE(%0D%0A)}3)
 same => n,Gosub(callflow-screen,s,1(support))
 same => n,UserEvent(Noted,Number: odd,Result: ${CALLFLOW_RESULT})
 same => n,Hangup()
exten => hold,1,Answer()
 same => n,Wait(60)
"""


@pytest.fixture(params=EACH_ASTERISK)
async def lab(request: pytest.FixtureRequest) -> AsyncIterator[Lab]:
    version: Version = request.param
    async with open_lab(version, additions=lambda ports: {"extensions.conf": CALLER}) as lab:
        yield lab


async def call(lab: Lab, extension: str) -> None:
    """Have one half of a Local channel screened."""
    where = {"Context": "noted", "Exten": "hold", "Priority": "1", "Async": "true"}
    reply = await lab.asterisk.ami.action("Originate", None, Channel=f"Local/{extension}@noted/n", **where)
    assert reply["Response"] == "Success"


async def went_on(lab: Lab, number: str) -> str:
    """The result with which the dialplan went on."""
    told = await lab.asterisk.ami.wait_event(lambda event: event.get("Number") == number, PATIENCE_S)
    return str(told["Result"])


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await condition():  # noqa: ASYNC110 - other processes do not report it
            await asyncio.sleep(0.05)


async def until_nothing_is_noted(lab: Lab) -> None:
    await until(partial(_nothing_noted, lab))


async def _nothing_noted(lab: Lab) -> bool:
    return (await lab.asterisk.ami.action("Getvar", None, Variable="DB_KEYS(callflow)"))["Value"] == ""


async def until_in_the_script(lab: Lab, number: str) -> None:
    await until_seen(lab, number, "Application", "AGI")


async def until_seen(lab: Lab, number: str, header: str, value: str) -> None:
    """Wait until a list of channels has the caller so."""

    async def is_seen() -> bool:
        await lab.asterisk.ami.action("CoreShowChannels")
        events = lab.asterisk.ami.events
        return any(event.get(header) == value and number in event.get("Channel", "") for event in events)

    await until(is_seen)


async def hang_up(lab: Lab, number: str) -> None:
    await lab.asterisk.ami.action("Hangup", None, Channel=f"/^Local/{number}@noted-.*$/")


def ended(daemon: Daemon) -> list[dict[str, Any]]:
    found = rows(daemon.database, "select * from calls where profile = 'support' order by caller_number")
    return [dict(row) for row in found if row["ended_ms"] is not None]


async def until_ended(daemon: Daemon, calls: int) -> list[dict[str, Any]]:
    async def are() -> bool:
        return len(ended(daemon)) >= calls

    await until(are)
    return ended(daemon)


async def test_calls_without_a_daemon_are_recorded_when_it_is_there(lab: Lab) -> None:
    for number in ("5550101", "5550102", "odd"):
        await call(lab, number)
        assert await went_on(lab, number) == "unavailable"
    daemon = await lab.start_daemon(SETTINGS)
    found = await until_ended(daemon, 3)
    assert [row["caller_number"] for row in found] == ["123", "5550101", "5550102"]
    assert {(row["result"], row["partial"]) for row in found} == {("unavailable", 1)}
    await until_nothing_is_noted(lab)


async def test_a_caller_who_hangs_up_on_a_frozen_daemon_is_recorded(lab: Lab) -> None:
    daemon = await lab.start_daemon(SETTINGS)
    daemon.stall()
    await call(lab, "5550103")
    await until_in_the_script(lab, "5550103")
    await hang_up(lab, "5550103")
    await daemon.kill()
    await daemon.start()
    assert [row["result"] for row in await until_ended(daemon, 1)] == ["hangup"]


@pytest.mark.parametrize(("line", "result"), [(1, "hangup"), (2, "hangup"), (6, "hangup"), (7, "unavailable")])
async def test_a_caller_who_hangs_up_while_being_noted_is_noted_once(lab: Lab, line: int, result: str) -> None:
    """A busy Asterisk took 0.7 s over the first line of the note: here a line waits; it may be left out afterwards."""
    wait = "Wait(${IF($[${CALLFLOW_RESULT}=unavailable]?9:0)})"
    add = f"dialplan add extension s,{line},{wait} into callflow-note replace"
    assert (await lab.asterisk.ami.action("Command", None, Command=add))["Response"] == "Success"
    await call(lab, "5550106")
    await until_seen(lab, "5550106", "Context", "callflow-note")
    await hang_up(lab, "5550106")
    assert await went_on(lab, "5550106") == "h of the caller's own context"
    daemon = await lab.start_daemon(SETTINGS)
    assert [row["result"] for row in await until_ended(daemon, 1)] == [result]
    await until_nothing_is_noted(lab)
    assert len(ended(daemon)) == 1


async def test_what_the_daemon_knows_is_not_noted(lab: Lab) -> None:
    """Nothing deletes notes while no daemon runs, so a note would still be there."""
    daemon = await lab.start_daemon(SETTINGS)
    await call(lab, "5550104")
    await until_in_the_script(lab, "5550104")
    await hang_up(lab, "5550104")
    await call(lab, "5550105")
    await until_in_the_script(lab, "5550105")
    await until_ended(daemon, 1)
    await daemon.stop()
    assert await went_on(lab, "5550105") == "unavailable"
    assert await _nothing_noted(lab)
    assert [row["result"] for row in ended(daemon)] == ["hangup", "unavailable"]
