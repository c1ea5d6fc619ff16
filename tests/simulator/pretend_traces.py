"""The captures of tests/traces once more, from the pretend Asterisk: the same calls, the same daemon, the same taps."""

import sys
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import tomli_w

from callflow.captures.anonymizer import Anonymizer
from callflow.captures.capture_file import Capture, CaptureWriter, read_capture
from callflow.captures.recorder import Recorder, Relay
from callflow.lab.screening.run import SCENARIOS
from callflow.lab.screening.scenario import read_scenarios
from callflow.processes.daemon import Daemon
from callflow.processes.ports import LOOPBACK, take_ports
from callflow.processes.process import Process
from callflow.scenarios.site import Version, daemon_config
from callflow.settings.model import Settings
from tests.adapters.waiting import until
from tests.labs import TRUSTING_DAEMON
from tests.simulator.tap_calls import tap_scenario, tapping
from tests.traces.make_traces import AGENT_CALLS

PATIENCE_S = 90.0
SPACING_S = 0.06
TAPPED_FROM_S = 3.0
"""By then the daemon is ready, and somebody watches for the callers."""


def scenarios() -> dict[str, Any]:
    """Every scenario of tests/lab, as callflow.lab.screening.run places them."""
    callers = [
        {
            "name": scenario.name,
            "at_s": SPACING_S * number,
            "number": str(1001 + number),
            "language": scenario.language,
            "profile": scenario.profile,
            "route": scenario.route,
            "media": scenario.media,
            "does": [action.model_dump(exclude_unset=True) for action in scenario.caller],
        }
        for number, scenario in enumerate(one for one in read_scenarios(SCENARIOS) if one.everywhere)
    ]
    return {"purpose": "Every scenario of tests/lab that needs no tap.", "callers": callers}


def agents() -> dict[str, Any]:
    """The callers of the capture `agents`."""
    callers = [
        {
            "name": f"{route}-{leaves_s:g}",
            "at_s": at_s,
            "number": str(1001 + number),
            "language": "en",
            "profile": "unscreened",
            "route": route,
            "media": "none",
            "stays_s": leaves_s,
        }
        for number, (at_s, route, leaves_s) in enumerate(AGENT_CALLS)
    ]
    return {
        "purpose": "Callers on their way to an agent.",
        "agents": {"ring_s": 2.0, "talk_s": 3.0},
        "callers": callers,
    }


def taps() -> dict[str, Any]:
    """The callers of the capture `taps`."""
    return tap_scenario(TAPPED_FROM_S, talk_s=1.5)


SETS = {"scenarios": scenarios, "agents": agents, "taps": taps}


async def pretend_capture(name: str, version: Version, folder: Path) -> Capture:
    """What went over the wires when the calls of this set were placed on the pretend Asterisk."""
    scenario, file = folder / f"{name}.toml", folder / f"{name}.txt"
    scenario.write_text(tomli_w.dumps(SETS[name]()))
    with take_ports() as block:
        ports = [block.named() for _ in range(4)]
        ami, agi, daemon_ami, daemon_agi = ports
        config = daemon_config(daemon_ami, daemon_agi, folder / "callflow.db")
        procedures = Settings.model_validate(config).procedures().model_dump_json(exclude_unset=True)
        header = {"purpose": name, "asterisk": version, "procedures": procedures}
        writer = CaptureWriter.create(file, header, time.time())
        recorder = Recorder(writer, Anonymizer(lambda text: True, ("LabResult", "LabH", "LabFax")))
        command = [sys.executable, "-m", "callflow.simulator.pretend", str(scenario), "--asterisk", version]
        command += ["--ami-port", str(ami), "--agi-port", str(agi)]
        async with (
            Relay(recorder, "agi", agi, (LOOPBACK, daemon_agi)),
            Relay(recorder, "ami", daemon_ami, (LOOPBACK, ami)),
        ):
            pretend = await Process.start(command, folder, "pretend")
            daemon = Daemon(folder / "daemon", config, TRUSTING_DAEMON)
            try:
                await daemon.start()
                async with tapping(ami, daemon_ami) if name == "taps" else nullcontext():
                    assert await pretend.wait(PATIENCE_S) == 0, pretend.output.read_text()
                await until(lambda: recorder.counts["ami closed by asterisk"] >= 2)
            finally:
                await pretend.stop()
                if daemon.running:
                    await daemon.stop()
        writer.close()
    return read_capture(file)
