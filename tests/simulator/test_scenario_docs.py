"""docs/simulator.md has every key of a scenario file, and its example is one."""

import re
from pathlib import Path

import pytest

from callflow.installed import CHECKOUT
from callflow.scenarios.behaviour import NOMINAL_ANCHORS, CallerAction, Expected
from callflow.scenarios.phones import PhoneAction, PhoneGroup
from callflow.scenarios.scenario import AgentGroup, CallerGroup, Scenario, read_scenario

PAGE = (CHECKOUT / "docs" / "simulator.md").read_text("utf-8")
KEYS = {
    key
    for model in (Scenario, CallerGroup, AgentGroup, PhoneGroup, PhoneAction, CallerAction, Expected)
    for key in model.model_fields
    if (model, key) != (Scenario, "name")
}


@pytest.mark.parametrize("key", sorted(KEYS))
def test_every_key_is_explained(key: str) -> None:
    assert f"`{key}`" in PAGE


@pytest.mark.parametrize("anchor", sorted(set(NOMINAL_ANCHORS) - {"answer"}))
def test_every_moment_is_named(anchor: str) -> None:
    assert f"`{anchor}`" in PAGE


def test_the_example_can_be_read(tmp_path: Path) -> None:
    example = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert example is not None
    file = tmp_path / "example.toml"
    file.write_text(example[1], "utf-8")
    assert len(read_scenario(file).callers) == 2
