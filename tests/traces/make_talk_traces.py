"""Records the captures of talks and call-backs anew from the lab: python -m tests.traces.make_talk_traces [NAME ...]

Each capture is what went over one AMI session that acts and listens; there is no daemon. See README.md beside it.
"""

import asyncio
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from callflow.captures.anonymizer import Anonymizer
from callflow.captures.capture_file import CaptureWriter
from callflow.captures.recorder import Recorder, Relay
from callflow.lab.ami import AmiClient
from callflow.lab.talks.talk_lab import talk_lab
from callflow.processes.ports import LOOPBACK
from callflow.scenarios.site import AMI_SECRET, AMI_USER, VERSIONS, Version
from tests.simulator.talk_calls import SETS, Scene, perform, place_on_lab

FOLDER = Path(__file__).parent / "talks"
TOLD = ("TalkOver", "TalkExit", "TalkFeature", "TalkAccepted", "TalkCalledBack", "LabH")


def talk_recorder(file: Path, purpose: str, asterisk: str) -> tuple[Recorder, CaptureWriter]:
    """A recorder into a new capture; every number in it is made up."""
    file.parent.mkdir(exist_ok=True, parents=True)
    header = {
        "purpose": purpose,
        "asterisk": asterisk,
        "recorded": f"{datetime.now(UTC):%Y-%m-%d}",
        "numbers": "made up",
    }
    writer = CaptureWriter.create(file, header, time.time())
    return Recorder(writer, Anonymizer(lambda text: True, TOLD)), writer


async def make_talks(name: str, version: Version, file: Path) -> None:
    """One set of scenes on a real Asterisk."""
    async with talk_lab(version) as talks:
        asterisk = (await talks.ami.action("CoreSettings"))["AsteriskVersion"]
        recorder, writer = talk_recorder(file, f"Scenes of tests/simulator/talk_calls.py: {name}.", asterisk)
        port = talks.lab.ports.named()
        async with Relay(recorder, "ami", port, (LOOPBACK, talks.lab.asterisk.ports.ami)):
            ami = await AmiClient.connect(port, AMI_USER, AMI_SECRET)

            async def place(number: int, scene: Scene) -> None:
                await place_on_lab(talks, number, scene)

            await perform(ami, SETS[name], place)
            await ami.close()
        writer.close()
        if talks.bank.failures:
            raise talks.bank.failures[0]


async def main(names: list[str]) -> None:
    """Record the captures of these names, or all, on every Asterisk."""
    for version in VERSIONS:
        for name in names or SETS:
            print(f"Asterisk {version}: {name}", flush=True)
            await make_talks(name, version, FOLDER / version / f"{name}.txt")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
