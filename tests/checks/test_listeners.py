"""`callflow check` warns of every server that listens beyond loopback without protection."""

from typing import Any

import pytest
from pydantic import BaseModel

from callflow.checks.finding import Verdict
from callflow.checks.listeners import LISTENERS, check_listeners, is_loopback
from callflow.settings.model import Settings

CLIENTS = {"ami", "mqtt"}
"""Sections with a host and a port that callflow connects to."""


def warned(**sections: Any) -> list[str]:
    """Sections that are warned about."""
    findings = check_listeners(Settings(**sections))
    assert all(finding.remedy for finding in findings if finding.verdict is Verdict.WARN)
    return [finding.seen.split("]")[0].strip("[") for finding in findings if finding.verdict is Verdict.WARN]


def test_every_section_that_listens_is_checked() -> None:
    sections = {
        name
        for name, field in Settings.model_fields.items()
        if isinstance(field.annotation, type)
        and issubclass(field.annotation, BaseModel)
        and {"host", "port"} <= field.annotation.model_fields.keys()
    }
    assert sections - CLIENTS == {listener.section for listener in LISTENERS}


def test_the_defaults_expose_nothing() -> None:
    assert warned() == []


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "pbx.example"])
@pytest.mark.parametrize("section", [listener.section for listener in LISTENERS])
def test_an_open_server_is_warned_about(section: str, host: str) -> None:
    assert warned(**{section: {"host": host}}) == [section]


@pytest.mark.parametrize(
    "protected",
    [
        {"agi": {"host": "0.0.0.0", "token": "of-the-site"}},
        {"agi": {"host": "0.0.0.0", "token": "auto"}},
        {"http": {"host": "0.0.0.0", "enabled": False}},
        {"web": {"host": "0.0.0.0", "secure_cookie": True}},
        {"web": {"host": "0.0.0.0", "enabled": False}},
        {"tap": {"host": "0.0.0.0", "enabled": False}},
    ],
)
def test_what_is_protected_or_off_is_not(protected: dict[str, Any]) -> None:
    assert warned(**protected) == []


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.3.2.1", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("10.0.0.1", False),
        ("localhost.example", False),
    ],
)
def test_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
