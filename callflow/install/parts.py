"""What is installed: whole files of ours, and single lines in files of others."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from callflow.install.place import Place
from callflow.installed import FILES, SOUNDS

SERVICE_USER = "callflow"
STATE = Path("/var/lib/callflow")
SETTINGS = Path("/etc/callflow/callflow.toml")
ENVIRONMENT = Path("/etc/callflow/callflow.env")
COLLECT_SETTINGS = Path("/etc/callflow/collect.toml")
UNITS = Path("/etc/systemd/system")
UNIT = UNITS / "callflow.service"
COLLECTOR_UNIT = UNITS / "callflow-collect.service"
WEB_UNIT = UNITS / "callflow-web.service"
FLEET_UNITS = (COLLECTOR_UNIT, WEB_UNIT)
"""Installed where they are asked for."""
PORTS_BESIDE_NODE = {9810: 9812, 9811: 9813}
"""Metrics and page of the fleet on a machine whose daemon serves its own."""
LINK = Path("/usr/local/bin/callflow")
SHIPPED_PROGRAM = Path("/opt/callflow/bin/callflow")
"""The program that the shipped unit starts."""

VERBATIM = {
    "callflow.conf": "dialplan/callflow.conf",
    "features_callflow.conf": "config/asterisk/features_callflow.conf",
}
"""Configuration of Asterisk that is the same on every machine: the shipped file, by the name that it gets."""

Owner = tuple[int, int] | None
"""User id and group id; None for root and the group of the service, which may not exist yet."""
ROOT_OWNER = (0, 0)


@dataclass(frozen=True, slots=True)
class File:
    """A file of ours; a person may change it."""

    path: Path
    content: bytes
    purpose: str
    mode: int = 0o640
    owner: Owner = None


@dataclass(frozen=True, slots=True)
class Line:
    """A line that a file of others needs; a line that begins with `key` counts as it."""

    path: Path
    text: str
    key: str
    purpose: str
    mode: int = 0o640
    owner: Owner = None
    by_hand: str = ""
    """Why a person has to add it, "" where `install` does."""


Part = File | Line


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is decided for one system before anything is written."""

    program: Path
    secret: str
    manager_general: str
    """What the AMI needs in [general] beyond what is there, "" for nothing."""
    settings: dict[str, dict[str, str]]
    """Values to set in the settings file, TOML by section and name."""


def parts(place: Place, chosen: Chosen) -> list[Part]:
    """Everything that is installed, in the order in which it is written: includes after the files they name."""
    asterisk = (place.uid, place.gid)
    by_hand = place.distribution.by_hand
    return [
        _verbatim(place, "callflow.conf", "dialplan"),
        File(place.etc / "manager_callflow.conf", _manager(chosen), "AMI user", owner=asterisk),
        _verbatim(place, "features_callflow.conf", "feature codes"),
        *_prompts(place),
        File(SETTINGS, _settings(chosen), "settings"),
        Line(ENVIRONMENT, f"CALLFLOW_AMI__SECRET={chosen.secret}", "CALLFLOW_AMI__SECRET=", "secret of the AMI user"),
        Line(ENVIRONMENT, "CALLFLOW_AGI__TOKEN=auto", "CALLFLOW_AGI__TOKEN=", "token of FastAGI"),
        _unit(UNIT, chosen.program, "systemd unit"),
        _include(place.manager_file, "manager_callflow.conf", asterisk, by_hand),
        _include(place.dialplan_file, "callflow.conf", asterisk, by_hand),
        _include(place.features_file, "features_callflow.conf", asterisk, by_hand),
    ]


def fleet_parts(program: Path, units: Iterable[Path], *, beside_node: bool) -> list[Part]:
    """What these units of FLEET_UNITS need, with one settings file for both; nothing without any.

    Beside a daemon, which has the usual ports, they listen on others.
    """
    purposes = {COLLECTOR_UNIT: "unit of the collector", WEB_UNIT: "unit of the fleet's page"}
    found: list[Part] = [_unit(unit, program, purposes[unit]) for unit in units]
    content = _shipped("config/collect.toml")
    for usual, other in PORTS_BESIDE_NODE.items() if beside_node else ():
        content = content.replace(f"#port = {usual}".encode(), f"port = {other}".encode())
    settings = File(COLLECT_SETTINGS, content, "settings of the fleet")
    return [settings, *found] if found else []


def _include(path: Path, name: str, owner: Owner, by_hand: str) -> Line:
    text = f"#include {name}"
    return Line(path, text, text, f"include {name}", owner=owner, by_hand=by_hand)


def _shipped(name: str) -> bytes:
    return (FILES / name).read_bytes()


def _prompts(place: Place) -> Iterator[File]:
    for sound in sorted(SOUNDS.glob("*/callflow/*.wav")):
        language = sound.parent.parent.name
        target = place.sounds / language / place.distribution.prompts / sound.name
        yield File(target, sound.read_bytes(), f"prompts {language}", 0o644, ROOT_OWNER)


def _manager(chosen: Chosen) -> bytes:
    text = _shipped("config/asterisk/manager_callflow.conf").decode()
    text = text.replace("secret = change-me", f"secret = {chosen.secret}")
    return (text + chosen.manager_general).encode()


def _verbatim(place: Place, name: str, purpose: str) -> File:
    return File(place.etc / name, _shipped(VERBATIM[name]), purpose, owner=(place.uid, place.gid))


def _unit(path: Path, program: Path, purpose: str) -> File:
    return File(path, unit_that_starts(str(program).encode(), path), purpose, 0o644, ROOT_OWNER)


def unit_that_starts(program: bytes, path: Path) -> bytes:
    """The content of the unit at `path`, one of UNIT and FLEET_UNITS, with this program."""
    return _shipped(f"config/systemd/{path.name}").replace(str(SHIPPED_PROGRAM).encode(), program)


def _settings(chosen: Chosen) -> bytes:
    """The example file, in which the chosen values stand in the place of the defaults."""
    wanted = {section: dict(values) for section, values in chosen.settings.items()}
    lines, section = [], ""
    for line in _shipped("config/callflow.toml").decode().splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        name = line.removeprefix("#").partition(" = ")[0]
        if line.startswith("#") and name in wanted.get(section, {}):
            line = f"{name} = {wanted[section].pop(name)}"
        lines.append(line)
    return ("\n".join(lines) + "\n").encode()
