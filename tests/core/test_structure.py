"""How the core is put together: short ways down, no method that another class must supply."""

import ast
from functools import cache
from pathlib import Path

from callflow.installed import CHECKOUT

CORE = CHECKOUT / "callflow" / "core"
SCREENING = "callflow.core.screening"
LONGEST = 6


def _path(module: str) -> Path:
    return CHECKOUT / f"{module.replace('.', '/')}.py"


@cache
def imports(module: str) -> frozenset[str]:
    """The modules of core/ that a module imports, tables of records and rings aside."""
    found = set()
    for node in ast.walk(ast.parse(_path(module).read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("callflow.core"):
            names = [node.module, *(f"{node.module}.{name.name}" for name in node.names)]
            found |= {name for name in names if _path(name).exists()}
    return frozenset(found)


@cache
def chain(module: str) -> tuple[str, ...]:
    """The longest chain of imports within core/screening that begins with this module."""
    below = [chain(other) for other in sorted(imports(module)) if other.startswith(SCREENING)]
    return (module, *max(below, key=len, default=()))


def test_the_way_down_from_the_engine_is_short() -> None:
    longest = chain(f"{SCREENING}.engine")
    assert len(longest) <= LONGEST, " -> ".join(longest)


def test_no_class_of_the_screening_is_cut_over_several_files() -> None:
    allowed = {"Protocol", "StrEnum", "Enum", "Exception"}
    for path in (CORE / "screening").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                bases = {base.id for base in node.bases if isinstance(base, ast.Name)}
                assert bases <= allowed, f"{path.name}: {node.name}"


def test_nothing_is_left_for_a_subclass_to_supply() -> None:
    for path in CORE.rglob("*.py"):
        assert "NotImplementedError" not in path.read_text(), path
