"""Brings the page's libraries from their npm packages: `python -m tests.web.vendor` writes callflow/web/static/vendor.

Versions are pinned here. Licences and checksums are written beside the files; a test compares them.
"""

import hashlib
import json
import subprocess
import tarfile
import tempfile
from pathlib import Path

VENDOR = Path(__file__).resolve().parents[2] / "callflow" / "web" / "static" / "vendor"
MANIFEST = "versions.json"
PACKAGES = {
    "preact": ("11.2.0", {"dist/preact.mjs": "preact.mjs", "hooks/dist/hooks.mjs": "preact-hooks.mjs"}),
    "htm": ("3.1.1", {"dist/htm.module.js": "htm.mjs"}),
    "uplot": ("1.6.32", {"dist/uPlot.esm.js": "uplot.mjs", "dist/uPlot.min.css": "uplot.css"}),
}


def bring() -> None:
    """Fetch every package, copy what the page uses, and write what it is."""
    VENDOR.mkdir(parents=True, exist_ok=True)
    manifest = {}
    for name, (version, files) in PACKAGES.items():
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["npm", "pack", "--silent", f"{name}@{version}"], cwd=folder, check=True, timeout=120)
            (packed,) = Path(folder).glob("*.tgz")
            with tarfile.open(packed) as archive:
                described = json.loads(_read(archive, "package.json"))
                (VENDOR / f"{name}.LICENSE").write_bytes(_read(archive, "LICENSE"))
                sums = {}
                for source, target in files.items():
                    text = _read(archive, source)
                    lines = [line for line in text.splitlines() if not line.startswith(b"//# sourceMappingURL")]
                    (VENDOR / target).write_bytes(b"\n".join(lines) + b"\n")
                    sums[target] = checksum(VENDOR / target)
        manifest[name] = {"version": version, "licence": described["license"], "sha256": sums}
    (VENDOR / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n")


def checksum(file: Path) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _read(archive: tarfile.TarFile, name: str) -> bytes:
    member = archive.extractfile(f"package/{name}")
    if member is None:
        raise FileNotFoundError(name)
    return member.read()


if __name__ == "__main__":
    bring()
