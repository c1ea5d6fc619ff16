"""`callflow install` on a system with a real Asterisk: its files work with that Asterisk, and can be removed again."""

from pathlib import Path

import pytest

from callflow.scenarios.site import Version
from tests import labs
from tests.lab.installed_system import callflow, copied_root, lay_out_as_freepbx, verdicts

pytestmark = [pytest.mark.lab]

WORKS = (
    *("AMI login", "privileges", "dialplan", "entries", "FastAGI", "FastAGI token", "hearing", "time stamps"),
    *("prompts zh", "prompts en"),
)
LINE = "\n[from-test]\nexten => 100,1,Gosub(callflow-screen,s,1(default))\n same => n,Hangup()\n"


def install_and_check(root: Path, dialplan: str, version: Version) -> None:
    assert callflow("install", "--root", str(root), "--yes")[0] == 0
    path = root / "etc/asterisk" / dialplan
    before = path.read_text()
    path.write_text(before + LINE)
    code, output = callflow("--config", str(root / "etc/callflow/callflow.toml"), "check", beside=root)
    assert code == 0, output
    found = verdicts(output)
    assert {subject: found.get(subject) for subject in WORKS} == dict.fromkeys(WORKS, "ok")
    assert found["tap"] == "ok", "by AudioSocket, or by RTP"
    code, output = callflow("uninstall", "--root", str(root), "--yes")
    assert code == 2, "callers still enter"
    assert dialplan in output
    path.write_text(before)
    assert callflow("uninstall", "--root", str(root), "--yes")[0] == 0
    assert not list((root / "etc/asterisk").glob("*callflow*"))


@pytest.mark.parametrize("version", labs.EACH_ASTERISK)
def test_debians_asterisk_works_with_what_was_installed(version: Version) -> None:
    with copied_root(version) as root:
        install_and_check(root, "extensions.conf", version)


@pytest.mark.parametrize("version", labs.EACH_ASTERISK)
def test_freepbxs_layout_works_with_what_was_installed(version: Version) -> None:
    with copied_root(version) as root:
        lay_out_as_freepbx(root)
        install_and_check(root, "extensions_custom.conf", version)
