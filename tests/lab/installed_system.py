"""A copy of a lab's root directory to install into, and its Asterisk started in a network of its own.

Nothing of the lab's own files is used: Asterisk reads the configuration of Debian's package, or of a layout made of it.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import pytest

from callflow.installed import SOUNDS
from callflow.lab.host import RootDirectory
from callflow.lab.roots import asterisk_root
from callflow.scenarios.site import Version

COPIED = ("etc", "var", "run")
IN_ITS_OWN_NETWORK = ("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "sh", "-c")
LINKED = ("usr", "bin", "sbin", "lib", "lib64")
"""Nothing in these is changed in place; the copy's files are the same ones (hard links)."""
RUN = """
root=$1; shift
ip link set lo up
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
install -d -o 101 -g 101 "$root/run/asterisk"
chroot "$root" asterisk -f -U asterisk -G asterisk > "$root/tmp/asterisk.out" 2>&1 &
asterisk=$!
for try in $(seq 200); do
    chroot "$root" asterisk -rx 'core waitfullybooted' > /dev/null 2>&1 && break
    sleep 0.1
done
[ ! -r "$root/etc/callflow/callflow.env" ] || { set -a; . "$root/etc/callflow/callflow.env"; set +a; }
"$@"
code=$?
kill $asterisk
wait $asterisk
exit $code
"""


@contextmanager
def copied_root(version: Version) -> Iterator[Path]:
    """A copy on the same disk, removed afterwards; skips the test where the lab has no root directories."""
    source = asterisk_root(version)
    if not isinstance(source, RootDirectory):
        pytest.skip("this machine's own Asterisk is not installed into")
    folder = Path(mkdtemp(prefix="installed-", dir=source.path.parent))
    folder.chmod(0o755)
    try:
        for names, how in ((LINKED, "-al"), (COPIED, "-a")):
            there = [str(source.path / name) for name in names if (source.path / name).exists()]
            subprocess.run(["cp", how, *there, str(folder)], check=True)
        for name in ("dev", "proc", "tmp"):
            (folder / name).mkdir()
        yield folder
    finally:
        shutil.rmtree(folder)


def lay_out_as_freepbx(root: Path) -> None:
    """FreePBX's files: its own ones include those of the site; data and sounds are in /var/lib/asterisk."""
    etc, data = root / "etc/asterisk", root / "var/lib/asterisk"
    shutil.rmtree(data / "sounds")
    subprocess.run(["cp", "-al", *map(str, (root / "usr/share/asterisk").iterdir()), str(data)], check=True)
    (root / "etc/freepbx.conf").write_text("<?php\n")
    (etc / "asterisk.conf").write_text(
        "[directories]\nastetcdir => /etc/asterisk\n"
        "astdatadir => /var/lib/asterisk\nastvarlibdir => /var/lib/asterisk\n"
    )
    (etc / "extensions.conf").write_text("#include extensions_custom.conf\n")
    (etc / "extensions_custom.conf").write_text("[from-internal-custom]\n")
    (etc / "manager.conf").write_text(
        "[general]\nenabled = yes\nport = 5038\nbindaddr = 127.0.0.1\n\n"
        "#include manager_additional.conf\n#include manager_custom.conf\n"
    )
    for name in ("manager_additional.conf", "manager_custom.conf"):
        (etc / name).write_text("")
    for name in ("extensions.conf", "extensions_custom.conf", "manager_additional.conf", "manager_custom.conf"):
        os.chown(etc / name, 101, 101)


def callflow(*arguments: str, beside: Path | None = None) -> tuple[int, str]:
    """Exit code and output of a command; `beside`: in the network of this root's Asterisk, which runs for it."""
    command = [sys.executable, "-m", "callflow", *arguments]
    env = os.environ | {"COLUMNS": "200"}
    if beside is not None:
        command = [*IN_ITS_OWN_NETWORK, RUN, "run", str(beside), *command]
        env |= {"CALLFLOW_STORE__PATH": str(beside / "tmp/callflow.db"), "CALLFLOW_TAP__SOUNDS": str(SOUNDS)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout + done.stderr


def verdicts(output: str) -> dict[str, str]:
    """The verdict of each line of `callflow check`, by its subject."""
    lines = (line for line in output.splitlines() if line[:5].strip() in ("ok", "warn", "FAIL", "hint"))
    return {line[5:22].strip(): line[:5].strip() for line in lines}
