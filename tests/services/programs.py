"""Finds the programs that the tests need, or installs them.

python -m tests.services.programs        # find all; as root on Debian, install what is missing
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

FONTS = "/usr/share/fonts/opentype/noto"
"""Without a font for Chinese, pictures of the page show boxes."""
PACKAGES = {
    "chromium": "chromium",
    "initdb": "postgresql",
    "mosquitto": "mosquitto",
    "mosquitto_passwd": "mosquitto",
    "openssl": "openssl",
    "pg_ctl": "postgresql",
    "prometheus": "prometheus",
    "promtool": "prometheus",
}
"""Program and the Debian package that has it."""


class Missing(Exception):
    """A program is not to be had; the message says what to do."""


def _path() -> str:
    postgres = [str(folder) for folder in reversed(_postgres())]
    return ":".join([*postgres, os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])


def _postgres() -> list[Path]:
    """Debian puts the programs of a server where no PATH looks."""
    return sorted(Path("/usr/lib/postgresql").glob("*/bin"))


def program(name: str) -> str:
    """The path of a program; raises Missing."""
    found = shutil.which(name, path=_path())
    if found is None:
        raise Missing(
            f"{name} is not installed: make lab-services (as root on Debian), or apt install {PACKAGES[name]}"
        )
    return found


def missing_packages() -> list[str]:
    """Packages of programs that are not here."""
    fonts = set() if Path(FONTS).exists() else {"fonts-noto-cjk"}
    return sorted({package for name, package in PACKAGES.items() if shutil.which(name, path=_path()) is None} | fonts)


def install(packages: list[str]) -> None:
    """Install Debian packages, without starting their services."""
    environ = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    for command in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
        subprocess.run(["apt-get", "-qq", *command], env=environ, check=True, stdout=subprocess.DEVNULL)


def main() -> int:
    """Say what is there; install what is not."""
    wanted = missing_packages()
    if wanted and os.geteuid() == 0 and Path("/usr/bin/apt-get").exists():
        print(f"installing {', '.join(wanted)}", flush=True)
        install(wanted)
    try:
        for name in PACKAGES:
            program(name)
    except Missing as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
