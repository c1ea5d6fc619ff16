"""A small Debian with Python, made once and kept; and one that is booted: real systemd as its first process."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from callflow.lab.mirror import apt_proxy, debian_mirror
from callflow.lab.roots import cache_folder

SUITES = {(3, 11): "bookworm", (3, 13): "trixie"}
"""The Debian whose Python is the one that builds the package."""
BOOT = """
set -e
root=$1 layers=$2
mount --make-rprivate /
mount -t tmpfs tmpfs "$layers"
mkdir "$layers/upper" "$layers/work" "$layers/root"
mount -t overlay -o "lowerdir=$root,upperdir=$layers/upper,workdir=$layers/work" overlay "$layers/root"
cd "$layers/root"
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=755 tmpfs dev
for name in null zero full random urandom tty; do touch dev/$name; mount --bind /dev/$name dev/$name; done
mkdir dev/pts dev/shm
ln -s /proc/self/fd dev/fd
ln -s pts/ptmx dev/ptmx
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
mount -t tmpfs -o mode=1777 tmpfs dev/shm
ip link set lo up
exec env -i container=callflow PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot . /lib/systemd/systemd --log-target=journal
"""
START_S = 120.0
QUICKLY = ('--aptopt=APT::Install-Recommends "false"', "--dpkgopt=force-unsafe-io")


def debian(name: str, packages: str) -> Path:
    """The cached root directory with Python and these packages, made if it is missing. Do not change it."""
    suite = SUITES.get(sys.version_info[:2])
    if suite is None:
        pytest.skip(f"no Debian has Python {sys.version_info[0]}.{sys.version_info[1]}")
    kept = cache_folder() / f"{name}-{suite}"
    if not kept.is_dir():
        options = ["--variant=minbase", f"--include={packages}", *QUICKLY]
        if proxy := apt_proxy():
            options.append(f'--aptopt=Acquire::http::Proxy "{proxy}"')
        partial = kept.with_name(f"{kept.name}.partial")
        subprocess.run(["mmdebstrap", *options, suite, str(partial), debian_mirror()], check=True, capture_output=True)
        partial.rename(kept)
    return kept


@dataclass(frozen=True, slots=True)
class Booted:
    """A system whose first process is `pid`."""

    pid: int

    def run(self, *command: str) -> tuple[int, str]:
        """Exit code and output of a command in it."""
        enter = ["nsenter", "-t", str(self.pid), *["-m", "-p", "-n", "-u", "-i", "-C", "-r", "-w"]]
        clean = ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "COLUMNS=200", "DEBIAN_FRONTEND=noninteractive"]
        done = subprocess.run([*enter, *clean, *command], capture_output=True, text=True, timeout=600, check=False)
        return done.returncode, done.stdout + done.stderr

    def write(self, path: str, text: str, *, more: bool = False) -> None:
        """Write a file in it; with `more`, append to it."""
        with Path(f"/proc/{self.pid}/root/{path}").open("a" if more else "w") as file:
            file.write(text)

    def show(self, unit: str, name: str) -> str:
        """One property of a unit."""
        return self.run("systemctl", "show", unit, "--property", name, "--value")[1].strip()

    def journal(self, unit: str) -> str:
        """What a unit has logged, and what systemd has logged about it."""
        return self.run("journalctl", "--no-pager", "-o", "cat", "-u", unit)[1]

    def wait(self, what: str, until: Callable[[], bool]) -> None:
        """Wait for something; fails after START_S."""
        end = time.monotonic() + START_S
        while not until():
            assert time.monotonic() < end, f"{what}: not within {START_S:.0f} s"
            time.sleep(0.2)


@contextmanager
def booted(root: Path, folder: Path) -> Iterator[Booted]:
    """Boot a copy of `root` in memory, in namespaces and a cgroup of its own; ends with all of its processes."""
    group = _cgroup2() / f"callflow-test-{os.getpid()}"
    group.mkdir()
    layers, log = folder / "layers", folder / "boot.log"
    layers.mkdir()
    own = 'echo $$ > "$1/cgroup.procs"; shift; exec "$@"'
    unshare = [
        "unshare",
        "--mount",
        "--pid",
        "--net",
        "--uts",
        "--ipc",
        "--cgroup",
        "--fork",
        "--kill-child",
        "sh",
        "-c",
    ]
    command = ["sh", "-c", own, "own", str(group), *unshare, BOOT, "boot", str(root), str(layers)]
    with log.open("w") as out, subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out) as outer:
        try:
            yield _when_it_runs(outer, log)
        finally:
            outer.kill()
            outer.wait()
            (group / "cgroup.kill").write_text("1")
            _remove(group)


def _when_it_runs(outer: "subprocess.Popen[bytes]", log: Path) -> Booted:
    end = time.monotonic() + START_S
    while time.monotonic() < end and outer.poll() is None:
        children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children").read_text().split()
        if children:
            system = Booted(int(children[0]))
            if system.run("systemctl", "is-system-running")[1].strip() in ("running", "degraded"):
                return system
        time.sleep(0.2)
    raise AssertionError(f"systemd does not boot here: {log.read_text()[-2000:]}")


def _cgroup2() -> Path:
    """Where cgroups of version 2 are mounted; without them a test fails in CI and is skipped elsewhere."""
    for line in Path("/proc/mounts").read_text().splitlines():
        _, where, kind, *_ = line.split()
        if kind == "cgroup2" and os.geteuid() == 0:
            return Path(where)
    reason = "systemd is not booted here: it needs root and a mounted cgroup2"
    if os.environ.get("CI") == "true":
        raise AssertionError(reason)
    pytest.skip(reason)


def _remove(group: Path) -> None:
    """Remove the cgroup and those below it, once their processes are gone."""
    end = time.monotonic() + 30
    while group.is_dir() and time.monotonic() < end:
        for below in sorted((path for path in group.rglob("*") if path.is_dir()), reverse=True):
            with suppress(OSError):
                below.rmdir()
        with suppress(OSError):
            group.rmdir()
        time.sleep(0.1)
