"""`make deb`: a Debian package with callflow and everything it needs but Python itself.

`python -m release.deb FOLDER` writes callflow_VERSION_ARCH.deb there. It needs dpkg-deb and pip. The package holds
compiled modules, so it fits the Python that builds it, and says so in Depends. Install it, then run `callflow install`.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from tempfile import TemporaryDirectory

from callflow import __version__
from release.bill import LOCK, ROOT, components, licences

LIBRARY = Path("opt/callflow/lib")
PROGRAM = Path("opt/callflow/bin/callflow")
ON_PATH = Path("usr/bin/callflow")
DOCUMENTS = Path("usr/share/doc/callflow")

LAUNCHER = """\
#!/usr/bin/python3 -I
import sys

sys.path.insert(0, "/opt/callflow/lib")
from callflow.cli import main

main()
"""
CONTROL = """\
Package: callflow
Version: {version}
Architecture: {architecture}
Maintainer: callflow <maintainers@callflow.invalid>
Installed-Size: {kib}
Depends: python3 (>= {python}), python3 (<< {next_python})
Recommends: asterisk
Section: comm
Priority: optional
Description: screens silent callers beside Asterisk
 callflow asks a silent caller twice to speak, says a kind goodbye and hangs up.
 A caller who speaks or presses a key, at any moment up to the hang-up, goes on.
 .
 Run `callflow install` after the installation: it finds Asterisk, shows a plan
 and sets everything up.
"""
PROGRAMS = ("callflow.cli", "callflow.daemon", "callflow.commands.collect", "callflow.web.server")
"""What the services load."""
POSTINST = """\
#!/bin/sh
set -e
[ "$1" = configure ] || exit 0
# The service may not write here, and would compile everything anew at each start.
python3 -I -c "import sys; sys.path.insert(0, '/opt/callflow/lib'); import {modules}"
if [ -e /etc/callflow/installed.json ]; then
    echo "callflow: run 'callflow install' to bring dialplan, prompts and unit up to date"
else
    echo "callflow: run 'callflow install' to set it up beside Asterisk"
fi
"""
PRERM = """\
#!/bin/sh
# While a dialplan still sends callers to callflow, this refuses: Asterisk would hang up on them.
set -e
case "$1" in
    remove) [ ! -e /etc/callflow/installed.json ] || callflow uninstall --yes ;;
    upgrade) ;;
    *) exit 0 ;;
esac
find /opt/callflow -name __pycache__ -type d -prune -exec rm -rf {} +
"""
POSTRM = """\
#!/bin/sh
set -e
[ "$1" = purge ] || exit 0
rm -rf /etc/callflow /var/lib/callflow
rm -f /etc/systemd/system/callflow.service /etc/systemd/system/callflow-collect.service
rm -f /etc/systemd/system/callflow-web.service
if getent passwd callflow > /dev/null; then userdel callflow; fi
"""
SCRIPTS = {"postinst": POSTINST.format(modules=", ".join(PROGRAMS)), "prerm": PRERM, "postrm": POSTRM}


def build(folder: Path) -> Path:
    """Build the package; returns its file."""
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as work:
        tree = Path(work) / "tree"
        _install_into(tree / LIBRARY)
        _write(tree / PROGRAM, LAUNCHER, 0o755)
        (tree / ON_PATH).parent.mkdir(parents=True)
        (tree / ON_PATH).symlink_to("/" / PROGRAM)
        _write(tree / DOCUMENTS / "copyright", (ROOT / "LICENSE").read_text())
        _write(tree / DOCUMENTS / "licences.md", licences(components()))
        architecture = _said("dpkg", "--print-architecture")
        size = sum(path.stat().st_size for path in tree.rglob("*") if path.is_file())
        major, minor = sys.version_info[:2]
        control = CONTROL.format(
            version=__version__,
            architecture=architecture,
            kib=size // 1024,
            python=f"{major}.{minor}",
            next_python=f"{major}.{minor + 1}",
        )
        _write(tree / "DEBIAN/control", control)
        for name, text in SCRIPTS.items():
            _write(tree / "DEBIAN" / name, text, 0o755)
        package = folder / f"callflow_{__version__}_{architecture}.deb"
        _said("dpkg-deb", "--root-owner-group", "-Zzstd", "--build", str(tree), str(package))
    return package


def _install_into(library: Path) -> None:
    """The wheel and what it needs, in exact versions; nothing of the machine that builds it."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "install", "--no-compile"]
    subprocess.run([*pip, "--target", str(library), "-r", str(LOCK), str(ROOT)], check=True)
    shutil.rmtree(library / "bin", ignore_errors=True)
    for path in library.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    for record in library.glob("*.dist-info/direct_url.json"):
        record.unlink()


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    path.chmod(mode)


def _said(*command: str) -> str:
    env = os.environ | {"SOURCE_DATE_EPOCH": os.environ.get("SOURCE_DATE_EPOCH", "0")}
    return subprocess.run(command, check=True, capture_output=True, text=True, env=env).stdout.strip()


if __name__ == "__main__":
    print(f"{build(Path(sys.argv[1]))} for Python {sysconfig.get_python_version()}")
