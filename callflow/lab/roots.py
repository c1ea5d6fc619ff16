"""Root directories with a real Asterisk in them, made once by mmdebstrap and kept in a cache folder."""

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from callflow.lab.host import Host, PlainHost, RootDirectory
from callflow.lab.mirror import apt_proxy, debian_mirror
from callflow.processes.errors import LabUnavailable
from callflow.scenarios.site import VERSIONS, Version

SUITES: dict[Version, str] = {"22": "sid", "16": "bullseye"}
TOOLS_VERSION: Version = "22"  # its SIPp (3.8) and tcpdump serve every Asterisk

_PACKAGES: dict[Version, tuple[str, ...]] = {
    "22": ("asterisk", "asterisk-modules", "asterisk-core-sounds-en-wav", "sip-tester", "tcpdump"),
    "16": ("asterisk", "asterisk-modules", "asterisk-core-sounds-en-wav"),
}
_OPTIONS = (
    "--variant=minbase",
    '--aptopt=Acquire::Check-Valid-Until "false"',
    '--aptopt=APT::Install-Recommends "false"',
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--dpkgopt=path-exclude=/usr/share/doc/*",
)
_STEPS = ("apt-get update", "downloading", "extracting", "essential", "remaining", "cleaning", "success")
_STAMP = ".callflow-lab.json"


def cache_folder() -> Path:
    """Where root directories are kept: $CALLFLOW_LAB_CACHE, else the user's cache folder."""
    if chosen := os.environ.get("CALLFLOW_LAB_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "callflow" / "lab"


def asterisk_root(version: Version) -> Host:
    """The place to run Asterisk `version`, made first if need be. Raises LabUnavailable."""
    path = cache_folder() / f"asterisk-{version}"
    if _is_current(path, version):
        return RootDirectory(path)
    if _can_build():
        make_roots([version])
        return RootDirectory(path)
    return _plain_host(version)


def tools_root(version: Version) -> Host:
    """The place to run SIPp and tcpdump for a lab of Asterisk `version`."""
    asterisk = asterisk_root(version)
    return asterisk if isinstance(asterisk, PlainHost) else asterisk_root(TOOLS_VERSION)


def make_roots(versions: Iterable[Version] = VERSIONS, console: Console | None = None) -> list[Path]:
    """Make what is missing or out of date; one progress bar each. Nothing to do where this machine has an Asterisk.

    Raises LabUnavailable.
    """
    if not _can_build():
        for version in versions:
            asterisk_root(version)
        return []
    made = []
    columns = (TextColumn("{task.description:<28}"), BarColumn(), TextColumn("{task.fields[step]:<24}"))
    with Progress(*columns, TimeElapsedColumn(), console=console or Console(stderr=True)) as progress:
        for version in versions:
            task = progress.add_task(f"Asterisk {version} ({SUITES[version]})", total=len(_STEPS), step="")
            made.append(_make_root(version, progress, task))
    return made


def _make_root(version: Version, progress: Progress, task: TaskID) -> Path:
    path = cache_folder() / f"asterisk-{version}"
    path.parent.mkdir(parents=True, exist_ok=True)
    with _locked(path.with_suffix(".lock")):
        if not _is_current(path, version):
            _build(version, path, progress, task)
    progress.update(task, completed=len(_STEPS), step="ready")
    return path


def _build(version: Version, path: Path, progress: Progress, task: TaskID) -> None:
    partial = path.with_name(f"{path.name}.partial")
    for leftover in (partial, path):
        shutil.rmtree(leftover, ignore_errors=True)
    log = path.with_suffix(".log")
    command = ["mmdebstrap", *_recipe(version), SUITES[version], str(partial), debian_mirror()]
    if proxy := apt_proxy():
        command.insert(1, f'--aptopt=Acquire::http::Proxy "{proxy}"')
    with log.open("w") as kept, subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:  # fmt: skip
        for line in process.stderr or ():
            kept.write(line)
            _show_step(line, progress, task)
    if process.returncode != 0:
        reason = re.findall(r"^E: (.*)$", log.read_text(), re.MULTILINE)
        raise LabUnavailable(
            f"mmdebstrap could not make the root directory of Asterisk {version}: {' / '.join(reason[-2:])}",
            remedy=f"read {log}; the mirror can be set with CALLFLOW_LAB_MIRROR",
        )
    (partial / "etc/hosts").write_text("127.0.0.1 localhost\n")
    (partial / _STAMP).write_text(json.dumps({"recipe": _recipe_hash(version)}))
    partial.rename(path)


def _show_step(line: str, progress: Progress, task: TaskID) -> None:
    for number, step in enumerate(_STEPS):
        if line.startswith("I:") and step in line:
            progress.update(task, completed=number, step=step)


def _recipe(version: Version) -> list[str]:
    return [*_OPTIONS, f"--include={','.join(_PACKAGES[version])}"]


def _recipe_hash(version: Version) -> str:
    return hashlib.sha256(json.dumps([SUITES[version], _recipe(version)]).encode()).hexdigest()


def _is_current(path: Path, version: Version) -> bool:
    stamp = path / _STAMP
    return stamp.exists() and json.loads(stamp.read_text()).get("recipe") == _recipe_hash(version)


def _can_build() -> bool:
    """True for root with mmdebstrap; on a Debian machine it is installed first."""
    if os.geteuid() != 0:
        return False
    if not shutil.which("mmdebstrap") and shutil.which("apt-get"):
        install = ["apt-get", "install", "-y", "--no-install-recommends", "mmdebstrap"]
        for command in (["apt-get", "update"], install):
            subprocess.run(command, capture_output=True, check=False)
    return shutil.which("mmdebstrap") is not None


def _plain_host(version: Version) -> PlainHost:
    remedy = "run as root on Debian (the lab then makes its own), or put asterisk, sipp and tcpdump on PATH"
    missing = [program for program in ("asterisk", "sipp", "tcpdump", "setpriv") if not shutil.which(program)]
    if missing:
        raise LabUnavailable(f"no root directory of Asterisk {version}, and no {', '.join(missing)} here", remedy)
    shown = subprocess.run(["asterisk", "-V"], capture_output=True, text=True, check=False).stdout
    if not shown.startswith(f"Asterisk {version}."):
        raise LabUnavailable(f"Asterisk {version} is wanted, this machine has {shown.strip() or 'another'}", remedy)
    return PlainHost()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
