"""Known weaknesses of the packages in requirements.lock, by pip-audit: `python -m release.audit PIP_AUDIT`.

Exit code 1 when a package has one. Where no advisory data can be reached, it says so, and exits with 0.
"""

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from release.bill import LOCK


@dataclass
class Audit:
    """What is known of the packages."""

    audited: int = 0
    unknown: list[str] = field(default_factory=list)
    """Packages of which the index has no advisory data."""
    weaknesses: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [f"{self.audited} packages audited, {len(self.weaknesses)} known weaknesses", *self.weaknesses]
        if self.unknown:
            lines.append(f"no advisory data for {len(self.unknown)} packages here: {', '.join(self.unknown)}")
        return "\n".join(lines)


def read(dependencies: Iterable[Mapping[str, Any]]) -> Audit:
    """From the list `dependencies` of pip-audit's JSON."""
    audit = Audit()
    for one in dependencies:
        if "skip_reason" in one:
            audit.unknown.append(one["name"])
            continue
        audit.audited += 1
        for weakness in one["vulns"]:
            fixed = ", ".join(weakness["fix_versions"]) or "no release"
            audit.weaknesses.append(f"{one['name']} {one['version']}: {weakness['id']}, fixed in {fixed}")
    return audit


def main() -> int:
    """Ask pip-audit, print, judge."""
    command = [sys.argv[1], "--no-deps", "--disable-pip", "--progress-spinner", "off", "-f", "json", "-r", str(LOCK)]
    asked = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        audit = read(json.loads(asked.stdout)["dependencies"])
    except ValueError:
        print(f"pip-audit has no answer: {asked.stderr.strip()[-500:]}", file=sys.stderr)
        return 2
    print(audit)
    return 1 if audit.weaknesses else 0


if __name__ == "__main__":
    sys.exit(main())
