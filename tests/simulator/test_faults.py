"""Each fault has its effect, and only effects that TCP can have."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from callflow.scenarios.errors import ScenarioInvalid
from callflow.scenarios.faults import Fault, read_faults
from callflow.simulator.fault_proxy import FaultProxy
from tests.adapters.waiting import until

WAIT_S = 5.0
EVENT = "Event: DTMFBegin\r\nTimestamp: 1763775000.123456\r\nCallerIDName: 张伟\r\nDigit: {}\r\n\r\n"


class Pair:
    """A daemon's AMI connection and the far end of it, with a fault proxy between."""

    def __init__(self, proxy: FaultProxy, near: "Ends", far: "Ends") -> None:
        self.proxy, self.near, self.far = proxy, near, far

    async def says(self, *digits: str) -> None:
        """Asterisk sends one event for each."""
        for digit in digits:
            self.far[1].write(EVENT.format(digit).encode())
        await self.far[1].drain()

    async def hears(self) -> str:
        """The next whole event at the daemon's end."""
        raw = await asyncio.wait_for(self.near[0].readuntil(b"\r\n\r\n"), WAIT_S)
        return raw.decode()


Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def pair(*faults: Fault, events: str = "on", **hooks: Any) -> AsyncIterator[Pair]:
    """Connected and logged in as the connection of the events, or of the actions; the faults' clock has begun."""
    ends: asyncio.Queue[Ends] = asyncio.Queue()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends.put_nowait((reader, writer))

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server, FaultProxy(faults, **hooks) as proxy:
        port = await proxy.listen("ami", 0, server.sockets[0].getsockname()[1])
        near = await asyncio.open_connection("127.0.0.1", port)
        far = await ends.get()
        far[1].write(b"Asterisk Call Manager/9.0.0\r\n")
        await near[0].readline()
        near[1].write(f"Action: Login\r\nEvents: {events}\r\n\r\n".encode())
        await far[0].readuntil(b"\r\n\r\n")
        proxy.begin()
        try:
            yield Pair(proxy, near, far)
        finally:
            near[1].close()
            far[1].close()


def fault(**keys: Any) -> Fault:
    return Fault.model_validate(keys)


def digit(text: str) -> str:
    return text.split("Digit: ")[1].strip()


async def test_without_faults_every_byte_passes() -> None:
    async with pair() as line:
        await line.says("1", "2")
        assert [await line.hears(), await line.hears()] == [EVENT.format("1"), EVENT.format("2")]


async def test_split_sends_every_byte_by_itself_and_loses_none() -> None:
    async with pair(fault(what="split")) as line:
        await line.says("1")
        pieces = [await asyncio.wait_for(line.near[0].read(100), WAIT_S) for _ in range(5)]
        rest = await line.hears()
        assert (b"".join(pieces)).decode(errors="ignore") + rest == EVENT.format("1")
        assert min(map(len, pieces)) < 20


async def test_duplicates_come_twice_and_dropped_ones_never() -> None:
    async with pair(fault(what="duplicate", names=("DTMFBegin",)), fault(what="drop", names=("Hangup",))) as line:
        line.far[1].write(b"Event: Hangup\r\n\r\n")
        await line.says("1", "2")
        assert [digit(await line.hears()) for _ in range(4)] == ["1", "1", "2", "2"]
        assert line.proxy.struck == {"duplicate": 2, "drop": 1}


async def test_answers_are_neither_dropped_nor_doubled() -> None:
    async with pair(fault(what="drop"), fault(what="duplicate")) as line:
        line.far[1].write(b"Response: Success\r\nActionID: 1\r\n\r\n")
        await line.says("1")
        line.far[1].write(b"Response: Success\r\nActionID: 2\r\n\r\n")
        assert "ActionID: 1" in await line.hears()
        assert "ActionID: 2" in await line.hears()


async def test_a_share_is_the_same_for_the_same_seed() -> None:
    async def heard() -> list[str]:
        async with pair(fault(what="drop", share=0.5)) as line:
            await line.says(*"0123456789")
            line.far[1].write(b"Response: End\r\n\r\n")
            found = []
            while "End" not in (text := await line.hears()):
                found.append(digit(text))
            return found

    first = await heard()
    assert 0 < len(first) < 10
    assert await heard() == first


@pytest.mark.parametrize("what", ["delay", "reorder"])
async def test_late_messages_keep_their_order(what: str) -> None:
    async with pair(fault(what=what, on="events", ms=50)) as line:
        began = time.monotonic()
        await line.says(*"0123456789")
        assert [digit(await line.hears()) for _ in range(10)] == list("0123456789")
        assert time.monotonic() - began >= (0.05 if what == "delay" else 0.0)


async def test_a_stall_passes_nothing_and_then_everything() -> None:
    async with pair(fault(what="stall", for_s=0.3)) as line:
        began = time.monotonic()
        await line.says("1")
        assert digit(await line.hears()) == "1"
        assert time.monotonic() - began >= 0.25


async def test_nothing_is_held_back_when_the_faults_clock_starts_anew() -> None:
    async with pair(fault(what="stall", at_s=60)) as line:
        await until(lambda: line.proxy.now_s() > 0.5)  # a message that passes now is due at that time of the new clock
        await line.says("1")
        assert digit(await line.hears()) == "1"
        line.proxy.begin()
        await line.says("2")
        async with asyncio.timeout(0.4):
            assert digit(await line.hears()) == "2"


async def test_a_clock_jump_moves_the_stamps_and_nothing_else() -> None:
    async with pair(fault(what="clock_jump", ms=-3_600_000)) as line:
        await until(lambda: line.proxy.struck["clock_jump"])
        await line.says("1")
        assert await line.hears() == EVENT.format("1").replace("1763775000.123456", "1763771400.123456")


async def test_garbage_stands_between_messages() -> None:
    async with pair(fault(what="garbage")) as line:
        await until(lambda: line.proxy.struck["garbage"])
        await line.says("1")
        heard = b""
        while not heard.endswith(b"Digit: 1\r\n\r\n"):
            heard += await asyncio.wait_for(line.near[0].read(1000), WAIT_S)
        assert heard.endswith(EVENT.format("1").encode())
        assert len(heard) > len(EVENT.format("1").encode())


@pytest.mark.parametrize("reset", [True, False])
async def test_a_cut_ends_both_ends_and_refuses_new_connections_for_a_while(reset: bool) -> None:
    async with pair(fault(what="cut", at_s=0.1, for_s=0.4, reset=reset)) as line:
        for reader, _ in (line.near, line.far):
            assert await asyncio.wait_for(_ended(reader), WAIT_S)
        port = line.near[1].get_extra_info("peername")[1]
        assert await _ended((await asyncio.open_connection("127.0.0.1", port))[0])
        async with asyncio.timeout(WAIT_S):
            while not await _accepted(port):
                pass


async def test_faults_meet_only_their_own_line() -> None:
    async with pair(fault(what="stall", on="actions"), fault(what="drop", on="events", at_s=100)) as line:
        await line.says("1")
        assert digit(await line.hears()) == "1"


async def test_a_restart_is_asterisks_own_business_where_it_can() -> None:
    asked: asyncio.Queue[float] = asyncio.Queue()

    async def restart(down_s: float) -> None:
        asked.put_nowait(down_s)

    async with pair(fault(what="restart", for_s=2.5), on_restart=restart):
        assert await asyncio.wait_for(asked.get(), WAIT_S) == 2.5


async def _accepted(port: int) -> bool:
    """Whether a new connection stays open for a moment."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        await asyncio.wait_for(reader.read(1), 0.1)
    except TimeoutError:
        return True
    except ConnectionError:
        return False
    finally:
        writer.close()
    return False


async def _ended(reader: asyncio.StreamReader) -> bool:
    try:
        return await reader.read(1) == b""
    except ConnectionError:
        return True


# -- the file ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"what": "drop", "on": "agi"}, "drop concerns events"),
        ({"what": "delay"}, "delay needs ms"),
        ({"what": "reorder", "ms": -5}, "cannot be negative"),
        ({"what": "cut", "names": ["Hangup"]}, "names go with"),
        ({"what": "stall", "every_s": 2, "for_s": 2}, "shorter than every_s"),
        ({"what": "explode"}, "Input should be"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(keys: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Fault.model_validate(keys)


def test_a_fault_comes_again(tmp_path: Path) -> None:
    again = fault(what="stall", at_s=1, every_s=10, for_s=2)
    times = [0.5, 1.5, 3.5, 11.5, 13.5]
    assert [again.active(at_s) for at_s in times] == [False, True, False, True, False]
    assert [again.next_at(at_s) for at_s in times] == [1, 11, 11, 21, 21]


def test_a_file_of_faults_is_refused_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "storm.toml"
    file.write_text('seed = 3\n\n[[faults]]\nwhat = "cut"\nfor_z = 3\n')
    with pytest.raises(ScenarioInvalid, match=r"storm.toml, line 5: faults\[1\]\.for_z: there is no such key"):
        read_faults(file)
    file.write_text('[[faults]]\nwhat = "cut"\nfor_s = 3\n')
    assert read_faults(file).faults == (fault(what="cut", for_s=3),)


async def test_an_answer_is_lost_behind_an_action_that_has_arrived() -> None:
    async with pair(fault(what="lose_answer", names=["Originate"]), events="off") as line:
        near, far = line.near, line.far
        near[1].write(b"Action: Ping\r\n\r\n")
        assert b"Ping" in await far[0].readuntil(b"\r\n\r\n")
        far[1].write(b"Response: Success\r\n\r\n")
        assert b"Success" in await asyncio.wait_for(near[0].readuntil(b"\r\n\r\n"), WAIT_S)
        near[1].write(b"Action: Originate\r\nChannel: PJSIP/8001\r\n\r\n")
        assert b"PJSIP/8001" in await asyncio.wait_for(far[0].readuntil(b"\r\n\r\n"), WAIT_S)
        assert await asyncio.wait_for(near[0].read(), WAIT_S) == b""
        assert line.proxy.struck["lose_answer"] == 1


@pytest.mark.parametrize("on", ["events", "agi"])
def test_only_actions_have_answers(on: str) -> None:
    with pytest.raises(ValidationError, match="concerns actions"):
        fault(what="lose_answer", on=on)
