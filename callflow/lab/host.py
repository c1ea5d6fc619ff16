"""Where the lab's programs run: a root directory of their own, or this machine itself."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from callflow.processes.process import LAB_FOLDER

# Its mounts live in a mount namespace of the program's own and vanish with it: nothing is left to undo after a crash,
# and deleting a cached root directory can never reach the machine's own /dev.
_ENTER = """set -e
mkdir -p "$1$2"
mount --bind "$2" "$1$2"
mount --rbind /dev "$1/dev"
mount -t proc proc "$1/proc"
hostname localhost
root=$1; shift 2
exec chroot "$root" "$@"
"""
# When this process dies, the kernel ends the programs that it started.
_DIE_WITH_US = ("setpriv", "--pdeathsig", "KILL", "--")


class Host(Protocol):
    """A place where programs run; the lab folder has the same path inside as outside."""

    @property
    def data(self) -> Path:
        """Asterisk's data folder (with `sounds`), as seen from outside."""

    @property
    def modules(self) -> Path:
        """Asterisk's module folder, as seen from inside."""

    def command(self, *argv: str) -> list[str]:
        """The argument list that runs `argv` inside."""


@dataclass(frozen=True)
class RootDirectory:
    """A root directory made by `roots`, entered with chroot."""

    path: Path

    @property
    def data(self) -> Path:
        return self.path / "usr/share/asterisk"

    @property
    def modules(self) -> Path:
        found = next(self.path.glob("usr/lib/*/asterisk/modules"), None)
        return Path("/") / found.relative_to(self.path) if found else Path("/usr/lib/asterisk/modules")

    def command(self, *argv: str) -> list[str]:
        enter = ["unshare", "--mount", "--uts", "--", "sh", "-c", _ENTER, "lab", str(self.path), str(LAB_FOLDER)]
        return [*_DIE_WITH_US, *enter, *argv]


@dataclass(frozen=True)
class PlainHost:
    """This machine, where `asterisk`, `sipp` and `tcpdump` are on PATH."""

    @property
    def data(self) -> Path:
        return Path("/usr/share/asterisk")

    @property
    def modules(self) -> Path:
        places = [*Path("/usr/lib").glob("*/asterisk/modules"), Path("/usr/lib/asterisk/modules")]
        return next(place for place in places if place.is_dir())

    def command(self, *argv: str) -> list[str]:
        return [*_DIE_WITH_US, *argv]
