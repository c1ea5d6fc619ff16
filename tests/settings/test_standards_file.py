"""The file of service standards: what is shipped is valid, and each mistake is named with its line."""

from pathlib import Path

import pytest

from callflow.errors import SettingError
from callflow.settings import standards
from callflow.settings.standards import StandardsOptions, read_standards
from tests.docs.diagram import PROJECT

GOOD = """\
# a comment

[[standard]]
name = "In time"
measure = "service_level"
adequate = 80
desired = 90
owner = "Ada"

[[standard]]
name = "Few give up"
measure = "abandonment"
adequate = 8
desired = 4
owner = "Ada"
reviewed = 2026-01-31
"""


def read(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "standards.toml"
    file.write_text(text)
    return [standard.name for standard in read_standards(file)]


def test_what_is_shipped_is_valid() -> None:
    assert len(read_standards(PROJECT / "config" / "standards.toml")) >= 5


def test_standards_come_in_the_order_of_the_file(tmp_path: Path) -> None:
    assert read(tmp_path, GOOD) == ["In time", "Few give up"]
    assert read(tmp_path, "") == []


@pytest.mark.parametrize(
    ("old", "new", "line", "sentence"),
    [
        ('"service_level"', '"happiness"', 5, "there is no measure 'happiness'; it must be one of service_level"),
        ("adequate = 80", "adequate = 95", 6, "adequate (95) is above desired (90), but higher is better"),
        ("adequate = 8\n", "adequate = 2\n", 13, "adequate (2) is below desired (4), but lower is better"),
        ('owner = "Ada"\nreviewed', 'ower = "Ada"\nreviewed', 10, "owner: Field required"),
        ("desired = 4\n", 'desired = "few"\n', 14, "desired: Input should be a valid number"),
        ("reviewed = 2026-01-31", 'reviewed = "soon"', 16, "reviewed: "),
        ('"Few give up"', '"In time"', 11, "there are two standards called 'In time'"),
        ('[[standard]]\nname = "In', '[standards]\nname = "In', 3, "'standards' is not known here"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, old: str, new: str, line: int, sentence: str) -> None:
    assert old in GOOD
    with pytest.raises(SettingError) as caught:
        read(tmp_path, GOOD.replace(old, new, 1))
    assert caught.value.setting == f"{tmp_path / 'standards.toml'}, line {line}"
    assert sentence in caught.value.problem
    assert caught.value.remedy


def test_broken_toml_names_its_line(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="at line 5"):
        read(tmp_path, GOOD.replace('measure = "service_level"', "measure = "))


def test_a_missing_file_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="cannot be read"):
        read_standards(tmp_path / "nothing.toml")


def test_the_file_that_was_asked_for_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    default = tmp_path / "standards.toml"
    monkeypatch.setattr(standards, "DEFAULT_PATH", default)
    assert StandardsOptions().find() is None
    default.write_text("")
    assert StandardsOptions().find() == default
    assert StandardsOptions(file=Path("own.toml")).find() == Path("own.toml")


def test_a_file_nested_too_deeply_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="nested too deeply"):
        read(tmp_path, "a = " + "[" * 3000)
