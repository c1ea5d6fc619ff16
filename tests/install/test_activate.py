"""What `callflow install` tells of services that do not start: what is left to do, and the rest goes on."""

from pathlib import Path

import pytest

from callflow.errors import InstallError
from callflow.install import activate
from callflow.install.parts import FLEET_UNITS


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """A systemd under which no service starts; the commands that it was given."""
    given: list[tuple[str, ...]] = []

    def run(*command: str) -> str:
        given.append(command)
        if command[1] == "restart":
            raise InstallError("systemctl restart callflow.service failed: See ...", "see what it says")
        return ""

    monkeypatch.setattr(activate, "SYSTEMD_RUNS", tmp_path)
    monkeypatch.setattr(activate, "run", run)
    return given


def test_a_daemon_that_does_not_start_is_told_and_the_check_still_comes(
    systemd: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activate, "_is", lambda state, unit: False)
    told = list(activate.activate(Path("/opt/callflow/bin/callflow"), upgraded=False))
    assert "does not run" in told[-1].what
    assert "journalctl -u callflow -n 20" in told[-1].remedy


def test_a_collector_that_does_not_start_holds_the_page_up_no_more(
    systemd: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activate, "_is", lambda state, unit: True)
    told = list(activate.activate_fleet(FLEET_UNITS))
    assert [one.remedy.split()[2] for one in told] == ["callflow-collect", "callflow-web"]


def test_a_new_service_of_a_fleet_is_enabled_by_a_person_who_has_named_its_database(
    systemd: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Enabled before, it would be `failed` after every start of the machine."""
    monkeypatch.setattr(activate, "_is", lambda state, unit: False)
    told = list(activate.activate_fleet(FLEET_UNITS))
    assert systemd == [("systemctl", "daemon-reload")]
    for one, name in zip(told, ("callflow-collect", "callflow-web"), strict=True):
        assert one.remedy.endswith(f"systemctl enable --now {name}")
        assert "fleet.database_url" in one.remedy


def test_a_service_that_a_person_has_stopped_stays_so(
    systemd: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activate, "_is", lambda state, unit: state == "enabled")
    told = list(activate.activate_fleet(FLEET_UNITS))
    assert systemd == [("systemctl", "daemon-reload")]
    assert all("does not run" in one.what for one in told)
