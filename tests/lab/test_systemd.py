"""The shipped units under real systemd, from the Debian package: ready, reload, watchdog, restart, purge."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.lab.fresh_debian import Booted, booted, debian

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1500), pytest.mark.xdist_group("deb")]

SETTINGS = "etc/callflow/callflow.toml"
PAGE = "import urllib.request; print(urllib.request.urlopen('http://127.0.0.1:9813/').status)"


@pytest.fixture(scope="module")
def system(debian_package: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Booted]:
    """A booted Debian on which the package and all services were installed."""
    with booted(debian("systemd", "python3,systemd-sysv"), tmp_path_factory.mktemp("systemd")) as made:
        files = Path(f"/proc/{made.pid}/root")
        (files / "root/callflow.deb").write_bytes(debian_package.read_bytes())
        (files / "etc/asterisk").mkdir()
        (files / "usr/share/asterisk/sounds").mkdir(parents=True)
        made.write("etc/asterisk/extensions.conf", "[general]\n")
        made.write("etc/asterisk/manager.conf", "[general]\nenabled = yes\n")
        code, output = made.run("apt-get", "install", "-y", "--no-install-recommends", "/root/callflow.deb")
        assert code == 0, output
        code, output = made.run("callflow", "install", "--yes", "--collector", "--web")
        assert code == 1, output
        assert "the service is enabled and runs" in output
        assert "Gosub(callflow-screen" in output
        yield made


def pid(system: Booted) -> str:
    return system.show("callflow", "MainPID")


def is_up(system: Booted, unit: str = "callflow") -> bool:
    return system.show(unit, "ActiveState") == "active"


def speaks(system: Booted, unit: str, words: str) -> bool:
    return words in system.journal(unit)


def test_it_is_ready_when_it_says_so(system: Booted) -> None:
    assert is_up(system)
    assert system.show("callflow", "StatusText") != ""
    assert system.show("callflow", "User") == "callflow"


def test_reload_applies_a_good_file_and_refuses_a_faulty_one(system: Booted) -> None:
    system.wait("the service is up", lambda: is_up(system))
    before = pid(system)
    good = Path(f"/proc/{system.pid}/root/{SETTINGS}").read_text()
    code, output = system.run("systemctl", "reload", "callflow")
    assert code == 0, output
    system.wait("the daemon reloads", lambda: "the settings are reloaded" in system.journal("callflow"))
    system.write(SETTINGS, "[nowhere]\nx = 1\n", more=True)
    assert system.run("systemctl", "reload", "callflow")[0] != 0
    assert "nowhere: there is no such" in system.journal("callflow")
    system.write(SETTINGS, good)
    assert pid(system) == before


@pytest.mark.parametrize("number", ["STOP", "KILL"])
def test_a_frozen_or_killed_daemon_is_started_again(system: Booted, number: str) -> None:
    system.wait("the service is up", lambda: is_up(system))
    before = pid(system)
    assert system.run("sh", "-c", f"kill -{number} {before}")[0] == 0
    system.wait("it is started again", lambda: pid(system) not in (before, "0") and is_up(system))
    assert number == "KILL" or "atchdog timeout" in system.run("journalctl", "--no-pager")[1]


def test_what_a_person_must_mend_stays_down_and_says_why(system: Booted) -> None:
    good = Path(f"/proc/{system.pid}/root/{SETTINGS}").read_text()
    system.write(SETTINGS, "[nowhere]\nx = 1\n", more=True)
    assert system.run("systemctl", "restart", "callflow")[0] != 0
    system.wait("it stays down", lambda: system.show("callflow", "ActiveState") == "failed")
    assert system.show("callflow", "ExecMainStatus") == "2"
    system.write(SETTINGS, good)
    assert system.run("systemctl", "restart", "callflow")[0] == 0


def test_the_services_of_a_fleet_run_beside_the_daemon(system: Booted) -> None:
    """The sandbox of the units allows it; they wait for their database and say so."""
    system.write(
        "etc/callflow/collect.env", "CALLFLOW_FLEET__DATABASE_URL=postgresql://callflow@127.0.0.1:1/callflow\n"
    )
    for unit in ("callflow-collect", "callflow-web"):
        assert system.run("systemctl", "start", unit)[0] == 0
        system.wait("it speaks", partial(speaks, system, unit, "127.0.0.1:1/callflow"))
        assert is_up(system, unit)
        assert system.show(unit, "StatusText").startswith("waiting: the database postgresql://callflow@127.0.0.1:1/")
        assert system.show(unit, "NRestarts") == "0"
    assert system.run("systemctl", "stop", "callflow-web")[0] == 0
    system.write("etc/callflow/collect.env", "")


def test_the_page_of_a_fleet_needs_its_database(system: Booted) -> None:
    """Without `database_url` it does not start and says so. Its sandbox lets it serve a database, here the node's."""
    system.run("systemctl", "start", "callflow-web")
    system.wait("it stays down", lambda: system.show("callflow-web", "ActiveState") == "failed")
    assert system.show("callflow-web", "ExecMainStatus") == "2"
    assert "database_url" in system.journal("callflow-web")
    unit = system.show("callflow-web", "FragmentPath")
    assert system.run("sed", "-i", "s/ web --fleet/ web/", unit)[0] == 0
    system.run("systemctl", "daemon-reload")
    assert system.run("systemctl", "start", "callflow-web")[0] == 0
    system.wait("the page is served", lambda: system.run("python3", "-c", PAGE)[0] == 0)
    assert system.show("callflow-web", "NRestarts") == "0"


def test_a_purge_stops_them_and_leaves_no_unit(system: Booted) -> None:
    code, output = system.run("apt-get", "purge", "-y", "callflow")
    assert code == 0, output
    assert system.run("systemctl", "list-units", "--all", "--no-legend", "callflow*")[1].strip() == ""
    assert not list(Path(f"/proc/{system.pid}/root/etc/systemd/system").rglob("callflow*"))
    assert system.run("sh", "-c", "grep -l callflow /proc/[0-9]*/comm")[0] != 0, "no process is left"
