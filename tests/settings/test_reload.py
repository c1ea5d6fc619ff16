"""What a reload applies, what needs a restart, and that a faulty file changes nothing."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from pydantic import BaseModel

from callflow.errors import SettingError
from callflow.runtime.reloading import Reloading
from callflow.settings.documentation import all_settings
from callflow.settings.model import Settings
from callflow.settings.reload import change

SHORT = {"ladder": "short"}
WITH_SHORT: dict[str, Any] = {
    "ladders": {"short": {"rungs": [{"listen_s": 1.0, "then": "pass_on"}]}},
    "profiles": {"support": SHORT},
}


@pytest.fixture
def logged() -> Iterator[list[Any]]:
    with structlog.testing.capture_logs() as lines:
        yield lines


def reloading(*readings: Settings | SettingError) -> tuple[Reloading, list[Settings]]:
    """The first reading is in force; each reload takes the next."""
    applied: list[Settings] = []
    first, *rest = readings
    assert isinstance(first, Settings)

    def read() -> Settings:
        found = rest.pop(0)
        if isinstance(found, SettingError):
            raise found
        return found

    return Reloading(first, read, applied.append), applied


async def reload(one: Reloading) -> None:
    one.ask()
    assert one._task is not None
    await one._task


def test_profiles_and_ladders_are_applied_and_named() -> None:
    found = change(Settings(), Settings(**WITH_SHORT))
    assert set(found.applied) == {"ladders.short", "profiles.support"}
    assert found.need_restart == ()
    assert found.in_force.profiles["support"].ladder == "short"


def test_what_needs_a_restart_is_named_and_keeps_its_value() -> None:
    new = Settings(ami={"secret": "changed", "port": 5039}, profiles={"default": {"mode": "off"}})
    found = change(Settings(), new)
    assert found.applied == ("profiles.default.mode",)
    assert set(found.need_restart) == {"ami.secret", "ami.port"}
    assert found.in_force.ami == Settings().ami
    assert found.in_force.profiles["default"].mode == "off"


def test_one_setting_of_a_section_may_reload_and_another_not() -> None:
    found = change(Settings(), Settings(prompts={"path": "x/{prompt}", "default_language": "zh"}))
    assert (found.applied, found.need_restart) == (("prompts.default_language",), ("prompts.path",))
    assert found.in_force.prompts.default_language == "zh"
    assert found.in_force.prompts.path == Settings().prompts.path


def leaves(model: BaseModel, prefix: str = "") -> Iterator[str]:
    """Every setting of a reading, by dotted name; tables are not opened."""
    for name in type(model).model_fields:
        value = getattr(model, name)
        yield from leaves(value, f"{prefix}{name}.") if isinstance(value, BaseModel) else [f"{prefix}{name}"]


def test_the_reference_says_of_the_same_settings_that_a_reload_applies_them() -> None:
    told = {setting.name: setting.reloads for setting in all_settings()}
    assert told["profiles.NAME.quiet.below_dbov"]
    assert told["ladders.NAME.rungs[].listen_s"]
    assert told["store.records_days"]
    assert not told["store.path"]
    assert not told["ami.secret"]
    for name in leaves(Settings()):
        if name in told:
            assert (name in change(Settings(), _altered(name)).applied) == told[name], name


def _altered(name: str) -> Settings:
    """Settings in which one setting has a value that no default is."""
    settings = Settings()

    def put(model: BaseModel, parts: list[str]) -> BaseModel:
        first, *rest = parts
        value = put(getattr(model, first), rest) if rest else object()
        return model.model_copy(update={first: value})

    altered = put(settings, name.split("."))
    assert isinstance(altered, Settings)
    return altered


async def test_a_faulty_file_changes_nothing_and_says_what_to_do(logged: list[Any]) -> None:
    one, applied = reloading(Settings(), SettingError("agi.prot", "there is no such setting", "did you mean port?"))
    await reload(one)
    assert applied == []
    (line,) = logged
    assert line["log_level"] == "error"
    assert "agi.prot" in line["reason"]
    assert line["remedy"] == "did you mean port?"


async def test_changes_are_named_without_their_values(logged: list[Any]) -> None:
    new = Settings(ami={"secret": "s3cret-in-no-log"}, profiles={"default": {"on_noise": "silence"}})
    one, applied = reloading(Settings(), new)
    await reload(one)
    assert [settings.profiles["default"].on_noise for settings in applied] == ["silence"]
    assert applied[0].ami == Settings().ami
    assert {"ami.secret"} == {name for line in logged for name in line.get("settings", [])}
    assert "s3cret-in-no-log" not in repr(logged)


async def test_what_waits_for_a_restart_is_named_at_every_reload(logged: list[Any]) -> None:
    new = Settings(ami={"port": 5039})
    one, applied = reloading(Settings(), new, new)
    await reload(one)
    await reload(one)
    assert applied == []
    assert [line["settings"] for line in logged if "settings" in line] == [["ami.port"]] * 2


async def test_a_request_during_a_reload_is_served_after_it() -> None:
    last = Settings(profiles={"default": {"mode": "off"}})
    one, applied = reloading(Settings(), Settings(profiles={"default": {"mode": "observe"}}), last)
    one.ask()
    one.ask()
    async with asyncio.timeout(5):
        while len(applied) < 2:  # noqa: ASYNC110 - a reload tells nobody but the daemon
            await asyncio.sleep(0.005)
    assert [str(settings.profiles["default"].mode) for settings in applied] == ["observe", "off"]
