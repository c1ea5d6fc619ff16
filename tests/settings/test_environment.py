"""Settings from the environment: how lists and tables are written, and one sentence for every mistake."""

import os

import pytest

from callflow.errors import SettingError
from callflow.settings.model import Settings, load_settings


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("CALLFLOW_")]:
        monkeypatch.delenv(name)


MISTAKES = {
    "CALLFLOW_AGI__PORT=foo": ("agi.port", "reference"),
    "CALLFLOW_AGI__PROT=1": ("agi.prot: there is no such setting", "'port'"),
    "CALLFLOW_PROMPTS__LANGUAGES=zh,en": ("prompts.languages: must be a list, not 'zh,en'", "as JSON"),
    'CALLFLOW_PROMPTS__LANGUAGES=["zh", "e n"]': ("prompts.languages.1", "reference"),
    "CALLFLOW_LOG=debug": ("log: must be a table", "CALLFLOW_LOG__LEVEL="),
    "CALLFLOW_PROFILES=5": ("profiles: must be a table", "CALLFLOW_PROFILES='{"),
    "CALLFLOW_RINGS__WORK_NUMBERS=x": ("rings.work_numbers: must be a table", "as JSON"),
    "CALLFLOW_AMI_SECRET=hunter2": ("there is no such setting", "did you mean CALLFLOW_AMI__SECRET?"),
    "CALLFLOW_AMY__SECRET=hunter2": ("there is no such setting", "did you mean CALLFLOW_AMI__SECRET?"),
    "CALLFLOW_AMI=hunter2": ("ami: must be a table", "CALLFLOW_AMI__HOST="),
}


@pytest.mark.parametrize("line", MISTAKES)
def test_every_mistake_names_the_variable_and_a_remedy(monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    variable, _, value = line.partition("=")
    problem, remedy = MISTAKES[line]
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingError) as caught:
        load_settings()
    assert problem in caught.value.problem
    assert variable in caught.value.problem
    assert remedy in caught.value.remedy
    assert "hunter2" not in str(caught.value)


def test_lists_and_tables_are_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLFLOW_PROMPTS__LANGUAGES", '["en", "es"]')
    monkeypatch.setenv("CALLFLOW_PROFILES", '{"support": {"mode": "observe"}}')
    settings = load_settings()
    assert settings.prompts.languages == ("en", "es")
    assert list(settings.profiles) == ["default", "support"]


def test_variables_that_are_no_settings_are_let_be(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CALLFLOW_LAB_CACHE", "CALLFLOW_PROMETHEUS_URL"):
        monkeypatch.setenv(name, "x")
    load_settings()


def test_what_kubernetes_tells_of_a_service_is_let_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLFLOW_HTTP_PORT", "tcp://192.0.2.7:8088")
    assert load_settings().http.port == Settings().http.port
    monkeypatch.setenv("CALLFLOW_HTTP_PORT", "8088")
    with pytest.raises(SettingError, match="CALLFLOW_HTTP_PORT"):
        load_settings()
