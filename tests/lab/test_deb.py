"""`make deb` in a fresh Debian: installed by apt, set up, used, and purged without a trace."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.fresh_debian import debian

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1500), pytest.mark.xdist_group("deb")]

ENTER = """
set -e
root=$1; shift
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
ip link set lo up
exec chroot "$root" "$@"
"""
NOT_COMPARED = ("proc", "dev", "tmp", "opt", "var/lib/dpkg", "var/lib/apt", "var/log", "var/cache")
"""Where apt, dpkg and the kernel keep their own files."""


@pytest.fixture(scope="module")
def fresh() -> Iterator[Path]:
    """A copy of the small Debian."""
    kept = debian("debian", "python3")
    copy = kept.with_name(f"{kept.name}-run")
    subprocess.run(["rm", "-rf", str(copy)], check=True)
    subprocess.run(["cp", "-a", str(kept), str(copy)], check=True)
    yield copy
    subprocess.run(["rm", "-rf", str(copy)], check=True)


def run(root: Path, *command: str) -> tuple[int, str]:
    """Exit code and output of a command in the root, in a network of its own."""
    enter = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "sh", "-c", ENTER, "enter", str(root)]
    done = subprocess.run([*enter, *command], capture_output=True, text=True, timeout=600, check=False)
    return done.returncode, done.stdout + done.stderr


def files(root: Path) -> set[str]:
    """All files, without those of apt and dpkg themselves."""
    inside = (str(path.relative_to(root)) for path in root.rglob("*"))
    backups = ("passwd-", "shadow-", "group-", "gshadow-", "subuid-", "subgid-")
    return {path for path in inside if not path.startswith(NOT_COMPARED) and not path.endswith(backups)}


def test_apt_installs_it_and_purges_it_without_a_trace(fresh: Path, debian_package: Path) -> None:
    etc = fresh / "etc/asterisk"
    etc.mkdir()
    (etc / "extensions.conf").write_text("[general]\n")
    (etc / "manager.conf").write_text("[general]\nenabled = yes\n")
    (fresh / "usr/share/asterisk/sounds").mkdir(parents=True)
    before = files(fresh)
    (fresh / "tmp/callflow.deb").write_bytes(debian_package.read_bytes())
    code, output = run(fresh, "apt-get", "install", "-y", "--no-install-recommends", "/tmp/callflow.deb")
    assert code == 0, output
    assert "run 'callflow install'" in output
    compiled = {path.name.partition(".")[0] for path in (fresh / "opt/callflow/lib/callflow").glob("__pycache__/*.pyc")}
    assert {"cli", "daemon"} <= compiled, "the service cannot write there, and would compile them at each start"
    assert run(fresh, "callflow", "settings", "check")[0] == 0
    code, output = run(fresh, "callflow", "install", "--yes", "--collector", "--web")
    assert code == 1, "there is no Asterisk to be reached"
    assert "the service starts /usr/bin/callflow" in output
    assert "#include callflow.conf" in (etc / "extensions.conf").read_text()
    units = {path.name for path in (fresh / "etc/systemd/system").glob("callflow*")}
    assert units == {"callflow.service", "callflow-collect.service", "callflow-web.service"}
    (etc / "extensions.conf").write_text("#include callflow.conf\nexten => 1,1,Gosub(callflow-screen,s,1(default))\n")
    assert run(fresh, "apt-get", "purge", "-y", "callflow")[0] != 0, "callers still enter"
    assert run(fresh, "callflow", "--version")[0] == 0
    (etc / "extensions.conf").write_text("#include callflow.conf\n")
    code, output = run(fresh, "apt-get", "purge", "-y", "callflow")
    assert code == 0, output
    assert files(fresh) == before
    assert "callflow" not in (fresh / "etc/passwd").read_text()
