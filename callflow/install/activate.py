"""Makes the running system use what was installed: Asterisk reloads, systemd starts the service."""

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from callflow.errors import InstallError
from callflow.install.carry_out import run
from callflow.install.parts import ENVIRONMENT, SERVICE_USER, SETTINGS

UNIT_NAME = "callflow"
SYSTEMD_RUNS = Path("/run/systemd/system")


@dataclass(frozen=True, slots=True)
class Done:
    """One thing that was done, or why not; `remedy` is "" if it was done."""

    what: str
    remedy: str = ""


def activate(program: Path, *, upgraded: bool) -> Iterator[Done]:
    """Reload Asterisk and start the service; `upgraded`: a running daemon is an older one."""
    yield from _reload_asterisk()
    if not SYSTEMD_RUNS.is_dir():
        yield Done("systemd does not run here", f"start the daemon yourself: {program} run --config {SETTINGS}")
        return
    run("systemctl", "daemon-reload")
    run("systemctl", "enable", UNIT_NAME)
    run("systemctl", "restart" if upgraded or not _is_active() else "reload", UNIT_NAME)
    yield Done("the service is enabled and runs")


def deactivate() -> Iterator[Done]:
    """Stop the service, before its files are removed."""
    if SYSTEMD_RUNS.is_dir() and _is_active():
        run("systemctl", "disable", "--now", UNIT_NAME)
        yield Done("the service is stopped and disabled")


def after_removal() -> Iterator[Done]:
    """Let Asterisk and systemd forget it."""
    yield from _reload_asterisk()
    if SYSTEMD_RUNS.is_dir():
        run("systemctl", "daemon-reload")


def check_as_service(program: Path) -> int:
    """Run `callflow check` as the service would see it; its exit code. The secret stays out of the process list."""
    script = f'set -a; [ ! -r {ENVIRONMENT} ] || . {ENVIRONMENT}; exec "$0" --config={SETTINGS} check'
    command = ["runuser", "-u", SERVICE_USER, "--", "sh", "-c", script, str(program)]
    return subprocess.run(command, check=False).returncode


def _reload_asterisk() -> Iterator[Done]:
    if not shutil.which("asterisk"):
        yield Done(
            "there is no program `asterisk` on the PATH", "reload Asterisk yourself: manager, dialplan, features"
        )
        return
    for what in ("manager reload", "dialplan reload", "module reload features"):
        try:
            run("asterisk", "-rx", what)
        except InstallError:
            yield Done("Asterisk does not run", "start it; it reads the new files then")
            return
        yield Done(f"Asterisk: {what}")


def _is_active() -> bool:
    return subprocess.run(["systemctl", "is-active", "--quiet", UNIT_NAME], check=False).returncode == 0
