"""What can be seen on this host, without Asterisk."""

import os
import stat
import tomllib
from datetime import UTC, datetime
from pathlib import Path

from pydantic import SecretStr

from callflow.checks.finding import Finding, fail, hint, ok, warn
from callflow.checks.installed import check_installed
from callflow.checks.listeners import check_listeners
from callflow.errors import SettingError
from callflow.install.root import Root
from callflow.settings.model import Settings
from callflow.settings.standards import StandardsOptions, read_standards

LISTEN_STATE = "0A"


def check_host(settings: Settings, config: Path | None) -> list[Finding]:
    """Settings file, database, AMI's address, FastAGI's token, what listens beyond loopback, and what is installed."""
    store, agi = settings.store, settings.agi
    return [
        _settings_file(config),
        *_standards(settings.standards),
        _database(store.path),
        _ami_address(settings.ami.port),
        _agi_token(agi.token),
        *check_listeners(settings),
        *check_installed(Root(Path("/"))),
    ]


def _settings_file(config: Path | None) -> Finding:
    if config is None:
        return hint("settings", "no file, defaults only", "callflow settings example > /etc/callflow/callflow.toml")
    has_secret = "secret" in tomllib.loads(config.read_text("utf-8")).get("ami", {})
    if has_secret and config.stat().st_mode & stat.S_IROTH:
        return warn("settings", f"{config} is valid, but every user can read the secret", f"chmod o-r {config}")
    return ok("settings", f"{config} is valid")


def _standards(options: StandardsOptions) -> list[Finding]:
    path = options.find()
    if path is None:
        return []
    try:
        standards = read_standards(path)
    except SettingError as error:
        return [fail("standards", f"{error.setting}: {error.problem}", error.remedy)]
    today = datetime.now(UTC).date()
    if overdue := [standard.name for standard in standards if standard.overdue(today)]:
        remedy = "review them, and write the date as `reviewed`"
        return [warn("standards", f"not reviewed within a year: {', '.join(overdue)}", remedy)]
    return [ok("standards", f"{len(standards)} in {path}")]


def _database(path: Path) -> Finding:
    there = os.access(path, os.F_OK)
    if there and not path.is_file():
        return fail("database", f"{path} is not a file", f"set store.path to a file, e.g. {path / 'callflow.db'}")
    target = path if there else path.parent
    if os.access(target, os.W_OK) and os.access(path.parent, os.W_OK):
        return ok("database", f"{path} can be written")
    return fail("database", f"{target} cannot be written", "create the folder, or set store.path to another")


def _ami_address(ami_port: int) -> Finding:
    """An AMI that listens on every address lets strangers make calls."""
    port = f"{ami_port:04X}"
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        lines = table.read_text("ascii").splitlines()[1:] if table.exists() else []
        for fields in (line.split() for line in lines):
            address, _, number = fields[1].rpartition(":")
            if number == port and fields[3] == LISTEN_STATE and not address.strip("0"):
                remedy = "bindaddr = 127.0.0.1 in manager.conf, or a firewall"
                return warn("AMI address", "AMI listens on every address of this host", remedy)
    return ok("AMI address", "AMI is not open to every address of this host")


def _agi_token(token: SecretStr) -> Finding:
    """Without it, any program that reaches the FastAGI port can pose as a call."""
    if token.get_secret_value():
        return ok("FastAGI token", "calls must bring the token of [agi] token")
    return warn("FastAGI token", "none is set: callflow answers every program on this host", 'set [agi] token = "auto"')
