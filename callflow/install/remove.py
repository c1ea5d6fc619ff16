"""`callflow uninstall`: takes out what `install` has put in, and keeps what a person has changed."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from callflow.errors import InstallError
from callflow.install.carry_out import run
from callflow.install.manifest import MANIFEST, Manifest
from callflow.install.parts import SERVICE_USER, STATE
from callflow.install.place import Place
from callflow.install.plan import has_line
from callflow.install.root import Root
from callflow.install.writing import without_line, write

ENTRY = re.compile(r"^[^;\n]*\bcallflow-screen\s*,", re.MULTILINE)
SAFE = re.compile(r"DIALPLAN_EXISTS\(callflow-screen")
OURS = ("callflow.conf", "manager_callflow.conf", "features_callflow.conf")
INCLUDES = tuple(f"#include {name}" for name in OURS)
"""Asterisk refuses a file that includes one that is gone."""


class Removal(StrEnum):
    """What is done about one path."""

    DELETE = "delete"
    KEEP = "kept"
    """A person changed the file."""
    REMOVE_LINE = "remove line"


@dataclass(frozen=True, slots=True)
class Taken:
    """One path and what is done about it."""

    removal: Removal
    path: Path
    purpose: str = ""


def entries(root: Root, place: Place) -> list[Path]:
    """Files of the dialplan that send callers to callflow. Without the include Asterisk would hang up on them."""
    texts = {path: root.text(path) or "" for path in _files(root, place)}
    return [path for path, text in texts.items() if any(not SAFE.search(line[0]) for line in ENTRY.finditer(text))]


def _files(root: Root, place: Place) -> list[Path]:
    """Asterisk's configuration files but ours, as the system itself names them."""
    etc = root.outside(place.etc)
    found = (path for path in sorted(etc.rglob("*.conf")) if path.is_file() and path.name not in OURS)
    return [place.etc / path.relative_to(etc) for path in found]


def removals(root: Root, place: Place | None, manifest: Manifest) -> list[Taken]:
    """What `remove` will do; `place`: None without an Asterisk. Lines first: no file may include one that is gone."""
    files = [] if place is None else _files(root, place)
    including = [path for path in files if any(has_line(root.text(path) or "", one) for one in INCLUDES)]
    lines = dict.fromkeys([*including, *(path for path in map(Path, manifest.lines) if root.exists(path))])
    planned = [Taken(Removal.REMOVE_LINE, path) for path in lines]
    for name in manifest.files:
        path = Path(name)
        if root.exists(path):
            unchanged = manifest.wrote(path, root.outside(path).read_bytes())
            planned.append(Taken(Removal.DELETE if unchanged else Removal.KEEP, path))
    if manifest.link and root.entry(Path(manifest.link)).is_symlink():
        planned.append(Taken(Removal.DELETE, Path(manifest.link)))
    return planned


def remove(root: Root, planned: list[Taken], manifest: Manifest, *, purge: bool) -> Iterator[Taken]:
    """Carry it out, one path after the other. `purge` also deletes changed files, records and the user."""
    for taken in planned:
        path = root.entry(taken.path) if str(taken.path) == manifest.link else root.outside(taken.path)
        if taken.removal is Removal.REMOVE_LINE:
            _remove_lines(root, taken.path, manifest)
        elif taken.removal is Removal.DELETE or purge:
            path.unlink(missing_ok=True)
            _remove_empty(path.parent)
        yield taken
    root.outside(MANIFEST).unlink(missing_ok=True)
    if purge:
        _purge(root, manifest)
    _remove_empty(root.outside(MANIFEST).parent)


def _remove_lines(root: Root, path: Path, manifest: Manifest) -> None:
    text = root.text(path) or ""
    for line in text.splitlines():
        if manifest.added(path, line) or any(has_line(line, include) for include in INCLUDES):
            text = without_line(text, line)
    outside = root.outside(path)
    if str(path) in manifest.made and not text.strip():
        outside.unlink()
    else:
        write(outside, text.encode("utf-8", "surrogateescape"), 0o640, (0, 0))


def _purge(root: Root, manifest: Manifest) -> None:
    state = root.outside(STATE)
    for path in sorted(state.rglob("*"), reverse=True) if state.is_dir() else ():
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    if state.is_dir():
        state.rmdir()
    if manifest.user and root.ids_of_user(SERVICE_USER) is not None:
        where = [] if root.is_this_machine else ["--prefix", str(root.path)]
        run("userdel", *where, SERVICE_USER)


def _remove_empty(folder: Path) -> None:
    """Remove a folder of ours if nothing is left in it, and a language that had no other sounds."""
    ours = folder.name == "callflow" or folder.parent.name == "sounds"
    if ours and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        _remove_empty(folder.parent)


def refuse_while_callers_enter(root: Root, place: Place) -> None:
    """Raises InstallError while a dialplan still sends callers to callflow."""
    if found := entries(root, place):
        raise InstallError(
            f"callers still enter callflow in {', '.join(map(str, found))}; without it Asterisk would hang up on them",
            "remove the Gosub to callflow-screen there, `dialplan reload`, and start again",
        )
