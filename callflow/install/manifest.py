"""What `install` has written, by checksum: a file that differs from it was changed by a person."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from callflow.errors import InstallError
from callflow.install.root import Root

MANIFEST = Path("/etc/callflow/installed.json")


def checksum(content: bytes) -> str:
    """Of a file, or of a line."""
    return hashlib.sha256(content).hexdigest()


@dataclass(slots=True)
class Manifest:
    """Checksums by path, as the system itself names it."""

    version: str = ""
    files: dict[str, str] = field(default_factory=dict)
    lines: dict[str, list[str]] = field(default_factory=dict)
    """Of each line that was added to a file of others."""
    made: list[str] = field(default_factory=list)
    """Files that were not there before a line was added."""
    user: bool = False
    """The user of the service was made by us."""
    link: str = ""
    """The symbolic link to the program, "" if we made none."""

    def wrote(self, path: Path, content: bytes) -> bool:
        """Whether this is what we wrote there."""
        return self.files.get(str(path)) == checksum(content)

    def added(self, path: Path, line: str) -> bool:
        """Whether we added this line."""
        return checksum(line.encode()) in self.lines.get(str(path), ())

    def note_line(self, path: Path, line: str, *, made: bool = False) -> None:
        """Remember a line as ours; `made`: so is the file that it stands in."""
        if made:
            self.made.append(str(path))
        own = self.lines.setdefault(str(path), [])
        if checksum(line.encode()) not in own:
            own.append(checksum(line.encode()))

    def text(self) -> str:
        """As it is stored."""
        stored = {name: getattr(self, name) for name in self.__slots__}
        return json.dumps(stored, indent=1, sort_keys=True) + "\n"


def read_manifest(root: Root) -> Manifest:
    """What an earlier `install` has written; empty without one. Raises InstallError if it is damaged."""
    text = root.text(MANIFEST)
    if text is None:
        return Manifest()
    try:
        stored: dict[str, Any] = json.loads(text)
        return Manifest(**stored)
    except (ValueError, TypeError):
        remedy = "move it away: every file that differs is then kept, and the new one put beside it"
        raise InstallError(f"{MANIFEST} is damaged", remedy) from None
