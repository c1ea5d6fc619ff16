"""`callflow check` beside a real Asterisk: it finds what is there, and names what is missing, with its remedy."""

from collections.abc import Mapping

import pytest
import tomli_w

from callflow.lab.lab import Lab, open_lab
from callflow.processes.daemon import RUN_CALLFLOW
from callflow.processes.ports import PortBlock
from callflow.processes.process import Process
from callflow.scenarios.site import Version
from tests.labs import rows

pytestmark = [pytest.mark.lab]

SETTINGS = {"profiles": {"support": {"assist": "prompt", "quiet": {"gain": "agc"}}}}
FOUND = ("AMI login", "version", "privileges", "dialplan", "assistance", "gain", "feature codes")
TRACES = ("calls", "legs", "offers", "stays", "talks", "transfers", "holds", "assist_steps")


def with_codes(_: PortBlock) -> Mapping[str, str]:
    """What to add to an Asterisk's files so that agents have feature codes."""
    entry = "\n[desk]\nexten => s,1,Queue(lab,tb(callflow-agent^s^1))\n same => n,Hangup()\n"
    return {"features.conf": "#include features_callflow.conf\n", "extensions.conf": entry}


def bare(_: PortBlock) -> Mapping[str, str]:
    """What to add to an Asterisk's files so that it has no taps, no automatic gain and no feature codes."""
    return {"modules.conf": "noload => func_speex.so\nnoload => app_audiosocket.so\n"}


async def check(lab: Lab) -> tuple[int, dict[str, list[str]]]:
    """Its exit code, and by subject of each line: the verdict, then the text."""
    settings = lab.work / "check.toml"
    settings.write_text(tomli_w.dumps(lab.config(SETTINGS)))
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
async def test_all_that_is_there_is_found_and_a_running_daemon_records_none_of_it(version: Version) -> None:
    async with open_lab(version, additions=with_codes) as lab:
        daemon = await lab.start_daemon(SETTINGS)
        code, lines = await check(lab)
        assert {table: rows(daemon.database, f"select * from {table}") for table in TRACES} == {
            table: [] for table in TRACES
        }
    assert code == 0
    assert {subject: lines[subject][0] for subject in FOUND} == dict.fromkeys(FOUND, "ok")
    assert "desk" in "".join(lines["feature codes"])
    assert lines["tap"][0] == "ok"
    assert ("by RTP" in "".join(lines["tap"])) == (version == "16"), "Asterisk has AudioSocket from 18 on"


async def test_what_is_missing_is_named_with_its_remedy() -> None:
    async with open_lab("22", additions=bare) as lab:
        code, lines = await check(lab)
    assert code == 0, "callers can be screened without"
    missing = {
        "tap": "load => app_audiosocket.so",
        "gain": "load => func_speex.so",
        "feature codes": "#include features_callflow.conf",
    }
    for subject, remedy in missing.items():
        assert lines[subject][0] == "warn"
        assert remedy in "".join(lines[subject])
