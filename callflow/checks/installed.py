"""Checks what `callflow install` has written against what this release would write."""

import re
from pathlib import Path

from callflow.adapters.ami.include import REMEDY
from callflow.checks.finding import Finding, hint, ok, warn
from callflow.errors import InstallError
from callflow.install.manifest import Manifest, read_manifest
from callflow.install.parts import FLEET_UNITS, SHIPPED_PROGRAM, UNIT, VERBATIM, unit_that_starts
from callflow.install.plan import BESIDE
from callflow.install.root import Root
from callflow.installed import FILES, SOUNDS

SHOWN = 3
STARTS = re.compile(rb"^ExecStart=(\S+)", re.MULTILINE)


def check_installed(root: Root) -> list[Finding]:
    """Nothing on a machine where `callflow install` has not run; files that this user may not read are passed over."""
    try:
        manifest = read_manifest(root)
    except InstallError as error:
        return [hint("installed", error.problem, error.remedy)]
    paths = sorted(Path(name) for name in manifest.files if not name.endswith(BESIDE))
    if not paths:
        return []
    found = []
    if old := [path for path in paths if _is_old(root, path, manifest)]:
        found.append(warn("installed", f"of another release of callflow: {_named(old)}", REMEDY))
    if kept := [path for path in paths if _read(root, path.with_name(path.name + BESIDE)) is not None]:
        remedy = f"take over what is new in the file of the same name that ends in {BESIDE}, then delete that one"
        found.append(warn("installed", f"changed here, so not brought up to date: {_named(kept)}", remedy))
    return found or [ok("installed", f"{len(paths)} files, of this release or changed here")]


def _is_old(root: Root, path: Path, manifest: Manifest) -> bool:
    """An earlier `install` wrote it, nobody has changed it, and this release has another."""
    there = _read(root, path)
    if there is None or not manifest.wrote(path, there):
        return False
    shipped = _shipped(path, there)
    return shipped is not None and there != shipped


def _shipped(path: Path, there: bytes) -> bytes | None:
    """What this release installs there; None for what is made for each machine."""
    if path in (UNIT, *FLEET_UNITS):
        program = STARTS.search(there)
        return unit_that_starts(program[1] if program else str(SHIPPED_PROGRAM).encode(), path)
    if path.suffix == ".wav":
        sounds = (SOUNDS / part / "callflow" / path.name for part in path.parts)
        return next((sound.read_bytes() for sound in sounds if sound.is_file()), None)
    return (FILES / VERBATIM[path.name]).read_bytes() if path.name in VERBATIM else None


def _read(root: Root, path: Path) -> bytes | None:
    try:
        return root.outside(path).read_bytes()
    except OSError:
        return None


def _named(paths: list[Path]) -> str:
    more = len(paths) - SHOWN
    return ", ".join(map(str, paths[:SHOWN])) + (f" and {more} more" if more > 0 else "")
