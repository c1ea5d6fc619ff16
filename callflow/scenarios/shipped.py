"""The scenarios that come with the project, and how one is named."""

import os
from pathlib import Path

from callflow.scenarios.errors import ScenarioInvalid

LIBRARY = Path(__file__).parent / "library"


def shipped() -> dict[str, Path]:
    """Name and file of every scenario that comes with the project."""
    return {path.stem: path for path in sorted(LIBRARY.glob("*.toml"))}


def find_scenario(name: str) -> Path:
    """The file of a scenario named by its path, or by its name in the library. Raises ScenarioInvalid."""
    given = Path(name)
    if given.suffix == ".toml" or len(given.parts) > 1 or (os.access(given, os.F_OK) and given.is_file()):
        return given
    found = shipped().get(name)
    if found is None:
        remedy = "name a .toml file, or a scenario of `callflow simulate --list`"
        raise ScenarioInvalid(f"there is no scenario {name!r}", remedy)
    return found
