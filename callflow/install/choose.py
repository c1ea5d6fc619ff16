"""What an installation decides from what it finds: the secret, the state of the AMI, and settings of the site."""

import json
import re
import secrets
from pathlib import Path

from callflow.errors import InstallError
from callflow.install.parts import ENVIRONMENT, SHIPPED_PROGRAM, Chosen
from callflow.install.place import Place
from callflow.install.root import Root

SHIPPED_SECRET = "change-me"
TRUE = {"yes", "true", "y", "t", "1", "on"}
"""What Asterisk takes for true."""
DEFAULT_AMI_PORT = "5038"
DEFAULT_SOUNDS = Path("/usr/share/asterisk/sounds")
HIDDEN_FROM_SERVICES = (Path("/home"), Path("/root"))
"""The unit has ProtectHome=yes."""


def refuse_home(program: Path) -> None:
    """Raises InstallError for a program that a service cannot start."""
    if any(program.is_relative_to(folder) for folder in HIDDEN_FROM_SERVICES):
        raise InstallError(
            f"the service could not start {program}: it sees no home folder",
            f"install callflow elsewhere: python3 -m venv {SHIPPED_PROGRAM.parents[1]}",
        )


def choose(root: Root, place: Place, program: Path) -> Chosen:
    """Decide; the secret of an earlier installation stays."""
    general = _general(root.text(place.etc / "manager.conf") or "")
    settings: dict[str, dict[str, str]] = {}
    port = general.get("port", DEFAULT_AMI_PORT)
    if port != DEFAULT_AMI_PORT and port.isdigit():
        settings["ami"] = {"port": port}
    if place.sounds != DEFAULT_SOUNDS:
        settings["tap"] = {"sounds": json.dumps(str(place.sounds))}
    if place.distribution.prompts != "callflow":
        settings["prompts"] = {"path": json.dumps(f"{{language}}/{place.distribution.prompts}/{{prompt}}")}
    return Chosen(program, _secret(root, place), _needed(general), settings)


def _secret(root: Root, place: Place) -> str:
    """The secret that is in use, or a fresh one."""
    places = (
        (place.etc / "manager_callflow.conf", r"^\s*secret\s*=>?\s*([^;\s]+)"),
        (ENVIRONMENT, r"^CALLFLOW_AMI__SECRET=(\S+)"),
    )
    for path, pattern in places:
        found = re.search(pattern, root.text(path) or "", re.MULTILINE)
        if found and found[1] != SHIPPED_SECRET:
            return found[1]
    return secrets.token_hex(16)


def _general(text: str) -> dict[str, str]:
    """The settings of [general] in manager.conf."""
    found: dict[str, str] = {}
    section = ""
    for line in (line.partition(";")[0].strip() for line in text.splitlines()):
        if line.startswith("["):
            section = line.partition("]")[0].strip("[")
        elif section == "general" and "=" in line:
            name, _, value = line.partition("=")
            found[name.strip().lower()] = value.lstrip(">").strip()
    return found


def _needed(general: dict[str, str]) -> str:
    """What to add to [general]; an AMI that was off is opened on loopback only."""
    lines = []
    if general.get("enabled", "no").lower() not in TRUE:
        lines += ["enabled = yes", "bindaddr = 127.0.0.1"]
    if general.get("timestampevents", "no").lower() not in TRUE:
        lines.append("timestampevents = yes")
    if not lines:
        return ""
    return "\n".join(["", "; Added to [general] of manager.conf, which does not say it.", "[general](+)", *lines, ""])
