"""`callflow settings` shows what is in force, whatever a site has set."""

from itertools import pairwise
from pathlib import Path

import pytest
from typer.testing import CliRunner

from callflow.cli import app


def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> list[list[str]]:
    """The cells of every row."""
    monkeypatch.setenv("COLUMNS", "400")
    (tmp_path / "callflow.toml").write_text(text, "utf-8")
    result = CliRunner().invoke(app, ["--config", str(tmp_path / "callflow.toml"), "settings"])
    assert result.exit_code == 0, result.output
    head, *lines = result.output.splitlines()
    edges = [*(head.index(heading) for heading in ("setting", "value", "default", "meaning")), None]
    return [[line[start:end].strip() for start, end in pairwise(edges)] for line in lines]


VALUES = {
    '[rings.lines.reception]\nnumbers = ["100"]': ("rings.lines", '{reception = {numbers = ["100"]}}'),
    "[rings.cadences.mine]\nelements_ms = [1000, 3000]": ("rings.cadences", "{mine = {elements_ms = [1000, 3000]}}"),
    '[rings.work_numbers]\n"PJSIP/a" = "12"': ("rings.work_numbers", '{"PJSIP/a" = "12"}'),
    '[rings]\nline_pattern = "[/0-9]{2,5}"': ("rings.line_pattern", '"[/0-9]{2,5}"'),
    '[rings]\nline_pattern = "[a-z]{2}"': ("rings.line_pattern", '"[a-z]{2}"'),
    "[queues.support]\nthreshold_s = 15": ("queues.support.threshold_s", "15"),
    "[profiles.a.quiet]\nmax_gain_db = 6": ("profiles.a.quiet.max_gain_db", "6.0"),
}


@pytest.mark.parametrize("text", VALUES)
def test_a_value_is_shown_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    name, value = VALUES[text]
    rows = {row[0]: row[1] for row in shown(tmp_path, monkeypatch, text)}
    assert rows[name] == value


def test_defaults_and_meanings_are_shown_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = {row[0]: row for row in shown(tmp_path, monkeypatch, "")}
    assert "[rings.cadences]" in rows["rings.cadence"][3]
    assert rows["rings.line_pattern"][2] == '"[0-9]{2,5}"'
