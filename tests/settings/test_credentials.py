"""Secrets in files: systemd's credentials, or a folder of a container."""

import os
from pathlib import Path

import pytest

from callflow.errors import SettingError
from callflow.settings.credentials import FOLDER_VARIABLES
from callflow.settings.model import load_settings

HOOK = '[webhooks.crm]\nurl = "https://crm.example/hook"\nsecret = "of-the-settings-file"\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("CALLFLOW_")]:
        monkeypatch.delenv(name)
    made = tmp_path / "credentials"
    made.mkdir()
    monkeypatch.setenv(FOLDER_VARIABLES[1], str(made))
    return made


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "callflow.toml"
    file.write_text('[ami]\nusername = "site"\nsecret = "of-the-file"\n')
    return file


def test_a_file_wins_over_the_settings_file_and_the_environment_over_both(
    folder: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load_settings(config).ami.secret.get_secret_value() == "of-the-file"
    (folder / "ami.secret").write_text("of-systemd\n")
    settings = load_settings(config)
    assert (settings.ami.secret.get_secret_value(), settings.ami.username) == ("of-systemd", "site")
    monkeypatch.setenv("CALLFLOW_AMI__SECRET", "of-the-environment")
    assert load_settings(config).ami.secret.get_secret_value() == "of-the-environment"


def test_every_kind_of_secret(folder: Path, config: Path) -> None:
    config.write_text(HOOK)
    (folder / "webhooks.crm.secret").write_text("sixteen letters at least")
    (folder / "fleet.database_url").write_text("postgresql://callflow@db/callflow")
    (folder / "agi.token").write_text("auto")
    settings = load_settings(config)
    assert settings.webhooks["crm"].secret.get_secret_value() == "sixteen letters at least"
    assert settings.fleet.database_url.get_secret_value() == "postgresql://callflow@db/callflow"
    assert settings.agi.token.get_secret_value() == "auto"


def test_a_containers_folder_wins_over_systemds(
    folder: Path, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "ami.secret").write_text("of-systemd")
    other = tmp_path / "secrets"
    other.mkdir()
    (other / "ami.secret").write_text("of-the-container")
    monkeypatch.setenv(FOLDER_VARIABLES[0], str(other))
    assert load_settings(config).ami.secret.get_secret_value() == "of-the-container"


def test_files_of_others_and_links_of_kubernetes_are_let_be(folder: Path, config: Path) -> None:
    (folder / "db_password").write_text("x")
    (folder / "tls.key").write_text("x")
    (folder / "..2026_11_29").mkdir()
    (folder / "..2026_11_29" / "ami.secret").write_text("of-kubernetes")
    (folder / "..data").symlink_to("..2026_11_29")
    (folder / "ami.secret").symlink_to("..data/ami.secret")
    assert load_settings(config).ami.secret.get_secret_value() == "of-kubernetes"


MISTAKES = {
    "ami.secrt": (b"hunter2", "there is no secret by this name", "did you mean ami.secret?"),
    "ami.port": (b"5038", "there is no secret by this name", "settings file"),
    "ami.secret": (b"", "not a secret", "alone"),
    "agi.token": (b"\xff\xfe", "not a secret", "alone"),
    "mqtt.password": (b"x" * 70_000, "not a secret", "alone"),
    "webhooks.crm.secret": (b"hunter2", "at least 16", "webhooks.crm.secret"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_every_mistake_names_the_file_and_a_remedy(folder: Path, config: Path, name: str) -> None:
    content, problem, remedy = MISTAKES[name]
    config.write_text(HOOK)
    (folder / name).write_bytes(content)
    with pytest.raises(SettingError) as caught:
        load_settings(config)
    assert str(folder / name) in caught.value.problem
    assert problem in caught.value.problem
    assert remedy in caught.value.remedy
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("made", [False, True], ids=["no folder", "a folder in its place"])
def test_what_cannot_be_read_is_named(folder: Path, config: Path, monkeypatch: pytest.MonkeyPatch, made: bool) -> None:
    if made:
        (folder / "ami.secret").mkdir()
    else:
        monkeypatch.setenv(FOLDER_VARIABLES[1], str(folder / "missing"))
    with pytest.raises(SettingError, match="cannot be read"):
        load_settings(config)
