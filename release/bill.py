"""The bill of materials (CycloneDX) and the list of licences, from requirements.lock and the installed packages.

`python -m release.bill FOLDER` writes callflow.cdx.json and licences.md there; the same input gives the same bytes.
"""

import json
import re
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any, cast

from packaging.requirements import Requirement

from callflow import __version__

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements.lock"
OWN_LICENCE = "Apache-2.0"
UNKNOWN = "unknown"
_FAMILIES = (
    (r"^mit( license)?$", "MIT"),
    (r"apache(-| software license|.*2)", "Apache-2.0"),
    (r"^bsd$|bsd license|bsd-3|3-clause", "BSD-3-Clause"),
    (r"mozilla.*2|mpl-2", "MPL-2.0"),
    (r"python software foundation|^psf", "PSF-2.0"),
    (r"eclipse public", "EPL-2.0"),
    (r"^isc", "ISC"),
    (r"^gpl-3.0-or-later$", "GPL-3.0-or-later"),
)


@dataclass(frozen=True, slots=True)
class Component:
    """One package that is installed with callflow."""

    name: str
    version: str
    licence: str
    """An SPDX expression, `unknown` if the package does not say."""
    homepage: str

    @property
    def purl(self) -> str:
        """Its package URL."""
        return f"pkg:pypi/{self.name.lower()}@{self.version}"


def components(lock: Path = LOCK) -> list[Component]:
    """Every package that the lock names for this platform."""
    return sorted(_read(lock), key=lambda one: one.name.lower())


def _read(lock: Path) -> Iterator[Component]:
    for line in lock.read_text("utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        wanted = Requirement(line)
        if wanted.marker is not None and not wanted.marker.evaluate():
            continue
        (pinned,) = wanted.specifier
        yield _component(wanted.name, pinned.version)


def _component(name: str, version: str) -> Component:
    try:
        told = cast("Message", metadata(name))
    except PackageNotFoundError:
        return Component(name, version, UNKNOWN, "")
    urls = [url.partition(", ")[2] for url in told.get_all("Project-URL") or []]
    return Component(name, version, _licence(told), told.get("Home-page") or next(iter(urls), ""))


def _licence(told: Message) -> str:
    """The licence in SPDX's words: the expression, else what the classifiers or the free text mean."""
    if expression := told.get("License-Expression"):
        return str(expression)
    classifiers = [
        one.rpartition(" :: ")[2] for one in told.get_all("Classifier") or [] if one.startswith("License ::")
    ]
    texts = [*classifiers, (told.get("License") or "").strip().partition("\n")[0]]
    for text in filter(None, texts):
        for pattern, spdx in _FAMILIES:
            if re.search(pattern, text.lower()):
                return spdx
    return UNKNOWN


def cyclonedx(found: list[Component]) -> dict[str, Any]:
    """The bill of materials, CycloneDX 1.5."""
    serial = uuid.uuid5(uuid.NAMESPACE_URL, f"callflow-{__version__}-" + ",".join(one.purl for one in found))
    own = f"pkg:pypi/callflow@{__version__}"
    main = {"type": "application", "bom-ref": own, "name": "callflow", "version": __version__, "purl": own}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {"component": main | {"licenses": [{"expression": OWN_LICENCE}]}},
        "components": [
            {
                "type": "library",
                "bom-ref": one.purl,
                "name": one.name,
                "version": one.version,
                "purl": one.purl,
                "licenses": [{"expression": one.licence}],
            }
            for one in found
        ],
        "dependencies": [{"ref": own, "dependsOn": [one.purl for one in found]}],
    }


def licences(found: list[Component]) -> str:
    """The list of licences as Markdown."""
    rows = [f"| {one.name} | {one.version} | {one.licence} | {one.homepage} |" for one in found]
    head = f"# Licences\n\ncallflow {__version__}: {OWN_LICENCE}. It installs these packages:\n\n"
    tail = "\nThe prompts were spoken by synthetic voices: see dialplan/sounds/README.md.\n"
    return head + "\n".join(["| package | version | licence | home |", "|---|---|---|---|", *rows]) + "\n" + tail


def write(folder: Path) -> None:
    """Write both files."""
    folder.mkdir(parents=True, exist_ok=True)
    found = components()
    (folder / "callflow.cdx.json").write_text(json.dumps(cyclonedx(found), indent=1) + "\n", "utf-8")
    (folder / "licences.md").write_text(licences(found), "utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
