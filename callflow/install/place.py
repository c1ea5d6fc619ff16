"""Where Asterisk is on this system, and which distribution it belongs to."""

import re
from dataclasses import dataclass
from pathlib import Path

from callflow.errors import InstallError
from callflow.install.root import Root

ASTERISK_CONF = Path("/etc/asterisk/asterisk.conf")
SOUNDS_FOLDERS = (Path("/usr/share/asterisk/sounds"), Path("/var/lib/asterisk/sounds"))
_DIRECTORY = re.compile(r"^\s*(ast\w+dir)\s*=>?\s*([^;\s]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Distribution:
    """What differs between the distributions of Asterisk; `last_step` is what a person does at the end."""

    name: str
    known_by: Path | None
    """A file that only this distribution has."""
    dialplan_file: str
    """The file of the dialplan that belongs to the site."""
    manager_file: str
    features_file: str
    """The file of feature codes that belongs to the site."""
    prompts: str
    """Folder of the prompts below the folder of a language."""
    last_step: str
    by_hand: str = ""
    """Why the three files above are edited by a person, "" where `install` edits them."""


_LINE = """\
put this line where callers enter the queue, and run `asterisk -rx 'dialplan reload'`:
   same => n,Gosub(callflow-screen,s,1(default))"""
_DESTINATION = """\
Admin > Custom Destinations: target callflow-screen,s,1(default), Return = Yes, destination: the queue.
Point the inbound route at it, and Apply Config."""
_WRAPPER = """\
put this context into extensions_custom.conf, 400 being the number of the queue, and make callflow-queue,s,1 a
custom destination for the inbound route:
   [callflow-queue]
   exten => s,1,Gosub(callflow-screen,s,1(default))
    same => n,Goto(ext-queues,400,1)
   exten => h,1,Goto(ext-queues,h,1)"""
_MIKO = """\
System > System file customisation, extensions.conf, add to the end:
   [queue-pre-dial-custom]
   exten => _X!,1,Gosub(callflow-screen,s,1(default))
    same => n,Return()"""
_MIKO_BY_HAND = "MikoPBX overwrites this file: add it in System > System file customisation, `Add to end of file`"

MIKOPBX = Distribution(
    "MikoPBX",
    Path("/etc/inc/mikopbx-settings.json"),
    "extensions.conf",
    "manager.conf",
    "features.conf",
    "callflow",
    _MIKO,
    _MIKO_BY_HAND,
)
ISSABEL = Distribution(
    "Issabel",
    Path("/etc/issabel.conf"),
    "extensions_custom.conf",
    "manager_custom.conf",
    "features_applicationmap_custom.conf",
    "custom/callflow",
    _WRAPPER,
)
FREEPBX = Distribution(
    "FreePBX",
    Path("/etc/freepbx.conf"),
    "extensions_custom.conf",
    "manager_custom.conf",
    "features_applicationmap_custom.conf",
    "custom/callflow",
    _DESTINATION,
)
PLAIN = Distribution("plain Asterisk", None, "extensions.conf", "manager.conf", "features.conf", "callflow", _LINE)
DISTRIBUTIONS = (MIKOPBX, ISSABEL, FREEPBX)
"""In the order in which they are looked for: Issabel has FreePBX's files, too."""


@dataclass(frozen=True, slots=True)
class Place:
    """One Asterisk; paths as the system itself names them."""

    distribution: Distribution
    etc: Path
    sounds: Path
    uid: int
    """User and group that Asterisk's files belong to."""
    gid: int

    @property
    def dialplan_file(self) -> Path:
        """The dialplan's file that includes ours."""
        return self.etc / self.distribution.dialplan_file

    @property
    def manager_file(self) -> Path:
        """The file of AMI users that includes ours."""
        return self.etc / self.distribution.manager_file

    @property
    def features_file(self) -> Path:
        """The file of feature codes that includes ours."""
        return self.etc / self.distribution.features_file


def has_asterisk(root: Root) -> bool:
    """Whether there is an Asterisk on this system."""
    return root.exists(_etc(_directories(root)) / "extensions.conf")


def find_asterisk(root: Root) -> Place:
    """The Asterisk of a system. Raises InstallError if there is none."""
    directories = _directories(root)
    etc = _etc(directories)
    if not has_asterisk(root):
        raise InstallError(
            f"there is no Asterisk on this system: {etc}/extensions.conf does not exist",
            "install Asterisk first; for a system in a folder, name it with --root",
        )
    owner = root.outside(etc / "extensions.conf").stat()
    return Place(_distribution(root), etc, _sounds(root, directories), owner.st_uid, owner.st_gid)


def _directories(root: Root) -> dict[str, str]:
    return dict(_DIRECTORY.findall(root.text(ASTERISK_CONF) or ""))


def _etc(directories: dict[str, str]) -> Path:
    return Path(directories.get("astetcdir", "/etc/asterisk"))


def _distribution(root: Root) -> Distribution:
    found = (one for one in DISTRIBUTIONS if one.known_by is not None and root.exists(one.known_by))
    return next(found, PLAIN)


def _sounds(root: Root, directories: dict[str, str]) -> Path:
    """The folder that Asterisk reads sounds from."""
    told = [Path(directories[name]) / "sounds" for name in ("astdatadir", "astvarlibdir") if name in directories]
    for folder in (*told, *SOUNDS_FOLDERS):
        if root.outside(folder).is_dir():
            return folder
    raise InstallError(
        f"Asterisk's sounds are in none of {', '.join(map(str, (*told, *SOUNDS_FOLDERS)))}",
        "install Asterisk's own sounds (Debian: asterisk-core-sounds-en-wav), or correct astdatadir in asterisk.conf",
    )
