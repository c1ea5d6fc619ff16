"""Compares what is wanted with what is there; nothing is written here."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from callflow.install.manifest import Manifest
from callflow.install.parts import File, Line, Part
from callflow.install.root import Root

BESIDE = ".callflow-new"
"""The new form of a file that a person has changed."""


class Action(StrEnum):
    """What is done about one part."""

    WRITE = "write"
    UPDATE = "update"
    NOTHING = "unchanged"
    BESIDE = "kept"
    """A person changed the file: ours goes beside it."""
    ADD = "add line"
    BY_HAND = "by hand"


@dataclass(frozen=True, slots=True)
class Step:
    """One part and what is done about it."""

    action: Action
    part: Part

    @property
    def target(self) -> Path:
        """Where it is written."""
        path = self.part.path
        return path.with_name(path.name + BESIDE) if self.action is Action.BESIDE else path


def plan(root: Root, wanted: Iterable[Part], manifest: Manifest) -> list[Step]:
    """One step for each part, in its order. Raises InstallError."""
    return [Step(_action(root, part, manifest), part) for part in wanted]


def _action(root: Root, part: Part, manifest: Manifest) -> Action:
    if isinstance(part, Line):
        if has_line(root.text(part.path) or "", part.key):
            return Action.NOTHING
        return Action.BY_HAND if part.by_hand else Action.ADD
    return _of_file(root, part, manifest)


def _of_file(root: Root, part: File, manifest: Manifest) -> Action:
    there = root.outside(part.path)
    if not there.exists():
        return Action.WRITE
    content = there.read_bytes()
    if content == part.content:
        return Action.NOTHING
    return Action.UPDATE if manifest.wrote(part.path, content) else Action.BESIDE


def has_line(text: str, key: str) -> bool:
    """Whether a text has the line `key`, or one that begins with it if `key` ends in `=`; quotes and blanks aside."""
    wanted = _plain(key)
    rests = (line[len(wanted) :] for line in map(_plain, text.splitlines()) if line.startswith(wanted))
    return any(key.endswith("=") or rest[:1] in ("", " ", ";") for rest in rests)


def _plain(line: str) -> str:
    return " ".join(line.replace('"', " ").split())
