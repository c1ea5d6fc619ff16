"""Calls that the daemon may not know leave the same notes on Asterisk 22, 16 and the pretend ones; AMI answers alike.

There is no daemon. A FastAGI server stands in for it, or nobody listens at its port.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from callflow.lab.ami import AmiClient, Message
from callflow.lab.lab import open_lab
from callflow.processes.ports import LOOPBACK
from callflow.scenarios.scenario import Scenario
from callflow.scenarios.site import AMI_SECRET, AMI_USER, VERSIONS, Version
from callflow.simulator.pretend.ami_server import User
from callflow.simulator.pretend.asterisk import PretendAsterisk
from callflow.simulator.pretend.flavour import FLAVOURS
from callflow.simulator.pretend.world import Places
from tests.labs import EACH_ASTERISK
from tests.simulator.pretend.stage import free_port, in_virtual_time

DIALPLAN = """
[noted]
exten => _X.,1,Set(CALLERID(num)=${EXTEN})
 same => n,Set(CHANNEL(language)=zh)
 same => n,Gosub(callflow-screen,s,1(support))
 same => n,UserEvent(Noted,Number: ${EXTEN},Result: ${CALLFLOW_RESULT},Agi: ${AGISTATUS})
 same => n,Hangup()
exten => again,1,Set(CALLERID(num)=+49 30|1)
 same => n,Gosub(callflow-screen,s,1(support))
 same => n,Gosub(callflow-screen,s,1(sales))
 same => n,UserEvent(Noted,Number: again,Result: ${CALLFLOW_RESULT},Agi: ${AGISTATUS})
 same => n,Hangup()
exten => h,1,UserEvent(Noted,Number: h${CALLERID(num)},Result: ${CALLFLOW_RESULT},Agi: ${AGISTATUS})
exten => many,1,Set(COUNT=180)
 same => n(next),Set(COUNT=$[${COUNT} - 1])
 same => n,Set(DB(callflow/1700000${COUNT}.1-1)=x)
 same => n,GotoIf($[${COUNT} > 100]?next)
 same => n,UserEvent(Noted,Number: many,Result: ,Agi: )
exten => hold,1,Answer()
 same => n,Wait(60)
"""
PATIENCE_S = 15.0
LIMIT = 10_000
NOTE = re.compile(r"(\d{10})\|(\d{10})\|(\w+)\|(Local/\w+@noted-[0-9a-f]{8};2)\|(\w+)\|(\w+)\|([^|]*)\|([^|]*)")


@dataclass
class Asked:
    """One Asterisk, real or pretend: where its AMI and its FastAGI are."""

    ami: AmiClient
    agi_port: int

    async def variable(self, name: str) -> str:
        answer = await self.ami.action("Getvar", Variable=name)
        assert (answer["Response"], answer["Variable"]) == ("Success", name)
        return answer["Value"]

    async def set(self, name: str, value: str) -> None:
        answer = await self.ami.action("Setvar", Variable=name, Value=value)
        assert (answer["Response"], answer["Message"]) == ("Success", "Variable Set")

    async def names(self) -> list[str]:
        return [name for name in (await self.variable("DB_KEYS(callflow)")).split(",") if name]

    async def call(self, exten: str) -> None:
        answer = await self.ami.action(
            "Originate", Channel=f"Local/{exten}@noted/n", Context="noted", Exten="hold", Priority="1", Async="true"
        )
        assert answer["Response"] == "Success"

    async def told(self, number: str) -> tuple[str, str]:
        """Result and AGISTATUS when the dialplan has gone on."""
        event = await self.ami.wait_event(lambda event: event.get("Number") == number, PATIENCE_S)
        return event["Result"], event["Agi"]

    async def channel(self, exten: str) -> Message:
        """The half of the Local channel that is screened, once it is up."""
        return await self.ami.wait_event(
            lambda event: (
                event.get("Event") == "Newstate"
                and event.get("ChannelStateDesc") == "Up"
                and event["Channel"].startswith(f"Local/{exten}@")
                and event["Channel"].endswith(";2")
            ),
            PATIENCE_S,
        )

    async def note(self, name: str) -> tuple[str, ...]:
        """Result, language, profile, number and dialled number of a note, read as the daemon reads it."""
        answer = await self.ami.action("DBGet", Family="callflow", Key=name)
        assert {key: answer[key] for key in answer if key != "ActionID"} == {
            "Response": "Success", "EventList": "start", "Message": "Result will follow",
        }  # fmt: skip
        number = answer["ActionID"]
        entry = await self._answered("DBGetResponse", number)
        end = await self._answered("DBGetComplete", number)
        assert list(entry) == ["Event", "Family", "Key", "Val", "ActionID"]
        assert list(end.items()) == [
            ("Event", "DBGetComplete"), ("ActionID", number), ("EventList", "Complete"), ("ListItems", "1"),
        ]  # fmt: skip
        assert (entry["Family"], entry["Key"]) == ("callflow", name)
        found = NOTE.fullmatch(entry["Val"])
        assert found, entry["Val"]
        assert 0 <= int(found[2]) - int(found[1]) <= 3
        return found[3], *found.groups()[4:]

    async def _answered(self, name: str, action_id: str) -> Message:
        return await self.ami.wait_event(
            lambda event: (event["Event"], event.get("ActionID")) == (name, action_id), PATIENCE_S
        )


async def hold_to(asked: Asked) -> None:
    """What was measured on Asterisk 22 and 16."""
    assert await asked.names() == []
    await _refused(asked)
    await _hangs_up_on_the_script(asked)
    await _known(asked)
    await _at_the_limit(asked)
    await _answers(asked)


async def _refused(asked: Asked) -> None:
    """Nobody listens at the daemon's port: the call goes on, and each of its screenings is noted."""
    await asked.call("5550101")
    assert await asked.told("5550101") == ("unavailable", "FAILURE")
    (name,) = await asked.names()
    screened = await asked.channel("5550101")
    assert name == f"{screened['Uniqueid']}-1"
    assert await asked.note(name) == ("unavailable", "zh", "support", "5550101", "")
    await asked.set(f"DB_DELETE(callflow/{name})", "")
    await asked.call("again")
    assert await asked.told("again") == ("unavailable", "FAILURE")
    first, second = await asked.names()
    assert (first.rpartition("-")[2], second.rpartition("-")[2]) == ("1", "2")
    assert await asked.note(first) == ("unavailable", "en", "support", "+49301", "")
    assert await asked.note(second) == ("unavailable", "en", "sales", "+49301", "")
    for name in (first, second):
        await asked.set(f"DB_DELETE(callflow/{name})", "")
    assert await asked.names() == []
    assert await asked.variable("CALLFLOW_NOTED") == "3"


async def _hangs_up_on_the_script(asked: Asked) -> None:
    """The script has said nothing when the caller hangs up."""
    async with script(asked.agi_port) as calls:
        await asked.call("5550102")
        await asyncio.wait_for(calls.get(), PATIENCE_S)
        await asked.ami.action("Hangup", Channel=(await asked.channel("5550102"))["Channel"])
        assert (await asked.told("h5550102"))[0] == "hangup"
    (name,) = await asked.names()
    assert await asked.note(name) == ("hangup", "zh", "support", "5550102", "")
    await asked.set(f"DB_DELETE(callflow/{name})", "")


async def _known(asked: Asked) -> None:
    """The script has the call, and says so: no note, whether it ends or the caller does."""
    async with script(asked.agi_port, "SET VARIABLE CALLFLOW_KNOWN 1\n", ends=True) as calls:
        await asked.call("5550103")
        await asyncio.wait_for(calls.get(), PATIENCE_S)
        assert await asked.told("5550103") == ("unavailable", "SUCCESS")
    assert await asked.names() == []
    assert await asked.variable("CALLFLOW_NOTED") == "4"


async def _at_the_limit(asked: Asked) -> None:
    """Calls beyond the limit are counted, and not noted, until the daemon has it count anew."""
    await asked.set("CALLFLOW_NOTED", str(LIMIT - 1))
    for number, notes in (("5550104", 1), ("5550105", 1)):
        await asked.call(number)
        assert await asked.told(number) == ("unavailable", "FAILURE")
        assert len(await asked.names()) == notes
    assert await asked.variable("CALLFLOW_NOTED") == str(LIMIT + 1)
    (name,) = await asked.names()
    assert (await asked.note(name))[3] == "5550104"
    await asked.set(f"DB_DELETE(callflow/{name})", "")
    await asked.set("CALLFLOW_NOTED", "0")


async def _answers(asked: Asked) -> None:
    """What Asterisk answers about notes that are not there, and about many."""
    await asked.set("DB_DELETE(callflow/nobody-1)", "")
    for headers, message in (
        ({"Family": "callflow", "Key": "nobody-1"}, "Database entry not found"),
        ({"Key": "nobody-1"}, "No family specified."),
        ({"Family": "callflow"}, "No key specified."),
    ):
        answer = await asked.ami.action("DBGet", None, **headers)
        assert (answer["Response"], answer["Message"]) == ("Error", message)
    answer = await asked.ami.action("Setvar", Variable="DB(callflow/nobody-1)", Value="x")
    assert (answer["Response"], answer["Message"]) == ("Error", "Variable not set")
    await asked.call("many")
    await asked.told("many")
    names = [f"1700000{count}.1-1" for count in range(100, 180)]
    assert await asked.variable("DB_KEYS(callflow)") == ",".join(names)[:1023]
    for name in names:
        await asked.set(f"DB_DELETE(callflow/{name})", "")
    assert await asked.names() == []


@asynccontextmanager
async def script(port: int, says: str = "", *, ends: bool = False) -> "AsyncIterator[asyncio.Queue[None]]":
    """FastAGI at the daemon's port; each call that it has taken is put into the queue."""
    calls: asyncio.Queue[None] = asyncio.Queue()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\n\n")
        if says:
            writer.write(says.encode())
            await reader.readline()
        calls.put_nowait(None)
        while not ends and (line := await reader.readline()) and not line.startswith(b"HANGUP"):
            pass
        writer.close()

    async with await asyncio.start_server(serve, LOOPBACK, port):
        yield calls


@pytest.mark.parametrize("version", VERSIONS)
def test_a_pretend_asterisk_notes_what_a_real_one_notes(version: Version) -> None:
    async def ask() -> None:
        data = {"name": "noted", "purpose": "Calls that are noted.", "dialplan": DIALPLAN}
        plan = Scenario.model_validate(data | {"callers": [{"name": "nobody", "at_s": 9999}]})
        agi_port = free_port()
        user = {AMI_USER: User(AMI_SECRET)}
        asterisk = PretendAsterisk(plan, Places(agi_port), flavour=FLAVOURS[version], users=user)
        await asterisk.start(0)
        ami = await AmiClient.connect(asterisk.ami.port, AMI_USER, AMI_SECRET)
        await hold_to(Asked(ami, agi_port))
        await ami.close()
        asterisk.close()

    in_virtual_time(ask)


@pytest.mark.lab
@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_a_real_asterisk_notes_what_the_pretend_one_is_held_to(version: Version) -> None:
    async with open_lab(version, additions=lambda ports: {"extensions.conf": DIALPLAN}) as lab:
        await hold_to(Asked(lab.asterisk.ami, lab.asterisk.ports.agi))
