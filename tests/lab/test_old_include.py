"""The dialplan include and the map of feature codes of an older release, beside a real Asterisk and today's daemon."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from callflow.lab.lab import Lab, open_lab
from callflow.processes.ports import PortBlock
from callflow.scenarios.site import Version
from tests.lab.test_check import SETTINGS, check, with_codes

pytestmark = [pytest.mark.lab]
OF_RELEASE_0_1 = Path(__file__).parents[1] / "upgrades" / "release-0.1" / "callflow.conf"
SAID = "Asterisk has not loaded the callflow.conf of this release"


async def reload(lab: Lab, name: str, text: str, command: str) -> None:
    (lab.asterisk.work / "etc" / name).write_text(text)
    assert (await lab.asterisk.ami.action("Command", Command=command))["Response"] == "Success"


@pytest.mark.parametrize("version", ["22", "16"])
async def test_an_include_of_release_0_1_is_told_of(version: Version) -> None:
    async with open_lab(version) as lab:
        new = (lab.asterisk.work / "etc" / "callflow.conf").read_text()
        old = OF_RELEASE_0_1.read_text().replace("127.0.0.1:4573", f"127.0.0.1:{lab.asterisk.ports.agi}")
        await reload(lab, "callflow.conf", old, "dialplan reload")
        code, lines = await check(lab)
        daemon = await lab.start_daemon()
        async with asyncio.timeout(30):
            while SAID not in (log := daemon.log.read_text()):  # noqa: ASYNC110 - a file tells nobody
                await asyncio.sleep(0.1)
        await daemon.stop()
        await reload(lab, "callflow.conf", new, "dialplan reload")
        _, now = await check(lab)
    assert code in (0, 1)
    verdict, *told = lines["dialplan"]
    assert verdict == "warn"
    for words in (SAID, "callers are screened", "callflow install"):
        assert words in " ".join(" ".join(told).split()), told
    assert log.count(SAID) == 1
    assert "callflow install" in log
    assert now["dialplan"][0] == "ok"


def with_old_codes(ports: PortBlock) -> Mapping[str, str]:
    """The map without a version, in place of today's."""
    old = "\n[applicationmap]\ncallflow-say-self => AA,self/callee,Gosub(callflow-direct,s,1)\n"
    return {**with_codes(ports), "features.conf": old}


@pytest.mark.parametrize("version", ["22", "16"])
async def test_a_map_of_feature_codes_of_an_older_release_is_told_of(version: Version) -> None:
    async with open_lab(version, additions=with_old_codes) as lab:
        _, lines = await check(lab)
    assert SETTINGS["profiles"]["support"]["assist"] != "off"
    assert lines["dialplan"][0] == "ok"
    assert lines["feature codes"][0] == "warn"
    assert "of an older release" in " ".join(lines["feature codes"])
