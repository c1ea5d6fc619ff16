"""When things break, callers go on: judged from the wire, on a real Asterisk."""

import asyncio
import inspect
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from signal import Signals

import pytest

from callflow.lab.lab import Lab, open_lab
from callflow.lab.sipp import Caller
from callflow.lab.wire import Wire
from callflow.processes.daemon import RUN_CALLFLOW, Daemon
from callflow.scenarios.site import Version
from tests import labs

pytestmark = [pytest.mark.lab]

IN_GREETING_S = 1.5
IN_LISTENING_S = 5.0
STALLING_DAEMON = Path(__file__).parent / "stalling_daemon.py"


@pytest.fixture(params=labs.EACH_ASTERISK)
async def lab(request: pytest.FixtureRequest) -> AsyncIterator[Lab]:
    version: Version = request.param
    async with open_lab(version) as lab:
        yield lab


def silent(number: str, hang_up_at_s: float = 40.0) -> Caller:
    """A caller who says nothing."""
    return Caller(number, "dial_en_support", hang_up_at_s=hang_up_at_s)


async def two_callers_then(lab: Lab, break_it: Callable[[], object], watch_s: float) -> tuple[Wire, float]:
    """One caller in mid-greeting, one in silence, then the fault: the wire, and the time of the fault (epoch s)."""
    async with lab.capture() as capture:
        await lab.call(silent("1001"))
        await asyncio.sleep(IN_LISTENING_S - IN_GREETING_S)
        await lab.call(silent("1002"))
        await asyncio.sleep(IN_GREETING_S)
        broken_at = time.time()
        if inspect.isawaitable(breaking := break_it()):
            await breaking
        await asyncio.sleep(watch_s)
    return lab.read(capture), broken_at


def reached_an_agent_after(wire: Wire, number: str, broken_at: float) -> float:
    """Seconds from the fault to the agent's phone ringing."""
    rang_at = wire.one(number).agent_rang_at
    assert rang_at is not None, f"{number} was left behind"
    return rang_at - broken_at


def rows(daemon: Daemon, query: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in labs.rows(daemon.database, query)]


async def screened_as(lab: Lab, number: str, expected: str) -> None:
    """A new caller is screened: the greeting is heard on the wire, and a key ends the screening."""
    async with lab.capture() as capture:
        await lab.call(silent(number, hang_up_at_s=4.0))
        await asyncio.sleep(4.5)
    spoken = [burst.prompt for burst in lab.prompts("en").spoken(lab.read(capture).one(number).received)]
    assert spoken[:1] == [expected]


async def test_a_killed_daemon_leaves_nobody_behind_and_the_records_whole(lab: Lab) -> None:
    daemon = await lab.start_daemon()
    await lab.call(silent("1000", hang_up_at_s=1.0))
    await asyncio.sleep(1.5)
    wire, broken_at = await two_callers_then(lab, daemon.kill, watch_s=1.5)
    for number in ("1001", "1002"):
        assert 0 <= reached_an_agent_after(wire, number, broken_at) <= 1.0
    assert rows(daemon, "select result from calls where caller_number = '1000'") == [("hangup",)]
    await daemon.start()
    found = sorted(rows(daemon, "select caller_number, result || interrupted from calls"))
    assert found == [("1000", "hangup0"), ("1001", "unavailable1"), ("1002", "unavailable1")]
    await screened_as(lab, "1003", "greeting")


async def test_a_stopped_daemon_hands_everybody_on_and_says_so(lab: Lab) -> None:
    daemon = await lab.start_daemon()
    wire, broken_at = await two_callers_then(lab, daemon.stop, watch_s=1.5)
    for number in ("1001", "1002"):
        assert 0 <= reached_an_agent_after(wire, number, broken_at) <= 1.0
    found = rows(daemon, "select result, interrupted, ended_ms is not null from calls")
    assert found == [("unavailable", 0, 1)] * 2


async def test_a_daemon_whose_loop_stalls_ends_itself_within_five_seconds(lab: Lab) -> None:
    command = (sys.executable, str(STALLING_DAEMON), "run", "--config")
    daemon = await lab.start_daemon(command=command)

    def stall() -> None:
        daemon._started.send_signal(Signals.SIGUSR1)

    wire, broken_at = await two_callers_then(lab, stall, watch_s=5.5)
    for number in ("1001", "1002"):
        assert 0 <= reached_an_agent_after(wire, number, broken_at) <= 5.0
    assert await daemon.wait(1.0) == 1
    assert "Timeout (" in daemon.log.read_text(), "the traceback of the stall is in the log"


@pytest.mark.parametrize("how", ["reset", "finish"])
async def test_a_cut_ami_link_hands_everybody_on_and_comes_back(lab: Lab, how: str) -> None:
    async with lab.ami_proxy() as proxy:
        daemon = await lab.start_daemon({"ami": {"port": proxy.port}})
        wire, broken_at = await two_callers_then(lab, lambda: proxy.cut(reset=how == "reset"), watch_s=1.5)
        for number in ("1001", "1002"):
            assert 0 <= reached_an_agent_after(wire, number, broken_at) <= 1.0
        assert rows(daemon, "select result, partial from calls") == [("unavailable", 1)] * 2
        await screened_as(lab, "1003", "greeting")


async def test_an_ami_link_that_goes_quiet_is_noticed(lab: Lab) -> None:
    async with lab.ami_proxy() as proxy:
        daemon = await lab.start_daemon({"ami": {"port": proxy.port}})
        wire, broken_at = await two_callers_then(lab, proxy.stall, watch_s=4.5)
        for number in ("1001", "1002"):
            assert 0 <= reached_an_agent_after(wire, number, broken_at) <= 4.0
        assert rows(daemon, "select result from calls") == [("unavailable",)] * 2
        # Without a tap, the first caller's low voice is probed 1.5 s into the silence: AMI does not answer, and that
        # caller goes on before the link is given up.
        assert rows(daemon, "select partial from calls where caller_number = '1002'") == [(1,)]


async def test_a_hang_up_of_which_ami_tells_late_is_one(lab: Lab) -> None:
    """FastAGI says HANGUP to a redirect, too; which it was, a callflow far behind AMI learns only later."""
    async with lab.ami_proxy() as proxy:
        daemon = await lab.start_daemon({"ami": {"port": proxy.port}})
        for number in range(1001, 1009):
            await lab.call(silent(str(number), hang_up_at_s=4.0))
        await asyncio.sleep(3)
        proxy.slow(0.5)
        await asyncio.sleep(3)
        assert rows(daemon, "select result, count(*) from calls group by 1") == [("hangup", 8)]


async def test_asterisk_restarted_the_daemon_finds_it_again(lab: Lab) -> None:
    daemon = await lab.start_daemon()
    await lab.call(silent("1001"))
    await asyncio.sleep(IN_GREETING_S)
    await lab.asterisk.restart()
    await asyncio.sleep(4)
    assert daemon.log.read_text().count("AMI is connected") == 2
    ((result,),) = rows(daemon, "select result from calls")
    assert result in ("unavailable", "taken", "hangup")
    await screened_as(lab, "1003", "greeting")


async def test_a_flood_on_the_fastagi_port_leaves_calls_alone(lab: Lab) -> None:
    daemon = await lab.start_daemon()
    port = lab.asterisk.ports.agi
    held: list[asyncio.StreamWriter] = []

    async def flood() -> None:
        for number in range(1000):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            match number % 4:
                case 0:
                    writer.close()
                case 1:
                    writer.write(b"agi_network: yes\nagi_half")
                case 2:
                    writer.write(bytes(range(256)) * 100)
            held.append(writer)

    async with lab.capture() as capture:
        caller = await lab.call(silent("1001"))
        await asyncio.sleep(2)
        await flood()
        await caller.wait(40)
    for writer in held:
        writer.close()
    call = lab.read(capture).one("1001")
    bursts = lab.prompts("en").spoken(call.received)
    assert [burst.prompt for burst in bursts] == ["greeting", "can_you_hear", "goodbye"]
    assert call.bye_at is not None
    assert call.bye_at - bursts[-1].ended_at == pytest.approx(2.0, abs=0.1)
    assert daemon.running


async def test_a_redirected_caller_is_taken_not_hung_up(lab: Lab) -> None:
    daemon = await lab.start_daemon()
    await lab.call(silent("1001", hang_up_at_s=4.0))
    await asyncio.sleep(IN_GREETING_S)
    caller = await lab.asterisk.ami.wait_event(lambda event: event.get("CallerIDNum") == "1001", 1.0)
    await lab.asterisk.ami.action("Redirect", Channel=caller["Channel"], Context="from-lab", Exten="fax", Priority="1")
    await asyncio.sleep(1.0)
    assert rows(daemon, "select result from calls") == [("taken",)]
    assert lab.asterisk.ami.user_events("LabFax")


async def test_a_wrong_password_is_one_sentence_and_exit_code_2(lab: Lab) -> None:
    config = lab.config({"ami": {"secret": "wrong"}})
    daemon = Daemon(lab.work / "refused", config, RUN_CALLFLOW)
    with pytest.raises(Exception, match="ended with code 2"):
        await daemon.start()
    said = daemon.log.read_text()
    assert "Traceback" not in said
    assert "remedy:" in said
    assert "[ami] username and secret" in said
