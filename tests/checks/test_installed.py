"""What an earlier `callflow install` has left is told from what this release would write."""

from pathlib import Path

from callflow.checks.finding import Verdict
from callflow.checks.installed import check_installed
from callflow.install.manifest import MANIFEST, Manifest, checksum
from callflow.install.parts import UNIT
from callflow.install.plan import BESIDE
from callflow.install.root import Root
from callflow.installed import FILES, SOUNDS

INCLUDE = Path("/etc/asterisk/callflow.conf")
SHIPPED = (FILES / "dialplan/callflow.conf").read_bytes()
UNIT_OF_SITE = (FILES / "config/systemd/callflow.service").read_bytes().replace(b"/opt/callflow/bin", b"/srv/bin")
PROMPT = Path("/usr/share/asterisk/sounds/en/custom/callflow/greeting.wav")


def installed(folder: Path, **files: tuple[Path, bytes, bytes]) -> Root:
    """A system with a manifest: of each file where it is, what is there, and what was written there."""
    manifest = Manifest()
    for path, there, written in files.values():
        manifest.files[str(path)] = checksum(written)
        target = folder / path.relative_to("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(there)
    record = folder / MANIFEST.relative_to("/")
    record.parent.mkdir(parents=True, exist_ok=True)
    record.write_text(manifest.text())
    return Root(folder)


def told(root: Root) -> list[tuple[Verdict, str]]:
    return [(finding.verdict, finding.seen) for finding in check_installed(root)]


def test_nothing_is_said_where_nothing_was_installed(tmp_path: Path) -> None:
    assert told(Root(tmp_path)) == []


def test_files_of_this_release_are_right(tmp_path: Path) -> None:
    greeting = (SOUNDS / "en/callflow/greeting.wav").read_bytes()
    root = installed(
        tmp_path,
        include=(INCLUDE, SHIPPED, SHIPPED),
        unit=(UNIT, UNIT_OF_SITE, UNIT_OF_SITE),
        prompt=(PROMPT, greeting, greeting),
        manager=(INCLUDE.with_name("manager_callflow.conf"), b"secret", b"secret"),
    )
    assert [verdict for verdict, _ in told(root)] == [Verdict.OK]


def test_files_of_another_release_are_named(tmp_path: Path) -> None:
    root = installed(
        tmp_path,
        include=(INCLUDE, b"old", b"old"),
        unit=(
            UNIT,
            UNIT_OF_SITE.replace(b"Type=notify", b"Type=exec"),
            UNIT_OF_SITE.replace(b"Type=notify", b"Type=exec"),
        ),
        prompt=(PROMPT, b"old", b"old"),
    )
    ((verdict, seen),) = told(root)
    assert verdict is Verdict.WARN
    assert all(str(path) in seen for path in (INCLUDE, UNIT, PROMPT))
    assert "callflow install" in check_installed(root)[0].remedy


def test_what_a_person_has_changed_is_old_only_while_the_new_one_lies_beside(tmp_path: Path) -> None:
    root = installed(tmp_path, include=(INCLUDE, b"changed", b"old"))
    assert [verdict for verdict, _ in told(root)] == [Verdict.OK]
    (tmp_path / f"etc/asterisk/callflow.conf{BESIDE}").write_bytes(SHIPPED)
    ((verdict, seen),) = told(root)
    assert (verdict, str(INCLUDE) in seen) == (Verdict.WARN, True)
