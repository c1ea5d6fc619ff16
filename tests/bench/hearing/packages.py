"""What the benchmark takes from Debian: recorded voices, music, codecs. Unpacked into the cache."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from callflow.lab.roots import cache_folder

Half = Literal["fit", "report"]

PROGRAMS = {"sox": "sox", "ffmpeg": "ffmpeg"}
"""Program and the Debian package that has it; these are installed."""


@dataclass(frozen=True)
class Package:
    """A Debian package with one person's voice; sex "" where it is measured."""

    name: str
    language: str
    sex: str
    half: Half
    below: str = ""
    """Only files below this folder of the package."""


VOICES = (
    Package("asterisk-core-sounds-en-wav", "en", "f", "fit"),
    Package("asterisk-core-sounds-es-wav", "es", "f", "fit"),  # the same speaker as English: both on one side
    Package("asterisk-core-sounds-it-wav", "it", "m", "fit"),
    Package("asterisk-prompt-fr-armelle", "fr", "f", "fit"),
    Package("asterisk-core-sounds-fr-wav", "fr", "f", "report"),
    Package("asterisk-core-sounds-ru-wav", "ru", "f", "report"),
    Package("asterisk-prompt-it-menardi-wav", "it", "f", "report"),
    Package("asterisk-prompt-es-co", "es", "f", "report"),
)
_KLETTRES, _KTUBERLING = "usr/share/klettres", "usr/share/ktuberling/sounds"
_SPOKEN: dict[Half, dict[str, str]] = {
    "fit": {
        "klettres-data": "de da en en_GB es it nb nds nl",
        "ktuberling-data": "ca da de en es gl it nds nl nn wa",
    },
    "report": {
        "klettres-data": "ar cs fr he hu lt ml pt_BR ru tn uk",
        "ktuberling-data": "el fi fr ga lt pt ro ru sl sr sv uk",
    },
}
"""A language is on one side only: its speaker may be the same in both packages."""
UNSEEN = tuple(
    Package(name, language, "", half, f"{_KLETTRES if name == 'klettres-data' else _KTUBERLING}/{language}")
    for half, packages in _SPOKEN.items()
    for name, languages in packages.items()
    for language in languages.split()
)
"""Amateurs with microphones of their own: women, men, children."""

MUSIC: dict[Half, tuple[str, ...]] = {
    "fit": (
        "asc-music", "frozen-bubble-data", "fretsonfire-songs-sectoid", "fretsonfire-songs-muldjord",
        "extremetuxracer-data", "lincity-ng-data",
    ),
    "report": ("asterisk-moh-opsound-wav",),
}  # fmt: skip
"""Music on hold is Asterisk's own in the report half; the others are games' music."""


class NotToBeHad(Exception):
    """Something that the benchmark needs is missing; the message says what to do."""


def folder() -> Path:
    """Where the benchmark keeps what it has fetched and made."""
    found = cache_folder().parent / "voices"
    found.mkdir(parents=True, exist_ok=True)
    return found


def unpacked(name: str) -> Path:
    """The folder of an unpacked Debian package; raises NotToBeHad."""
    into = folder() / name
    if not into.exists():
        try:
            subprocess.run(["apt-get", "download", "-qq", name], cwd=folder(), check=True, capture_output=True)
            deb = next(folder().glob(f"{name}_*.deb"))
            partial = into.with_suffix(".partial")
            subprocess.run(["dpkg-deb", "-x", deb, partial], check=True)
        except (OSError, subprocess.CalledProcessError, StopIteration) as error:
            raise NotToBeHad(f"cannot get Debian's package {name}: run apt-get update, then try again") from error
        partial.rename(into)
        deb.unlink()
    return into


def shared_library(package: str, name: str) -> Path:
    """A library in an unpacked package; raises NotToBeHad."""
    try:
        return next(unpacked(package).rglob(f"{name}.so*"))
    except StopIteration:
        raise NotToBeHad(f"Debian's package {package} has no {name}") from None


def install_programs() -> None:
    """Install what is missing of sox and ffmpeg, as root on Debian; raises NotToBeHad."""
    wanted = sorted(package for program, package in PROGRAMS.items() if shutil.which(program) is None)
    if not wanted:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise NotToBeHad(f"the benchmark needs {' and '.join(wanted)}: apt install {' '.join(wanted)}")
    environ = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "-y", "--no-install-recommends", *wanted]):
        subprocess.run(["apt-get", "-qq", *command], env=environ, check=True, stdout=subprocess.DEVNULL)
