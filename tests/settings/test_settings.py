"""Settings: file, environment, defaults; and one clear sentence for every mistake."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from callflow.cli import app
from callflow.core.profile import SILENT_LADDER, Mode
from callflow.errors import SettingError
from callflow.settings.documentation import all_settings, example
from callflow.settings.model import Settings, find_config, load_settings


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import os

    for name in [name for name in os.environ if name.startswith("CALLFLOW_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def write(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "callflow.toml"
    file.write_text(text, "utf-8")
    return file


def test_the_defaults_are_rows_s1_to_s3() -> None:
    rungs = load_settings().ladders["silent"].rungs
    assert [(r.prompt, r.listen_s, r.then) for r in rungs] == [
        ("greeting", 3.0, "next"),
        ("can_you_hear", 3.0, "next"),
        ("goodbye", 0.0, "hang_up"),
    ]
    assert rungs[-1].pause_s == 2.0


def test_a_site_changes_three_seconds_to_four_and_adds_a_rung(tmp_path: Path) -> None:
    text = """
    [[ladders.silent.rungs]]
    prompt = "greeting"
    listen_s = 4
    [[ladders.silent.rungs]]
    prompt = "one_more"
    [[ladders.silent.rungs]]
    prompt = "goodbye"
    listen_s = 0
    then = "hang_up"
    [profiles.support]
    mode = "observe"
    """
    settings = load_settings(write(tmp_path, text))
    assert [r.listen_s for r in settings.ladders["silent"].rungs] == [4.0, 3.0, 0.0]
    assert settings.profiles["support"].mode is Mode.OBSERVE
    assert "default" in settings.profiles


def test_a_new_ladder_keeps_the_shipped_one(tmp_path: Path) -> None:
    text = '[[ladders.gentle.rungs]]\nprompt = "greeting"\nthen = "pass_on"\n'
    assert load_settings(write(tmp_path, text)).ladders["silent"] == SILENT_LADDER


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(tmp_path, '[ami]\nport = 5099\nusername = "from-file"\n')
    monkeypatch.setenv("CALLFLOW_AMI__PORT", "6000")
    monkeypatch.setenv("CALLFLOW_AMI__SECRET", "s3cret")
    ami = load_settings(file).ami
    assert (ami.port, ami.username, ami.secret.get_secret_value()) == (6000, "from-file", "s3cret")


def test_the_file_comes_from_the_option_then_the_variable_then_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_config(None) is None
    (tmp_path / "config").mkdir()
    (tmp_path / "config/callflow.toml").write_text("")
    assert find_config(None) == Path("config/callflow.toml")
    monkeypatch.setenv("CALLFLOW_CONFIG", "elsewhere.toml")
    assert find_config(None) == Path("elsewhere.toml")
    assert find_config(Path("asked.toml")) == Path("asked.toml")


MISTAKES = {
    "[agi]\ntokn = 'x'": ("agi.tokn", "did you mean 'token'?"),
    "[asterisk]\nport = 1": ("asterisk", "known here"),
    "[agi]\nport = 70000": ("agi.port", "reference"),
    "[profiles.a]\nmode = 'obsserve'": ("profiles.a.mode", "reference"),
    "[profiles.a]\nladder = 'nope'": ("profiles.a.ladder: there is no ladder 'nope'", ""),
    "[profiles.a]\nlanguage = 'fr'": ("profiles.a.language: 'fr' is not in", ""),
    "[profiles.a.talk_detect]\nmin_speech = 1": ("profiles.a.talk_detect.min_speech", "min_speech_ms"),
    "[prompts]\ndefault_language = 'fr'": ("default_language 'fr' is not among", ""),
    "[prompts]\npath = 'x'": ("{prompt}", ""),
    "[prompts]\npath = '{lang}/{prompt}'": ("no other braces", ""),
    "[prompts]\npath = '{language/{prompt}'": ("no other braces", ""),
    "[prompts]\npath = '{language[a.b]}/{prompt}'": ("no other braces", ""),
    "[prompts]\npath = '{language.upper}/{prompt}'": ("no other braces", ""),
    "[prompts]\npath = '{language:>999999999}/{prompt}'": ("no other braces", ""),
    "[prompts]\npath = '{language!r}/{{prompt}'": ("no other braces", ""),
    "[prompts]\npath = '{pro{language}mpt}/{prompt}'": ("no other braces", ""),
    "[[ladders.l.rungs]]\nprompt = 'a'": ("rung 1 is the last", ""),
    "[[ladders.l.rungs]]\nthen='hang_up'\n[[ladders.l.rungs]]\nthen='pass_on'": ("rung 1 is not the last", ""),
    "[[ladders.l.rungs]]\nlisten = 3\nthen='pass_on'": ("ladders.l.rungs.0.listen", "listen_s"),
    "[agi]\ntoken = 'a/b'": ("agi.token", ""),
    "[log]\nlevel = 'loud'": ("log.level", ""),
    "[agi": ("not valid TOML", "correct the line"),
    "ladders = 5": ("ladders: must be a table", ""),
    "[[profiles]]\nmode = 'act'": ("profiles: must be a table", ""),
    "[[queues]]\nthreshold_s = 5": ("queues: must be a table", ""),
    '[ami]\nsecret = "a\\r\\nAction: Hangup"': ("ami.secret: must be one line", ""),
    f"[ami]\nsecret = '{'x' * 300}'": ("ami.secret: must be one line", ""),
}


@pytest.mark.parametrize("text", MISTAKES)
def test_every_mistake_names_the_setting_the_file_and_a_remedy(tmp_path: Path, text: str) -> None:
    named, remedy = MISTAKES[text]
    file = write(tmp_path, text)
    with pytest.raises(SettingError) as caught:
        load_settings(file)
    assert named in caught.value.problem
    assert str(file) in caught.value.problem
    assert remedy in caught.value.remedy
    assert caught.value.remedy


def test_a_secret_is_never_shown(tmp_path: Path) -> None:
    with pytest.raises(SettingError) as caught:
        load_settings(write(tmp_path, "[ami]\nsecret = ['hunter2']"))
    assert "hunter2" not in str(caught.value)
    with pytest.raises(SettingError) as caught:
        load_settings(write(tmp_path, "[[ami]]\nsecret = 'hunter2'"))
    assert "hunter2" not in str(caught.value)
    shown = CliRunner().invoke(app, ["--config", str(write(tmp_path, "[ami]\nsecret = 'hunter2'")), "settings"])
    assert "hunter2" not in shown.output


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"nowhere\.toml"):
        load_settings(tmp_path / "nowhere.toml")


def test_the_example_file_is_valid_and_uncommenting_it_changes_nothing(tmp_path: Path) -> None:
    text = example()
    assert load_settings(write(tmp_path, text)) == Settings()
    live = "\n".join(
        line[1:] if line.startswith("#") and not line.startswith("# ") else line for line in text.splitlines()
    )
    live = "\n".join(line for line in live.splitlines() if not line.endswith("= ..."))
    assert load_settings(write(tmp_path, live)) == Settings()


def test_every_setting_is_in_the_example_file() -> None:
    shown, section = set(), ""
    for line in example().splitlines():
        if header := re.fullmatch(r"#? ?\[+([\w.]+)\]+", line):
            section = re.sub(r"^(callbacks\.profiles|profiles|queues|ladders)\.\w+", r"\1.NAME", header[1]).replace(
                "rungs", "rungs[]"
            )
        elif setting := re.match(r"#? ?(\w+) = ", line):
            shown.add(f"{section}.{setting[1]}")
    assert {setting.name for setting in all_settings()} <= shown


def test_every_setting_has_an_explanation() -> None:
    settings = list(all_settings())
    assert len(settings) > 30
    assert [s.name for s in settings if not s.text.endswith((".", ")"))] == []
