"""Which packages may import which: the lab and the simulator do not know each other, what they share knows neither.

And which libraries the daemon does without, until a setting asks for what they do.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from callflow.installed import CHECKOUT

PACKAGE = CHECKOUT / "callflow"
FORBIDDEN = {
    "lab": {"simulator", "commands"},
    "simulator": {"lab", "commands"},
    "scenarios": {"lab", "simulator", "commands", "captures", "processes"},
    "captures": {"lab", "simulator", "commands", "scenarios", "processes"},
    "sound": {"lab", "simulator", "commands", "scenarios", "captures", "processes"},
    "processes": {"lab", "simulator", "commands", "scenarios", "captures"},
}
HEAVY = ("numpy", "alembic", "fastapi", "psycopg", "sqlalchemy.dialects.postgresql")
"""For taps, a change of the schema, the page, and a fleet: 2 to 11 MB each."""


def imported(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Import(names=names):
                yield from (name.name for name in names)
            case ast.ImportFrom(module=str(module), level=0, names=names):
                yield from (f"{module}.{name.name}" for name in names)
            case ast.ImportFrom():
                raise AssertionError(f"{path} has a relative import")


@pytest.mark.parametrize("package", FORBIDDEN)
def test_a_package_imports_nothing_above_or_beside_it(package: str) -> None:
    files = list((PACKAGE / package).rglob("*.py"))
    assert files, f"there is no package {package}"
    wrong = {
        (str(path.relative_to(PACKAGE)), module)
        for path in files
        for module in imported(path)
        if module.split(".")[0] == "callflow" and module.split(".")[1] in FORBIDDEN[package]
    }
    assert wrong == set()


def test_a_daemon_loads_no_library_of_what_is_off() -> None:
    code = "import sys, callflow.cli, callflow.daemon; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(HEAVY) & set(done.stdout.split())
