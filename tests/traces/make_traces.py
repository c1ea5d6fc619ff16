"""Records the captures of this folder anew from the lab: python tests/traces/make_traces.py [NAME ...]

Each capture is what went over the wires between the daemon and Asterisk, AMI and FastAGI. See README.md beside it.
"""

import asyncio
import re
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import tomli_w

from callflow.lab.daemon import RUN_CALLFLOW, Config
from callflow.lab.lab import Lab, open_lab
from callflow.lab.ports import LOOPBACK
from callflow.lab.process import Process
from callflow.lab.roots import VERSIONS, Version
from callflow.lab.run import SCENARIO_CONFIG, SCENARIOS, run_scenarios
from callflow.lab.scenario import read_scenarios
from callflow.lab.sipp import Agents, Caller
from callflow.settings import Settings
from callflow.simulator.disguise import Disguise
from callflow.simulator.record import Recorder, Tap
from callflow.simulator.trace import CaptureWriter

FOLDER = Path(__file__).parent
LAB_EVENTS = ("LabResult", "LabH", "LabFax")
_MADE_UP = re.compile(r"1\d{3}|[0-9*#A-D]|agent|caller|fax-caller|(?:dial|deaf|queue)_\w+|lab")


class Taps:
    """Both taps of a lab, and the settings of a daemon behind them."""

    def __init__(self, ami: Tap, agi: Tap, config: Config) -> None:
        self.ami, self.agi, self.config = ami, agi, config


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
    file.parent.mkdir(exist_ok=True)
    writer = CaptureWriter.create(file, header, time.time())
    recorder = Recorder(writer, Disguise(lambda text: _MADE_UP.fullmatch(text) is not None, LAB_EVENTS))
    ports = lab.asterisk.ports
    daemon_agi = lab.ports.named()
    async with (
        Tap(recorder, "agi", ports.agi, (LOOPBACK, daemon_agi)) as agi,
        Tap(recorder, "ami", lab.ports.named(), (LOOPBACK, ports.ami)) as ami,
    ):
        yield Taps(ami, agi, SCENARIO_CONFIG | {"ami": {"port": ami.port}, "agi": {"port": daemon_agi}})
    writer.close()


async def scenarios(version: Version, file: Path) -> None:
    """Every scenario of tests/lab, their calls side by side."""
    async with open_lab(version) as lab, tapped(lab, file, scenarios.__doc__ or "") as taps:
        daemon = await lab.start_daemon(taps.config)
        outcomes = await run_scenarios(lab, read_scenarios(SCENARIOS))
        failed = [(outcome.scenario.name, outcome.disagreements) for outcome in outcomes if not outcome.passed]
        assert not failed, failed
        await asyncio.sleep(2)
        await daemon.stop()


async def self_test(version: Version, file: Path) -> None:
    """A daemon starts and proves its ear, then `callflow check` runs beside it."""
    async with open_lab(version) as lab, tapped(lab, file, self_test.__doc__ or "") as taps:
        daemon = await lab.start_daemon(taps.config)
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
        daemon = await lab.start_daemon(taps.config)
        calls = [
            await lab.call(Caller(str(1001 + number), f"{route}_en_unscreened", hang_up_at_s=leaves_s))
            for number, (route, leaves_s) in enumerate(
                (route, leaves_s) for route in ("dial", "queue", "deaf") for leaves_s in (1.0, 3.5, 9.0)
            )
        ]
        await asyncio.gather(*(call.wait(30) for call in calls))
        await asyncio.sleep(1)
        await daemon.stop()


async def reconnect(version: Version, file: Path) -> None:
    """AMI is cut while callers are greeted and listened to; the daemon connects again and screens the next ones."""
    async with open_lab(version) as lab, tapped(lab, file, reconnect.__doc__ or "") as taps:
        daemon = await lab.start_daemon(taps.config)
        await lab.call(Caller("1001", "dial_en_support", hang_up_at_s=12))
        await asyncio.sleep(4)
        await lab.call(Caller("1002", "dial_en_support", hang_up_at_s=12))
        await lab.call(Caller("1003", "dial_en_watched", hang_up_at_s=12))
        await asyncio.sleep(1)
        taps.ami.cut()
        await asyncio.sleep(1.5)
        last = await lab.call(Caller("1004", "dial_en_support", hang_up_at_s=30))
        await last.wait(40)
        await asyncio.sleep(1)
        await daemon.stop()


async def restart(version: Version, file: Path) -> None:
    """The daemon is killed while callers are greeted and listened to; the next one screens the calls that follow."""
    async with open_lab(version) as lab, tapped(lab, file, restart.__doc__ or "") as taps:
        daemon = await lab.start_daemon(taps.config)
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


MAKERS: tuple[Callable[[Version, Path], Awaitable[None]], ...] = (scenarios, self_test, agents, reconnect, restart)


async def make(names: list[str]) -> None:
    """Record the captures of these names, or all, on every Asterisk."""
    for version in VERSIONS:
        for maker in MAKERS:
            name = maker.__name__.replace("_", "-")  # type: ignore[attr-defined]
            if not names or name in names:
                print(f"Asterisk {version}: {name}", flush=True)
                await maker(version, FOLDER / version / f"{name}.txt")


if __name__ == "__main__":
    asyncio.run(make(sys.argv[1:]))
