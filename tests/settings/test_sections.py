"""A settings section is the option object of the part that uses it: each setting is declared once."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from callflow.core.section import Section
from callflow.settings.documentation import SECTIONS
from callflow.settings.model import Settings

PACKAGE = Path(__file__).resolve().parents[2] / "callflow"
ADAPTERS = sorted(folder.name for folder in (PACKAGE / "adapters").iterdir() if (folder / "__init__.py").exists())


def imported(folder: Path) -> Iterator[str]:
    """Every module that the files of a folder import from."""
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                yield node.module
            elif isinstance(node, ast.Import):
                yield from (name.name for name in node.names)


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_an_adapter_imports_no_other_adapter_and_no_settings(adapter: str) -> None:
    allowed = f"callflow.adapters.{adapter}"
    others = {module for module in imported(PACKAGE / "adapters" / adapter) if module.startswith("callflow.adapters.")}
    assert {module for module in others if not f"{module}.".startswith(f"{allowed}.")} == set()
    assert not any(module.startswith("callflow.settings") for module in imported(PACKAGE / "adapters" / adapter))


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_the_options_of_an_adapter_are_a_section_of_the_settings(adapter: str) -> None:
    """Or a table of sections, by names of the site."""
    annotations = [field.annotation for field in Settings.model_fields.values()]
    sections = {*annotations, *(entry for annotation in annotations for entry in get_args(annotation))}
    module = f"callflow.adapters.{adapter}.options"
    assert module in {section.__module__ for section in sections if isinstance(section, type)}


def test_every_section_is_documented() -> None:
    found = {
        name
        for name, field in Settings.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section)
    }
    assert found == set(SECTIONS)
