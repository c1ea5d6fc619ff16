"""What is released: the same bytes from the same commit, and a list of everything that comes with it."""

import hashlib
import json
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from callflow.installed import CHECKOUT
from release.audit import read
from release.bill import UNKNOWN, Component, components, cyclonedx, licences, write

DATE = "1790000000"
FREE = ("MIT", "BSD", "Apache", "MPL", "PSF", "EPL", "ISC", "0BSD", "Unlicense", "Zlib", "CC0", "LGPL")
"""LGPL: psycopg, the driver of the fleet's database, imported unchanged."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two builds: in other folders, with another umask, of files that were touched in between."""
    folders = []
    for umask in ("022", "077"):
        folder = tmp_path_factory.mktemp("dist")
        build = f"umask {umask}; exec {sys.executable} -m hatchling build -d {folder} -t sdist -t wheel"
        env = os.environ | {"SOURCE_DATE_EPOCH": DATE}
        subprocess.run(["sh", "-c", build], cwd=CHECKOUT, env=env, check=True, capture_output=True)
        (CHECKOUT / "callflow/__init__.py").touch()
        folders.append(folder)
    return folders


def checksums(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_two_builds_are_the_same_bytes(built: list[Path]) -> None:
    first, second = map(checksums, built)
    assert {name.rpartition(".")[2] for name in first} == {"whl", "gz"}
    assert first == second


def test_the_wheel_has_what_an_installation_needs(built: list[Path]) -> None:
    (wheel,) = built[0].glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for needed in (
        "callflow/share/dialplan/callflow.conf",
        "callflow/share/dialplan/sounds/zh/callflow/greeting.wav",
        "callflow/share/config/callflow.toml",
        "callflow/share/config/asterisk/manager_callflow.conf",
        "callflow/share/config/systemd/callflow.service",
        "callflow/adapters/store/migrations/versions/v0001_calls.py",
    ):
        assert needed in names
    assert not [name for name in names if name.startswith(("tests/", "release/", ".venv"))]


def test_the_sdist_has_no_rubbish(built: list[Path]) -> None:
    (sdist,) = built[0].glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = archive.getnames()
    assert any(name.endswith("/pyproject.toml") for name in names)
    assert not [name for name in names if "__pycache__" in name or "/.venv/" in name or name.endswith(".pyc")]


def test_every_package_is_listed_with_a_free_licence() -> None:
    found = components()
    assert len(found) > 20
    assert [one.name for one in found if one.licence == UNKNOWN] == []
    assert [one.name for one in found if not one.licence.startswith(FREE)] == []


def test_the_bill_of_materials_names_all_of_them_once(tmp_path: Path) -> None:
    write(tmp_path)
    bill = json.loads((tmp_path / "callflow.cdx.json").read_text())
    refs = [one["bom-ref"] for one in bill["components"]]
    assert len(refs) == len(set(refs))
    assert bill["dependencies"][0]["dependsOn"] == refs
    assert all(one["purl"].startswith("pkg:pypi/") for one in bill["components"])
    for one in components():
        assert f"| {one.name} | {one.version} |" in (tmp_path / "licences.md").read_text()


def test_the_same_packages_give_the_same_bill() -> None:
    found = [Component("a", "1", "MIT", ""), Component("b", "2", "MIT", "")]
    assert cyclonedx(found) == cyclonedx(list(found))
    assert cyclonedx(found)["serialNumber"] != cyclonedx(found[:1])["serialNumber"]
    assert licences(found) == licences(list(found))


def test_an_audit_tells_weaknesses_from_packages_without_advisory_data() -> None:
    audit = read(
        [
            {"name": "sound", "version": "1.0", "vulns": []},
            {"name": "weak", "version": "2.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1"]}]},
            {"name": "hopeless", "version": "3.0", "vulns": [{"id": "PYSEC-2", "fix_versions": []}]},
            {"name": "unheard-of", "skip_reason": "not found"},
        ]
    )
    assert audit.weaknesses == ["weak 2.0: PYSEC-1, fixed in 2.1", "hopeless 3.0: PYSEC-2, fixed in no release"]
    assert (audit.audited, audit.unknown) == (3, ["unheard-of"])
    assert "no advisory data for 1 packages here: unheard-of" in str(audit)
