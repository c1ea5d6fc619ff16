"""`callflow install` and `callflow uninstall`: install callflow beside an Asterisk, and remove it again."""

import sys
from collections.abc import Iterable, Sized
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from callflow import __version__
from callflow.commands.terminal import console
from callflow.errors import InstallError
from callflow.install.activate import Done, activate, activate_fleet, after_removal, check_as_service, deactivate
from callflow.install.carry_out import carry_out, lines_by_hand
from callflow.install.choose import choose, refuse_home
from callflow.install.manifest import read_manifest
from callflow.install.parts import COLLECTOR_UNIT, FLEET_UNITS, SHIPPED_PROGRAM, WEB_UNIT, fleet_parts, parts
from callflow.install.place import Place, find_asterisk, has_asterisk
from callflow.install.plan import Action, Step, plan
from callflow.install.remove import Removal, Taken, refuse_while_callers_enter, removals, remove
from callflow.install.root import Root, may_write

COLOURS = {
    Action.WRITE: "green",
    Action.UPDATE: "cyan",
    Action.ADD: "green",
    Action.BESIDE: "yellow",
    Action.BY_HAND: "yellow",
    Action.NOTHING: "dim",
    Removal.DELETE: "red",
    Removal.REMOVE_LINE: "red",
    Removal.KEEP: "yellow",
}

DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the plan and change nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before the plan is carried out.")]
RootFolder = Annotated[
    Path, typer.Option("--root", help="Install into the system in this folder; nothing is started or checked.")
]


def install(
    dry_run: DryRun = False,
    yes: Yes = False,
    root: RootFolder = Path("/"),
    program: Annotated[
        Path | None,
        typer.Option(help="The program that the service starts; default: this one, with --root /opt/callflow."),
    ] = None,
    collector: Annotated[
        bool, typer.Option("--collector", help="Also the service of a fleet's collector, `callflow collect`.")
    ] = False,
    web: Annotated[bool, typer.Option("--web", help="Also the service of a fleet's page, `callflow web`.")] = False,
) -> None:
    """Install callflow beside Asterisk, or bring an installation up to date; run it as root.

    Finds Asterisk (plain, FreePBX, Issabel, MikoPBX), shows what it will write, and writes the dialplan, an AMI user
    with a secret of its own, prompts, settings and the systemd unit. A file that you have changed is kept; the new one
    is put beside it. In the end it starts the service, runs `callflow check`, and shows the one line that your dialplan
    needs. With `--collector` or `--web` it installs these services of a fleet too, or alone where there is no Asterisk;
    a later `install` keeps them up to date.
    Exit code 0: installed, and the check is good. 1: the check found something to fix. 2: it cannot be installed.

    Examples: callflow install --dry-run
              callflow install
              callflow install --collector --web
    """
    system = _system(root)
    started = program or (_this_program() if system.is_this_machine else SHIPPED_PROGRAM)
    refuse_home(started)
    manifest = read_manifest(system)
    asked = {COLLECTOR_UNIT: collector, WEB_UNIT: web}
    fleet = [unit for unit in FLEET_UNITS if asked[unit] or str(unit) in manifest.files]
    place = None if fleet and not has_asterisk(system) else find_asterisk(system)
    node = [] if place is None else parts(place, choose(system, place, started))
    steps = plan(system, [*node, *fleet_parts(started, fleet, beside_node=place is not None)], manifest)
    out = console()
    where = "no Asterisk" if place is None else f"{place.distribution.name} in {place.etc}, sounds in {place.sounds}"
    out.print(f"{where}; the service starts {started}\n")
    out.print(_plan_table((step.action, step.target, step.part.purpose) for step in steps))
    if dry_run:
        out.print("\nnothing was changed")
        return
    _allowed(system, yes)
    upgraded = manifest.version not in ("", __version__)
    _with_progress(carry_out(system, steps, manifest, started), steps, "installing")
    _say_what_was_kept(out, steps)
    code, services = 0, list[Done]()
    if system.is_this_machine:
        services = list(activate_fleet(fleet))
        if place is not None:
            _tell(out, activate(started, upgraded=upgraded))
            out.print()
            code = check_as_service(started)
    if place is not None:
        _say_what_is_left(out, place, steps)
    _tell(out, services)
    raise typer.Exit(min(code, 1))


def uninstall(
    dry_run: DryRun = False,
    yes: Yes = False,
    root: RootFolder = Path("/"),
    purge: Annotated[
        bool,
        typer.Option("--purge", help="Also delete files that you have changed, all records, and the user callflow."),
    ] = False,
) -> None:
    """Remove what `callflow install` has written; files that you have changed and the records stay.

    It refuses while a dialplan still sends callers to callflow, because Asterisk would hang up on them.

    Example: callflow uninstall --dry-run
    """
    system = _system(root)
    manifest = read_manifest(system)
    place = None if manifest.files and not has_asterisk(system) else find_asterisk(system)
    planned = removals(system, place, manifest)
    out = console()
    out.print(_plan_table((taken.removal, taken.path, taken.purpose) for taken in planned))
    if place is not None:
        refuse_while_callers_enter(system, place)
    if dry_run:
        out.print("\nnothing was changed")
        return
    _allowed(system, yes)
    if system.is_this_machine:
        _tell(out, deactivate())
    _with_progress(remove(system, planned, manifest, purge=purge), planned, "removing")
    if system.is_this_machine:
        _tell(out, after_removal(asterisk=place is not None))
    out.print("callflow is removed" + ("" if purge else "; its records stay in /var/lib/callflow"))


def _system(root: Path) -> Root:
    if not root.is_dir():
        raise InstallError(f"there is no folder {root}", "name the folder of a system with --root")
    return Root(root.resolve())


def _this_program() -> Path:
    beside = Path(sys.executable).parent / "callflow"
    return beside if beside.exists() else Path(sys.argv[0]).resolve()


def _allowed(system: Root, yes: bool) -> None:
    """Raises InstallError without the rights, typer.Abort if the person says no."""
    if system.is_this_machine and not may_write():
        raise InstallError("only root can do this", "run it with sudo")
    if yes:
        return
    if not sys.stdin.isatty():
        raise InstallError("nobody is here to agree to the plan", "add --yes")
    typer.confirm("\nCarry this out?", abort=True)


def _plan_table(rows: Iterable[tuple[Action | Removal, Path, str]]) -> Table:
    """One row for each path; files of one purpose in one folder are one row."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("what is done", "where", "what it is"):
        table.add_column(heading, overflow="fold")
    grouped: dict[tuple[Action | Removal, Path, str], list[Path]] = {}
    for action, path, purpose in rows:
        several = path.suffix == ".wav"
        grouped.setdefault((action, path.parent if several else path, purpose), []).append(path)
    for (action, where, purpose), paths in grouped.items():
        count = f" ({len(paths)} files)" if paths[0] != where else ""
        table.add_row(Text(action, COLOURS[action]), Text(f"{where}{count}"), Text(purpose))
    return table


def _with_progress(work: Iterable[Step] | Iterable[Taken], planned: Sized, title: str) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=len(planned))
        for _ in work:
            progress.advance(task)


def _tell(out: Console, work: Iterable[Done]) -> None:
    for done in work:
        out.print(Text(done.what + (f"; {done.remedy}" if done.remedy else ""), "yellow" if done.remedy else ""))


def _say_what_was_kept(out: Console, steps: Iterable[Step]) -> None:
    for step in steps:
        if step.action is Action.BESIDE:
            out.print(
                Text(f"{step.part.path} was changed by a person and is kept; the new one is {step.target}", "yellow")
            )


def _say_what_is_left(out: Console, place: Place, steps: Iterable[Step]) -> None:
    for line in lines_by_hand(steps):
        out.print(Text(f"\nadd to {line.path}: {line.text}\n({line.by_hand})", "yellow"))
    out.print(Text("\nOne step is left to you: ", "bold") + Text(place.distribution.last_step))
