"""Prometheus' own tool on our rules: that they can be loaded, and what raises each alert."""

from pathlib import Path

import pytest

from tests.metrics.scraped import promtool

HERE = Path(__file__).parent
CONFIG = HERE.parents[1] / "config" / "prometheus"


def test_configuration_and_rules_can_be_loaded() -> None:
    promtool("check", "config", str(CONFIG / "prometheus.yml"))


@pytest.mark.parametrize("name", ["rules_test.yml", "rules_trunk_test.yml"])
def test_rules_do_what_they_say(name: str) -> None:
    promtool("test", "rules", str(HERE / name))
