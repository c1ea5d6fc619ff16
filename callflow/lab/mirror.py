"""Which Debian mirror this machine's own apt sources name: the lab downloads from there and nowhere else."""

import os
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from callflow.processes.errors import LabUnavailable

APT = Path("/etc/apt")
OS_RELEASE = Path("/etc/os-release")
_ROLLING = ("sid", "unstable", "testing", "stable")  # sources may name these instead of the release


def debian_mirror(apt: Path = APT, os_release: Path = OS_RELEASE) -> str:
    """Base URI of the Debian archive; $CALLFLOW_LAB_MIRROR goes first. Raises LabUnavailable."""
    if chosen := os.environ.get("CALLFLOW_LAB_MIRROR"):
        return chosen
    codename = _codename(os_release)
    sources = [(uri, suites) for uri, suites, components in _sources(apt) if "main" in components]
    for suite in (codename, *_ROLLING):
        for uri, suites in sources:
            if suite in suites:
                return _resolved(uri)
    raise LabUnavailable(
        f"no apt source for Debian {codename or '(unknown)'} was found in {apt}",
        remedy="set CALLFLOW_LAB_MIRROR to the base URI of a Debian mirror",
    )


def apt_proxy() -> str | None:
    """The HTTP proxy of this machine's apt configuration, if it has one."""
    try:
        found = subprocess.run(
            ["apt-config", "dump", "--format=%v%n", "Acquire::http::Proxy"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    except OSError:
        return None
    return found.stdout.strip().splitlines()[0] if found.stdout.strip() else None


def _codename(os_release: Path) -> str:
    for line in os_release.read_text().splitlines() if os_release.exists() else ():
        key, _, value = line.partition("=")
        if key == "VERSION_CODENAME":
            return value.strip('"')
    return ""


def _sources(apt: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    folder = apt / "sources.list.d"
    for path in sorted(folder.glob("*.sources")):
        yield from _deb822(path.read_text())
    for path in [apt / "sources.list", *sorted(folder.glob("*.list"))]:
        if path.exists():
            yield from _one_line(path.read_text())


def _deb822(text: str) -> Iterator[tuple[str, list[str], list[str]]]:
    for stanza in text.split("\n\n"):
        fields = _fields(stanza.splitlines())
        if "deb" not in fields.get("types", []) or fields.get("enabled") == ["no"]:
            continue
        for uri in fields.get("uris", []):
            yield uri, fields.get("suites", []), fields.get("components", [])


def _fields(lines: Iterable[str]) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    name = ""
    for line in lines:
        if line.startswith("#") or not line.strip():
            continue
        if not line[0].isspace():
            name, _, line = line.partition(":")
        fields.setdefault(name.lower(), []).extend(line.split())
    return fields


def _one_line(text: str) -> Iterator[tuple[str, list[str], list[str]]]:
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if not words or words[0] != "deb":
            continue
        del words[0]
        if words and words[0].startswith("["):
            while words and not words.pop(0).endswith("]"):
                pass
        if len(words) >= 3:
            yield words[0], [words[1].rstrip("/")], words[2:]


def _resolved(uri: str) -> str:
    """Follow a `mirror+file:` list to its first entry; other URIs are returned unchanged."""
    prefix = "mirror+file:"
    if not uri.startswith(prefix):
        return uri.rstrip("/")
    entries = Path(uri.removeprefix(prefix).replace("//", "/")).read_text().split()
    return entries[0].rstrip("/")
