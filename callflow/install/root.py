"""The system that is installed on: this machine, or a root directory that stands for one."""

import os
from dataclasses import dataclass
from pathlib import Path

from callflow.errors import InstallError

MAX_LINKS = 40


@dataclass(frozen=True, slots=True)
class Root:
    """Paths inside are absolute, as the system itself names them; `outside` is where they are from here."""

    path: Path

    @property
    def is_this_machine(self) -> bool:
        """It is no root directory of another system."""
        return self.path == Path("/")

    def outside(self, inside: Path) -> Path:
        """Where `inside` is, its symbolic links followed within the root. Raises InstallError for a loop."""
        rest, done, links = list(inside.parts[1:]), Path("/"), 0
        while rest:
            part = rest.pop(0)
            if part == "..":
                done = done.parent
                continue
            here = self._joined(done / part)
            if here.is_symlink():
                links += 1
                if links > MAX_LINKS:
                    raise InstallError(f"{inside} has too many levels of symbolic links", "correct the links")
                target = here.readlink()
                rest = [*(target.parts[1:] if target.is_absolute() else target.parts), *rest]
                done = Path("/") if target.is_absolute() else done
            else:
                done = done / part
        return self._joined(done)

    def entry(self, inside: Path) -> Path:
        """Like `outside`, but a link at the end of the path is not followed."""
        return self.outside(inside.parent) / inside.name

    def exists(self, inside: Path) -> bool:
        """Whether there is something at `inside`."""
        return self.outside(inside).exists()

    def text(self, inside: Path) -> str | None:
        """The text of a file, None if it does not exist. Raises InstallError if it cannot be read."""
        try:
            return self.outside(inside).read_text("utf-8", errors="surrogateescape")
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise InstallError(f"{inside} cannot be read: {error.strerror}", "run it as root") from None

    def ids_of_user(self, name: str) -> tuple[int, int] | None:
        """User id and group id of a user of this system, None for nobody."""
        for fields in self._entries("passwd"):
            if fields[0] == name:
                return int(fields[2]), int(fields[3])
        return None

    def _entries(self, database: str) -> list[list[str]]:
        lines = (self.text(Path("/etc") / database) or "").splitlines()
        return [fields for fields in (line.split(":") for line in lines) if len(fields) > 3]

    def _joined(self, inside: Path) -> Path:
        return self.path / inside.relative_to("/")


def may_write() -> bool:
    """Whether this process may give files to other users."""
    return os.geteuid() == 0
