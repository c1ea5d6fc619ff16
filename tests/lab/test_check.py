"""`callflow check` beside a real Asterisk: what is there is found, what is missing is named with its remedy."""

from collections.abc import Mapping

import pytest
import tomli_w

from callflow.lab.lab import Lab, open_lab
from callflow.processes.daemon import RUN_CALLFLOW
from callflow.processes.ports import PortBlock
from callflow.processes.process import Process
from callflow.scenarios.site import Version

pytestmark = [pytest.mark.lab]

LEVELED = {"profiles": {"support": {"quiet": {"gain": "agc"}}}}
FOUND = ("AMI login", "version", "privileges", "dialplan", "gain")


def bare(_: PortBlock) -> Mapping[str, str]:
    """What to add to an Asterisk's files so that it has neither taps nor automatic gain."""
    return {"modules.conf": "noload => func_speex.so\nnoload => app_audiosocket.so\n"}


async def check(lab: Lab) -> tuple[int, dict[str, list[str]]]:
    """Its exit code, and of each line by its subject: the verdict, then all it says."""
    settings = lab.work / "check.toml"
    settings.write_text(tomli_w.dumps(lab.config(LEVELED)))
    command = [*RUN_CALLFLOW[:-2], "--config", str(settings), "check"]
    process = await Process.start(command, lab.work, "check")
    code = await process.wait(60)
    lines, subject = {}, ""
    for line in process.output.read_text().splitlines():
        if line[:5].strip() in ("ok", "warn", "FAIL", "hint"):
            subject = line[5:22].strip()
            lines[subject] = [line[:5].strip(), line[22:]]
        elif subject:
            lines[subject].append(line)
    return code, lines


@pytest.mark.parametrize("version", ["22", "16"])
async def test_all_that_is_there_is_found(version: Version) -> None:
    async with open_lab(version) as lab:
        code, lines = await check(lab)
    assert code == 0
    assert {lines[subject][0] for subject in FOUND} == {"ok"}
    assert lines["tap"][0] == ("ok" if version == "22" else "warn"), "Asterisk has AudioSocket from 18 on"


async def test_what_is_missing_is_named_with_its_remedy() -> None:
    async with open_lab("22", additions=bare) as lab:
        code, lines = await check(lab)
    assert code == 0, "callers can be screened without"
    for subject, module in (("tap", "app_audiosocket.so"), ("gain", "func_speex.so")):
        assert lines[subject][0] == "warn"
        assert f"load => {module}" in "".join(lines[subject])
