"""`callflow install` into folders: what is written where, what is kept, and that nothing is done twice."""

import re
import tomllib
from pathlib import Path

import pytest

from callflow.settings.model import Settings
from tests.install.systems import FREEPBX, ISSABEL, MIKOPBX, PLAIN, callflow, make_system, snapshot

LAYOUTS = {"plain": PLAIN, "freepbx": FREEPBX, "issabel": ISSABEL, "mikopbx": MIKOPBX}
SECRET = re.compile(r"^secret = ([0-9a-f]{32})$", re.MULTILINE)


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    return make_system(tmp_path / "plain", PLAIN)


def install(root: Path, *more: str) -> str:
    code, output = callflow("install", "--root", root, "--yes", *more)
    assert code == 0, output
    return output


def uninstall(root: Path, *more: str) -> tuple[int, str]:
    return callflow("uninstall", "--root", root, "--yes", *more)


def settings_of(root: Path) -> Settings:
    return Settings(**tomllib.loads((root / "etc/callflow/callflow.toml").read_text()))


def test_a_plain_asterisk_gets_everything(plain: Path) -> None:
    install(plain)
    etc = plain / "etc/asterisk"
    assert "[callflow-screen]" in (etc / "callflow.conf").read_text()
    found = SECRET.search((etc / "manager_callflow.conf").read_text())
    assert found is not None
    environment = (plain / "etc/callflow/callflow.env").read_text()
    assert environment == f"CALLFLOW_AMI__SECRET={found[1]}\nCALLFLOW_AGI__TOKEN=auto\n"
    assert (etc / "extensions.conf").read_text().endswith("\n#include callflow.conf\n")
    assert (etc / "manager.conf").read_text().endswith("\n#include manager_callflow.conf\n")
    assert (etc / "features.conf").read_text() == "[general]\n#include features_callflow.conf\n"
    assert len(list((plain / "usr/share/asterisk/sounds/zh/callflow").glob("*.wav"))) >= 6
    assert "ExecStart=/opt/callflow/bin/callflow run" in (plain / "etc/systemd/system/callflow.service").read_text()
    assert settings_of(plain) == Settings()
    assert (plain / "usr/local/bin/callflow").readlink() == Path("/opt/callflow/bin/callflow")


def test_no_other_user_can_read_the_secret(plain: Path) -> None:
    output = install(plain)
    secret = (plain / "etc/callflow/callflow.env").read_text().partition("=")[2][:32]
    holders = [path for path in plain.rglob("*") if path.is_file() and secret in path.read_text(errors="replace")]
    assert len(holders) == 2
    assert all(path.stat().st_mode & 0o007 == 0 for path in holders)
    assert secret not in output


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_second_time_changes_nothing(tmp_path: Path, layout: str) -> None:
    root = make_system(tmp_path, LAYOUTS[layout])
    install(root)
    before = snapshot(root)
    output = install(root)
    assert snapshot(root) == before
    assert not re.search(r"^(write|update|add line|kept)", output, re.MULTILINE)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_dry_run_changes_nothing(tmp_path: Path, layout: str) -> None:
    root = make_system(tmp_path, LAYOUTS[layout])
    before = snapshot(root)
    code, output = callflow("install", "--root", root, "--dry-run")
    assert code == 0
    assert "/etc/asterisk/callflow.conf" in output
    assert snapshot(root) == before


@pytest.mark.parametrize("layout", ["freepbx", "issabel"])
def test_freepbx_and_issabel_keep_their_own_files(tmp_path: Path, layout: str) -> None:
    root = make_system(tmp_path, LAYOUTS[layout])
    output = install(root)
    etc = root / "etc/asterisk"
    for name in ("extensions.conf", "manager.conf", "features.conf"):
        assert (etc / name).read_text() == LAYOUTS[layout][f"etc/asterisk/{name}"]
    assert "#include callflow.conf" in (etc / "extensions_custom.conf").read_text()
    assert "#include manager_callflow.conf" in (etc / "manager_custom.conf").read_text()
    assert "#include features_callflow.conf" in (etc / "features_applicationmap_custom.conf").read_text()
    assert (root / "var/lib/asterisk/sounds/zh/custom/callflow/greeting.wav").exists()
    settings = settings_of(root)
    assert settings.prompts.path == "{language}/custom/callflow/{prompt}"
    assert settings.tap.sounds == Path("/var/lib/asterisk/sounds")
    assert "ustom" in output.rpartition("left to you")[2]


def test_mikopbx_writes_its_files_anew_so_a_person_adds_the_lines(tmp_path: Path) -> None:
    root = make_system(tmp_path, MIKOPBX)
    output = install(root)
    assert (root / "etc/asterisk/manager.conf").read_text() == MIKOPBX["etc/asterisk/manager.conf"]
    includes = [f"#include {name}callflow.conf" for name in ("", "manager_", "features_")]
    for line in (*includes, "queue-pre-dial-custom"):
        assert line in output
    assert settings_of(root).tap.sounds == Path("/offload/asterisk/sounds")


@pytest.mark.parametrize(
    ("general", "added"),
    [
        ("", {"enabled = yes", "bindaddr = 127.0.0.1", "timestampevents = yes"}),
        ("enabled = no", {"enabled = yes", "bindaddr = 127.0.0.1", "timestampevents = yes"}),
        ("enabled = yes ; by hand\nbindaddr = 0.0.0.0", {"timestampevents = yes"}),
        ("enabled => true\ntimestampevents = on", set()),
    ],
)
def test_what_the_ami_lacks_is_added_and_what_it_has_is_left(plain: Path, general: str, added: set[str]) -> None:
    (plain / "etc/asterisk/manager.conf").write_text(f"[general]\n{general}\n[admin]\nenabled = no\n")
    install(plain)
    user = (plain / "etc/asterisk/manager_callflow.conf").read_text()
    _, found, more = user.partition("[general](+)\n")
    assert bool(found) == bool(added)
    assert set(more.split("\n")) - {""} == added


def test_another_port_of_the_ami_is_found(plain: Path) -> None:
    (plain / "etc/asterisk/manager.conf").write_text("[general]\nenabled = yes\nport = 5099\n")
    install(plain)
    assert settings_of(plain).ami.port == 5099


def test_what_a_person_changed_is_kept_and_the_new_one_put_beside_it(plain: Path) -> None:
    install(plain)
    settings = plain / "etc/callflow/callflow.toml"
    unit = plain / "etc/systemd/system/callflow.service"
    settings.write_text('[node]\nname = "mine"\n')
    output = install(plain, "--program", "/srv/callflow/bin/callflow")
    assert settings.read_text() == '[node]\nname = "mine"\n'
    assert settings.with_name("callflow.toml.callflow-new").read_text().startswith("# Every setting")
    assert "callflow.toml was changed by a person and is kept" in output
    assert "ExecStart=/srv/callflow/bin/callflow run" in unit.read_text(), "an unchanged file of ours is updated"


def test_a_file_that_was_there_before_us_is_a_persons(plain: Path) -> None:
    dialplan = plain / "etc/asterisk/callflow.conf"
    dialplan.write_text("; copied by hand from an earlier release\n")
    install(plain)
    assert dialplan.read_text() == "; copied by hand from an earlier release\n"
    assert "[callflow-screen]" in dialplan.with_name("callflow.conf.callflow-new").read_text()


def test_a_secret_in_use_stays(plain: Path) -> None:
    (plain / "etc/asterisk/manager_callflow.conf").write_text("[callflow]\nsecret = of-the-site ; changed\n")
    install(plain)
    assert "CALLFLOW_AMI__SECRET=of-the-site\n" in (plain / "etc/callflow/callflow.env").read_text()


def test_an_environment_of_the_site_gets_only_what_is_missing(plain: Path) -> None:
    environment = plain / "etc/callflow/callflow.env"
    environment.parent.mkdir()
    environment.write_text("CALLFLOW_LOG__LEVEL=debug\nCALLFLOW_AGI__TOKEN=mine")
    install(plain)
    lines = environment.read_text().splitlines()
    assert lines[:2] == ["CALLFLOW_LOG__LEVEL=debug", "CALLFLOW_AGI__TOKEN=mine"]
    assert [line.partition("=")[0] for line in lines[2:]] == ["CALLFLOW_AMI__SECRET"]


def test_an_include_that_is_there_is_not_added_again(plain: Path) -> None:
    path = plain / "etc/asterisk/extensions.conf"
    path.write_text('[general]\n#include "callflow.conf"   ; ours\n')
    install(plain)
    assert path.read_text().count("#include") == 1


@pytest.mark.parametrize("layout", LAYOUTS)
def test_uninstall_leaves_what_was_there_before(tmp_path: Path, layout: str) -> None:
    root = make_system(tmp_path, LAYOUTS[layout])
    before = snapshot(root)
    install(root)
    code, output = uninstall(root)
    assert code == 0, output
    assert snapshot(root) == before


def test_uninstall_keeps_what_a_person_changed_and_purge_does_not(plain: Path) -> None:
    before = snapshot(plain)
    install(plain)
    settings = plain / "etc/callflow/callflow.toml"
    settings.write_text('[node]\nname = "mine"\n')
    records = plain / "var/lib/callflow/callflow.db"
    records.write_text("records")
    assert uninstall(plain)[0] == 0
    assert settings.exists()
    assert records.exists()
    install(plain)
    assert uninstall(plain, "--purge")[0] == 0
    assert snapshot(plain).keys() - before.keys() <= {"etc/callflow/callflow.toml"}


ENTRIES = {
    "plain": "exten => 100,1,Gosub(callflow-screen,s,1(support))\n",
    "same": " same => n,Gosub(callflow-screen,s,1(support)) ; ours\n",
    "goto": "exten => 100,1,Goto(callflow-screen,s,1)\n",
}
HARMLESS = {
    "comment": "; exten => 100,1,Gosub(callflow-screen,s,1(support))\n",
    "guarded": "exten => 1,1,GosubIf(${DIALPLAN_EXISTS(callflow-screen,s,1)}?callflow-screen,s,1(support))\n",
}


@pytest.mark.parametrize("entry", ENTRIES)
def test_uninstall_refuses_while_callers_enter(plain: Path, entry: str) -> None:
    install(plain)
    dialplan = plain / "etc/asterisk/extensions.conf"
    dialplan.write_text(dialplan.read_text() + ENTRIES[entry])
    before = snapshot(plain)
    code, output = uninstall(plain)
    assert code == 2
    assert "/etc/asterisk/extensions.conf" in output
    assert snapshot(plain) == before


@pytest.mark.parametrize("entry", HARMLESS)
def test_a_line_that_harms_nobody_does_not_hold_uninstall_up(plain: Path, entry: str) -> None:
    install(plain)
    dialplan = plain / "etc/asterisk/extensions.conf"
    dialplan.write_text(dialplan.read_text() + HARMLESS[entry])
    assert uninstall(plain)[0] == 0


def test_links_are_followed_within_the_system(plain: Path, tmp_path: Path) -> None:
    """Debian's sounds/en is an absolute link into /etc/alternatives."""
    sounds = plain / "usr/share/asterisk/sounds"
    (sounds / "en").rename(sounds / "en_US_f_Allison")
    (plain / "etc/alternatives").mkdir()
    (plain / "etc/alternatives/prompts-en").symlink_to("/usr/share/asterisk/sounds/en_US_f_Allison")
    (sounds / "en").symlink_to("/etc/alternatives/prompts-en")
    install(plain)
    assert (sounds / "en_US_f_Allison/callflow/greeting.wav").exists()


def test_without_asterisk_nothing_is_written(tmp_path: Path) -> None:
    code, output = callflow("install", "--root", make_system(tmp_path, {}), "--yes")
    assert code == 2
    assert "no Asterisk" in output


def test_a_program_in_a_home_folder_could_not_be_started(plain: Path) -> None:
    code, output = callflow("install", "--root", plain, "--yes", "--program", "/home/me/venv/bin/callflow")
    assert code == 2
    assert "home" in output


def test_nobody_to_ask_means_yes_must_be_said(plain: Path) -> None:
    before = snapshot(plain)
    code, output = callflow("install", "--root", plain)
    assert code == 2
    assert "--yes" in output
    assert snapshot(plain) == before


def test_a_crash_in_the_middle_is_continued(plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that were written before the record of them are taken for ours, because they are the same."""
    install(plain)
    (plain / "etc/callflow/installed.json").unlink()
    install(plain)
    assert list(plain.rglob("*.callflow-new")) == []
    assert uninstall(plain)[0] == 0
    assert not (plain / "etc/asterisk/callflow.conf").exists()
    assert (plain / "etc/asterisk/extensions.conf").read_text() == PLAIN["etc/asterisk/extensions.conf"]


def test_a_system_without_feature_codes_gets_the_file_and_loses_it_again(plain: Path) -> None:
    features = plain / "etc/asterisk/features.conf"
    features.unlink()
    install(plain)
    assert features.read_text() == "#include features_callflow.conf\n"
    assert uninstall(plain)[0] == 0
    assert not features.exists()
    assert not (plain / "etc/asterisk/features_callflow.conf").exists()


@pytest.mark.parametrize("before", ["", "[general]\n"])
def test_a_file_that_was_there_stays(plain: Path, before: str) -> None:
    """An empty one too: another file may include it."""
    features = plain / "etc/asterisk/features.conf"
    features.write_text(before)
    install(plain)
    install(plain)
    assert uninstall(plain)[0] == 0
    assert features.read_text() == before


def test_a_file_of_ours_that_a_person_wrote_in_stays(plain: Path) -> None:
    features = plain / "etc/asterisk/features.conf"
    features.unlink()
    install(plain)
    features.write_text(features.read_text() + "[general]\n")
    assert uninstall(plain)[0] == 0
    assert features.read_text() == "[general]\n"


def test_no_file_is_left_that_includes_one_that_is_gone(plain: Path) -> None:
    """Asterisk refuses the whole dialplan for it."""
    path = plain / "etc/asterisk/extensions.conf"
    path.write_text('[general]\n#include "callflow.conf" ; by hand\n[default]\n')
    install(plain)
    assert uninstall(plain)[0] == 0
    assert path.read_text() == "[general]\n[default]\n"


FLEET = {
    "collector": ("etc/systemd/system/callflow-collect.service", "--config /etc/callflow/collect.toml collect"),
    "web": ("etc/systemd/system/callflow-web.service", "--config /etc/callflow/collect.toml web --fleet"),
}


@pytest.mark.parametrize("asterisk", [True, False])
@pytest.mark.parametrize("asked", [("collector",), ("web",), ("collector", "web")])
def test_the_services_of_a_fleet_are_installed_where_asked_and_removed(
    tmp_path: Path, asked: tuple[str, ...], asterisk: bool
) -> None:
    root = make_system(tmp_path / "system", PLAIN if asterisk else {})
    before = snapshot(root)
    install(root, *(f"--{name}" for name in asked), "--program", "/srv/callflow/bin/callflow")
    for name, (unit, command) in FLEET.items():
        assert (root / unit).exists() is (name in asked)
        if name in asked:
            assert f"ExecStart=/srv/callflow/bin/callflow {command}" in (root / unit).read_text().splitlines()
    assert (root / "etc/systemd/system/callflow.service").exists() is asterisk
    settings = Settings(**tomllib.loads((root / "etc/callflow/collect.toml").read_text()))
    ports = {"http": {"port": 9812}, "web": {"port": 9813}} if asterisk else {}
    assert settings == Settings.model_validate(ports), "beside a daemon, which has the usual ports, others"
    installed = snapshot(root)
    install(root, "--program", "/srv/callflow/bin/callflow")
    assert snapshot(root) == installed, "it is known what was asked for"
    code, output = uninstall(root, "--purge")
    assert code == 0, output
    assert snapshot(root) == before


def test_without_a_wish_no_service_of_a_fleet_is_installed(plain: Path) -> None:
    install(plain)
    assert not (plain / "etc/callflow/collect.toml").exists()
    assert [path.name for path in (plain / "etc/systemd/system").iterdir()] == ["callflow.service"]


def test_changed_settings_of_a_fleet_are_kept(tmp_path: Path) -> None:
    root = make_system(tmp_path / "system", {})
    install(root, "--collector")
    settings = root / "etc/callflow/collect.toml"
    settings.write_text('[fleet]\ndatabase_url = "postgresql:///callflow"\n')
    install(root, "--web")
    assert "postgresql:///callflow" in settings.read_text()
    assert (root / FLEET["web"][0]).exists()
    assert uninstall(root)[0] == 0
    assert settings.exists()
