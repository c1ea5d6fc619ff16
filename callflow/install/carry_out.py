"""Carries out a plan: the user of the service, files, lines, and the record of what was written."""

import os
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from callflow import __version__
from callflow.errors import InstallError
from callflow.install.manifest import MANIFEST, Manifest, checksum
from callflow.install.parts import LINK, SERVICE_USER, STATE, File, Line
from callflow.install.plan import Action, Step
from callflow.install.root import Root, may_write
from callflow.install.writing import resolved, with_line, write

STATE_MODE = 0o750


def carry_out(root: Root, steps: Iterable[Step], manifest: Manifest, program: Path) -> Iterator[Step]:
    """Do one step after the other; yields each when it is done. Raises InstallError; a repetition continues."""
    _make_user(root, manifest)
    service = root.ids_of_user(SERVICE_USER)
    _make_state_folder(root, service)
    for step in steps:
        _do(root, step, manifest, service)
        yield step
    _make_link(root, manifest, program)
    manifest.version = __version__
    write(root.outside(MANIFEST), manifest.text().encode(), 0o640, resolved(None, service))


def _do(root: Root, step: Step, manifest: Manifest, service: tuple[int, int] | None) -> None:
    part, path = step.part, root.outside(step.target)
    if isinstance(part, File):
        if step.action is not Action.NOTHING:
            write(path, part.content, part.mode, resolved(part.owner, service))
        manifest.files[str(step.target)] = checksum(part.content)
    elif step.action is Action.ADD:
        before = root.text(part.path)
        text = with_line(before or "", part.text)
        write(path, text.encode("utf-8", "surrogateescape"), part.mode, resolved(part.owner, service))
        manifest.note_line(part.path, part.text, made=before is None)


def lines_by_hand(steps: Iterable[Step]) -> list[Line]:
    """The lines that a person has to add."""
    return [step.part for step in steps if step.action is Action.BY_HAND and isinstance(step.part, Line)]


def _make_user(root: Root, manifest: Manifest) -> None:
    if root.ids_of_user(SERVICE_USER) is not None or not may_write():
        return
    where = [] if root.is_this_machine else ["--prefix", str(root.path)]
    shell = ["--home-dir", str(STATE), "--shell", "/usr/sbin/nologin"]
    run("useradd", *where, "--system", "--user-group", *shell, SERVICE_USER)
    manifest.user = True


def _make_state_folder(root: Root, service: tuple[int, int] | None) -> None:
    folder = root.outside(STATE)
    if folder.is_dir():
        return
    try:
        folder.mkdir(parents=True)
        folder.chmod(STATE_MODE)
        if service is not None and may_write():
            os.chown(folder, *service)
    except OSError as error:
        raise InstallError(f"{STATE} cannot be made: {error.strerror}", "run it as root") from None


def _make_link(root: Root, manifest: Manifest, program: Path) -> None:
    """A link on the PATH, unless there is one or the program is on it already."""
    link = root.entry(LINK)
    if link.exists() or link.is_symlink() or program.parent in (LINK.parent, Path("/usr/bin")):
        return
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(program)
    manifest.link = str(LINK)


def run(*command: str) -> str:
    """What a program prints. Raises InstallError with its own words if it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InstallError(f"{command[0]} cannot be run: {error}", "install it, or do this step by hand") from None
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise InstallError(f"{' '.join(command)} failed: {said[-1] if said else done.returncode}", "see what it says")
    return done.stdout
