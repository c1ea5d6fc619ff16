"""Records the captures of this folder anew from the lab: python -m tests.traces.make_traces [NAME ...]

Each capture is what went over the wires between the daemon and Asterisk, AMI and FastAGI. See README.md beside it.
"""

import asyncio
import re
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any, Self

import tomli_w

from callflow.captures.anonymizer import Anonymizer
from callflow.captures.capture_file import Capture, CaptureWriter, read_capture
from callflow.captures.judging import excused_ms
from callflow.captures.recorder import Recorder, Relay
from callflow.captures.replay import Replay, procedures_of, recorded
from callflow.lab.lab import Lab, open_lab
from callflow.lab.screening.run import SCENARIO_CONFIG, SCENARIOS, run_scenarios
from callflow.lab.screening.scenario import read_scenarios
from callflow.lab.sipp import Agents, Caller
from callflow.processes.daemon import RUN_CALLFLOW, Config
from callflow.processes.ports import LOOPBACK
from callflow.processes.process import Process
from callflow.scenarios.site import VERSIONS, Version
from callflow.settings.model import Settings
from tests.labs import TRUSTING_DAEMON
from tests.simulator.tap_calls import tap_on_lab

AGENT_CALLS = (
    *((0.1 * n, route, leaves_s) for n, (route, leaves_s) in enumerate(product(("dial", "deaf"), (1.0, 3.5, 9.0)))),
    *((1.0, "queue", 1.0), (3.0, "queue", 3.5), (8.0, "queue", 9.0)),
)
"""When, where to, and for how long: seconds. In the queue one after the other, or their order is chance."""
LATE_MS, TRIES = 40, 6
RACES = 24
FOLDER = Path(__file__).parent
LAB_EVENTS = ("LabResult", "LabH", "LabFax")
_MADE_UP = re.compile(r"1\d{3}|[0-9*#A-D]|agent|caller|fax-caller|(?:dial|deaf|queue)_\w+|lab")


class MachineStalled(Exception):
    """This machine did not keep up, and the capture shows that instead of what it should."""


class Taps:
    """Both taps of a lab, in a thread of their own, and the settings of a daemon behind them.

    The lab makes audio and reads packets for seconds at a time; a daemon would take a tap that waits so long for dead.
    """

    def __init__(self, lab: Lab, recorder: Recorder) -> None:
        self._lab, self._recorder = lab, recorder
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="taps")
        self._ports = (lab.ports.named(), lab.ports.named())
        daemon_ami, daemon_agi = self._ports
        self.ami_port = daemon_ami
        # A capture has no sound in it, so Asterisk's own ear decides.
        ports: Config = {"ami": {"port": daemon_ami}, "agi": {"port": daemon_agi}}
        self.config: Config = SCENARIO_CONFIG | ports | {"tap": {"enabled": False}}

    async def __aenter__(self) -> Self:
        ports, (daemon_ami, daemon_agi) = self._lab.asterisk.ports, self._ports
        self._agi = Relay(self._recorder, "agi", ports.agi, (LOOPBACK, daemon_agi))
        self._ami = Relay(self._recorder, "ami", daemon_ami, (LOOPBACK, ports.ami))
        self._thread.start()
        for tap in (self._agi, self._ami):
            await self._there(tap.__aenter__())
        return self

    async def __aexit__(self, *error: object) -> None:
        for tap in (self._agi, self._ami):
            await self._there(tap.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def cut_ami(self) -> None:
        """End every connection to AMI."""
        self._loop.call_soon_threadsafe(self._ami.cut)

    async def _there(self, work: Coroutine[Any, Any, Any]) -> None:
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))


@asynccontextmanager
async def tapped(lab: Lab, file: Path, purpose: str) -> AsyncIterator[Taps]:
    """Records what a daemon with these settings and this lab say to each other."""
    asterisk = (await lab.asterisk.ami.action("CoreSettings"))["AsteriskVersion"]
    header = {
        "purpose": purpose,
        "asterisk": asterisk,
        "recorded": f"{datetime.now(UTC):%Y-%m-%d}",
        "numbers": "made up",
        "procedures": Settings.model_validate(SCENARIO_CONFIG).procedures().model_dump_json(exclude_unset=True),
    }
    file.parent.mkdir(exist_ok=True, parents=True)
    writer = CaptureWriter.create(file, header, time.time())
    recorder = Recorder(writer, Anonymizer(lambda text: _MADE_UP.fullmatch(text) is not None, LAB_EVENTS))
    async with Taps(lab, recorder) as taps:
        yield taps
    writer.close()


async def scenarios(version: Version, file: Path) -> None:
    """Every scenario of tests/lab, their calls side by side."""
    async with open_lab(version) as lab, tapped(lab, file, scenarios.__doc__ or "") as taps:
        daemon = await lab.start_daemon(taps.config, TRUSTING_DAEMON)
        outcomes = await run_scenarios(lab, [one for one in read_scenarios(SCENARIOS) if one.everywhere])
        failed = [(outcome.scenario.name, outcome.disagreements) for outcome in outcomes if not outcome.passed]
        if failed:
            raise MachineStalled(f"not as it should be: {failed}")
        await asyncio.sleep(2)
        await daemon.stop()
    callers = [b for b in read_capture(file).events if b.name == "Newchannel" and "caller-" in b.headers["Channel"]]
    if len(callers) != len(outcomes):
        raise MachineStalled("a call had to be tried twice")


async def self_test(version: Version, file: Path) -> None:
    """A daemon starts and proves its ear, then `callflow check` runs beside it."""
    async with open_lab(version) as lab, tapped(lab, file, self_test.__doc__ or "") as taps:
        daemon = await lab.start_daemon(taps.config, TRUSTING_DAEMON)
        beside = lab.work / "check.toml"  # straight to Asterisk: only the daemon's own connections are recorded
        beside.write_text(tomli_w.dumps(lab.config(taps.config | {"ami": {}})))
        command = [*RUN_CALLFLOW[:-2], "--config", str(beside), "check"]
        check = await Process.start(command, lab.work, "check")
        assert await check.wait(60) == 0, check.output.read_text()
        await asyncio.sleep(1)
        await daemon.stop()


async def agents(version: Version, file: Path) -> None:
    """Callers on their way to an agent by Dial and by Queue: answered, given up while ringing, ended by either side."""
    async with (
        open_lab(version, agents=Agents(ring_s=2.0, talk_s=3.0)) as lab,
        tapped(lab, file, agents.__doc__ or "") as taps,
    ):
        daemon = await lab.start_daemon(taps.config, TRUSTING_DAEMON)
        began = time.monotonic()
        calls = []
        for number, (at_s, route, leaves_s) in enumerate(AGENT_CALLS):
            await asyncio.sleep(max(0.0, began + at_s - time.monotonic()))
            calls.append(await lab.call(Caller(str(1001 + number), f"{route}_en_unscreened", hang_up_at_s=leaves_s)))
        await asyncio.gather(*(call.wait(30) for call in calls))
        await asyncio.sleep(1)
        await daemon.stop()


async def taps(version: Version, file: Path) -> None:
    """Callers who are tapped, in every way that a tap can end; nothing of their sound is in the capture."""
    async with (
        open_lab(version, agents=Agents(ring_s=0.5, talk_s=1.5)) as lab,
        tapped(lab, file, taps.__doc__ or "") as recording,
    ):
        daemon = await lab.start_daemon(recording.config, TRUSTING_DAEMON)
        await tap_on_lab(lab, recording.ami_port)
        await daemon.stop()


async def races(version: Version, file: Path) -> None:
    """Twenty-four callers in a row to the queue and to Dial: the orders that events come in when threads race."""
    async with (
        open_lab(version, agents=Agents(ring_s=0.2, talk_s=0.3)) as lab,
        tapped(lab, file, races.__doc__ or "") as taps,
    ):
        daemon = await lab.start_daemon(taps.config, TRUSTING_DAEMON)
        for number in range(RACES):
            route = ("queue", "dial")[number % 2]
            call = await lab.call(Caller(str(1001 + number), f"{route}_en_unscreened", hang_up_at_s=4.0))
            await asyncio.sleep(0.4)
        await call.wait(10)
        await daemon.stop()


async def reconnect(version: Version, file: Path) -> None:
    """AMI is cut while callers are greeted and listened to; the daemon connects again and screens the next ones."""
    async with open_lab(version) as lab, tapped(lab, file, reconnect.__doc__ or "") as taps:
        daemon = await lab.start_daemon(taps.config, TRUSTING_DAEMON)
        await lab.call(Caller("1001", "dial_en_support", hang_up_at_s=12))
        await asyncio.sleep(4)
        await lab.call(Caller("1002", "dial_en_support", hang_up_at_s=12))
        await lab.call(Caller("1003", "dial_en_watched", hang_up_at_s=12))
        await asyncio.sleep(1)
        taps.cut_ami()
        await asyncio.sleep(1.5)
        last = await lab.call(Caller("1004", "dial_en_support", hang_up_at_s=30))
        await last.wait(40)
        await asyncio.sleep(1)
        await daemon.stop()


async def restart(version: Version, file: Path) -> None:
    """The daemon is killed while callers are greeted and listened to; the next one screens the calls that follow."""
    async with open_lab(version) as lab, tapped(lab, file, restart.__doc__ or "") as taps:
        daemon = await lab.start_daemon(taps.config, TRUSTING_DAEMON)
        await lab.call(Caller("1001", "dial_en_support", hang_up_at_s=12))
        await asyncio.sleep(4)
        await lab.call(Caller("1002", "dial_en_support", hang_up_at_s=12))
        await asyncio.sleep(1)
        await daemon.kill()
        await asyncio.sleep(0.5)
        await daemon.start()
        last = await lab.call(Caller("1003", "dial_en_support", hang_up_at_s=30))
        await last.wait(40)
        await asyncio.sleep(1)
        await daemon.stop()


MAKERS: tuple[Callable[[Version, Path], Awaitable[None]], ...] = (
    scenarios, self_test, agents, taps, races, reconnect, restart
)  # fmt: skip


async def make(names: list[str]) -> None:
    """Record the captures of these names, or all, on every Asterisk."""
    for version in VERSIONS:
        for maker in MAKERS:
            name = maker.__name__.replace("_", "-")
            if not names or name in names:
                print(f"Asterisk {version}: {name}", flush=True)
                await make_one(maker, version, FOLDER / version / f"{name}.txt")


async def make_one(
    maker: Callable[[Version, Path], Awaitable[None]], version: Version, file: Path, tries: int = TRIES
) -> None:
    """Record until this machine has kept up with it. Raises MachineStalled after some tries."""
    for left in reversed(range(tries)):
        try:
            await maker(version, file)
            if (late_ms := lateness_ms(read_capture(file))) > LATE_MS:
                raise MachineStalled(f"the daemon was {late_ms} ms late")
            return
        except MachineStalled as error:
            if not left:
                raise
            print(f"{error}: once more", flush=True)


def lateness_ms(capture: Capture) -> int:
    """How late the daemon did what its core wanted, at worst, beyond the time that is excused."""
    procedures = procedures_of(capture)
    assert procedures is not None
    now = {(d.call_id, d.what): d.at_ms for d in Replay(capture, procedures).run().decisions}
    late = [
        d.at_ms - now.get((d.call_id, d.what), 0) - excused_ms(d.what)
        for d in recorded(capture)
        if "unavailable" not in d.what
    ]
    return max(late)


if __name__ == "__main__":
    sys.setswitchinterval(0.0005)
    asyncio.run(make(sys.argv[1:]))
