"""Makes the running system use what was installed: Asterisk reloads, systemd starts the service."""

import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from callflow.errors import InstallError
from callflow.install.carry_out import run
from callflow.install.parts import (
    COLLECT_SETTINGS,
    COLLECTOR_UNIT,
    ENVIRONMENT,
    FLEET_UNITS,
    SERVICE_USER,
    SETTINGS,
    UNIT,
)

SYSTEMD_RUNS = Path("/run/systemd/system")
WHY = "journalctl -u {0} -n 20 says why; then: systemctl restart {0}"


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
    run("systemctl", "enable", UNIT.name)
    if _succeeds("restart" if upgraded or not _is("active", UNIT) else "reload", UNIT):
        yield Done("the service is enabled and runs")
    else:
        yield Done("the service is installed and enabled, but does not run as it should", WHY.format(UNIT.stem))


def activate_fleet(units: Iterable[Path]) -> Iterator[Done]:
    """Start units of FLEET_UNITS anew that run; a new one is enabled by a person who has named the database.

    Enabled before that, it would fail at every start of the machine.
    """
    if not SYSTEMD_RUNS.is_dir():
        return
    run("systemctl", "daemon-reload")
    for unit in units:
        if _is("active", unit):
            if _succeeds("restart", unit):
                yield Done(f"{unit.stem} was restarted")
            else:
                yield Done(f"{unit.stem} does not start", WHY.format(unit.stem))
        elif _is("enabled", unit):
            yield Done(f"{unit.stem} is enabled and does not run", WHY.format(unit.stem))
        else:
            needed = "fleet.database_url and mqtt.host" if unit == COLLECTOR_UNIT else "fleet.database_url"
            remedy = f"set {needed} in {COLLECT_SETTINGS}, then: systemctl enable --now {unit.stem}"
            yield Done(f"{unit.stem} is installed and not enabled yet", remedy)


def deactivate() -> Iterator[Done]:
    """Stop the services, before their files are removed."""
    if not SYSTEMD_RUNS.is_dir():
        return
    for unit in (UNIT, *FLEET_UNITS):
        if _is("active", unit) or _is("enabled", unit):
            run("systemctl", "disable", "--now", unit.name)
            yield Done(f"{unit.stem} is stopped and disabled")


def after_removal(*, asterisk: bool) -> Iterator[Done]:
    """Let systemd forget it, and Asterisk where there is one."""
    if asterisk:
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


def _succeeds(verb: str, unit: Path) -> bool:
    """systemctl does this to the unit."""
    try:
        run("systemctl", verb, unit.name)
    except InstallError:
        return False
    return True


def _is(state: str, unit: Path) -> bool:
    return subprocess.run(["systemctl", f"is-{state}", "--quiet", unit.name], check=False).returncode == 0
