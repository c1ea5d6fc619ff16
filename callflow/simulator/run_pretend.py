"""A scenario on the pretend Asterisk, which is a process of its own, with a daemon beside it as another."""

import asyncio
import os
import shutil
import sys
import tempfile
import tomllib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import tomli_w

from callflow.processes.daemon import Daemon
from callflow.processes.ports import take_ports
from callflow.scenarios.daemon_view import DaemonView
from callflow.scenarios.errors import SimulationFailed
from callflow.scenarios.live import FEW
from callflow.scenarios.scenario import Scenario
from callflow.scenarios.schedule import expected_calls
from callflow.scenarios.seen import HeardPrompt, SeenCall
from callflow.scenarios.settling import commands_run, merged, settled
from callflow.scenarios.site import AMI_SECRET, AMI_USER, MOST_TAPS, UNTAPPED_FROM, Version, daemon_config
from callflow.scenarios.tally import Progress, Run
from callflow.simulator.pretend.report import Outcome, Status, read_line
from callflow.web.tokens import Role, TokenFile

_LINE_LIMIT = 1 << 20
_STOP_S = 5.0
_ERRORS = "pretend.err"


@dataclass(frozen=True)
class PretendOptions:
    """Options of the pretend Asterisk: the release it imitates, a file of faults, and its ports."""

    like: Version = "22"
    faults: Path | None = None
    ami_port: int = 0
    agi_port: int = 0
    agi_script: str = "screen"
    username: str = AMI_USER
    secret: str = AMI_SECRET

    def command_line(self) -> list[str]:
        """The same as arguments of its command."""
        ports = ["--ami-port", str(self.ami_port), "--agi-port", str(self.agi_port), "--agi-script", self.agi_script]
        faults = ["--faults", str(self.faults)] if self.faults else []
        return [*ports, "--asterisk", self.like, "--username", self.username, *faults]


async def run_pretend(run: Run, file: Path, options: PretendOptions, keep: Path | None = None) -> None:
    """Play the scenario with a daemon of its own; database, settings and logs stay in `keep`, if it is given.

    Raises LabError, SimulationFailed.
    """
    many = expected_calls(run.scenario) > UNTAPPED_FROM
    with take_ports() as ports, _folder(keep) as folder:
        options = replace(options, ami_port=ports.named(), agi_port=ports.named())
        config = daemon_config(
            options.ami_port,
            options.agi_port,
            folder / "callflow.db",
            "warning" if many else "info",
            taps=0 if many else MOST_TAPS,
        )
        config = merged(config, run.scenario.settings)
        if run.stay is not None:
            config["web"] = {"port": ports.named()}
        daemon = Daemon(folder, config, _command("callflow", "run", "--config"))
        stays = run.scenario.has_aftercare or bool(run.scenario.commands)
        async with _pretend(_seeded(run, file, folder), options, folder, "stdin", stays=stays) as process:
            try:
                await daemon.start()
                if expected_calls(run.scenario) <= FEW:
                    run.daemon = DaemonView(daemon.database, 0)
                _begin(process)
                async with commands_run(run, daemon.work / "callflow.toml"):
                    uniqueids = await _follow(run, process, folder)
                if stays:
                    await settled(run, DaemonView(daemon.database, 0), uniqueids)
                    _still_there(process, folder)
                if run.stay is not None:
                    if run.hide is not None:
                        await run.hide()
                    await run.stay(_page_of(daemon))
            finally:
                if daemon.running:
                    await daemon.stop()
        if not many:
            run.heard = DaemonView(daemon.database, 0).heard()


def _page_of(daemon: Daemon) -> str:
    """The address of the daemon's page, with a token that lasts as long as the run's folder."""
    tokens = TokenFile(daemon.database.with_name("web-tokens.json"))
    _, secret = tokens.add("simulate", Role.ADMIN)
    return f"http://127.0.0.1:{daemon.config['web']['port']}/#token={secret}"


async def run_pretend_alone(run: Run, file: Path, options: PretendOptions) -> None:
    """Play the scenario for a daemon that the user runs, a second after it has logged in. Raises SimulationFailed."""
    with _folder(None) as folder:
        async with _pretend(_seeded(run, file, folder), options, folder, "login") as process:
            await _follow(run, process, folder)


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="callflow-simulate-") as made:
            yield Path(made)
        return
    try:
        keep.mkdir(parents=True, exist_ok=True)
        used = (keep / "callflow.db").exists()
    except OSError as error:
        raise SimulationFailed(f"{keep} cannot be used: {error.strerror}", "name another folder with --keep") from None
    if used:
        raise SimulationFailed(f"{keep} has the database of another run in it", "name an empty folder with --keep")
    yield keep.absolute()


def _seeded(run: Run, file: Path, folder: Path) -> Path:
    """The file, or a copy of it with the seed of this run."""
    data = tomllib.loads(file.read_text("utf-8"))
    if data.get("seed", Scenario.model_fields["seed"].default) == run.scenario.seed:
        return file
    copy = folder / file.name
    copy.write_text(tomli_w.dumps(data | {"seed": run.scenario.seed}), "utf-8")
    return copy


def _command(module: str, *arguments: str) -> list[str]:
    """A command for one of our Python programs; the program ends when this process ends."""
    leash = ["setpriv", "--pdeathsig", "KILL", "--"] if shutil.which("setpriv") else []
    return [*leash, sys.executable, "-m", module, *arguments]


@asynccontextmanager
async def _pretend(
    file: Path, options: PretendOptions, folder: Path, start: str, *, stays: bool = False
) -> AsyncIterator[asyncio.subprocess.Process]:
    """The process of the pretend Asterisk; `start` says when its calls begin, `stays` that it serves on after them."""
    stay = ["--stay"] if stays else []
    command = _command("callflow.simulator.pretend", str(file), *options.command_line(), "--start", start, *stay)
    with (folder / _ERRORS).open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            limit=_LINE_LIMIT,
            env=os.environ | {"CALLFLOW_AMI__SECRET": options.secret},
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), _STOP_S)
            except TimeoutError:
                process.kill()
                await process.wait()


def _begin(process: asyncio.subprocess.Process) -> None:
    if process.stdin is not None:
        process.stdin.write(b"begin\n")


async def _follow(run: Run, process: asyncio.subprocess.Process, folder: Path) -> dict[str, list[str]]:
    """Read what the pretend Asterisk prints until every call has ended; Uniqueids by group, where ratings are judged.

    Raises SimulationFailed.
    """
    reader = _OutcomeReader(run)
    if process.stdout is not None:
        async for line in process.stdout:
            reader.take(line.decode(errors="replace"))
            if reader.done:
                return reader.uniqueids
    await process.wait()
    raise _ended_early(process, folder)


def _still_there(process: asyncio.subprocess.Process, folder: Path) -> None:
    """Raises SimulationFailed if the pretend Asterisk has ended because it cannot do something."""
    if process.returncode is not None:
        raise _ended_early(process, folder)


def _ended_early(process: asyncio.subprocess.Process, folder: Path) -> SimulationFailed:
    said = (folder / _ERRORS).read_text(errors="replace").strip().splitlines()[-3:]
    problem = f"the pretend Asterisk ended too early, with code {process.returncode}: {' / '.join(said)}"
    return SimulationFailed(problem, "run it alone to see more: python -m callflow.simulator.pretend --help")


class _OutcomeReader:
    """Counts every call once, and judges it by what its group expects."""

    def __init__(self, run: Run) -> None:
        self.done = False
        self._run = run
        self._expected = {caller.name: caller.expect for caller in run.scenario.callers}
        self._counted = bytearray()
        self.uniqueids: dict[str, list[str]] = {}
        """Of the calls that have ended, by group; of groups whose ratings are judged."""

    def take(self, line: str) -> None:
        """Take one line that the pretend Asterisk printed."""
        match read_line(line):
            case Outcome() as outcome:
                if self._expected[outcome.caller].after_the_call:
                    self.uniqueids.setdefault(outcome.caller, []).append(outcome.uniqueid)
                self._run.tally.add(self._judged(outcome))
            case Status() as status:
                self._run.progress = Progress(status.now_s, status.placed, status.ended, status.in_progress)
                self._run.tally.placed, self._run.tally.lasted_s = status.placed, status.now_s
                self.done = status.done

    def _judged(self, outcome: Outcome) -> SeenCall:
        seen = seen_of(outcome).judge(self._expected[outcome.caller])
        if outcome.index >= len(self._counted):
            self._counted.extend(bytes(outcome.index + 1 - len(self._counted)))
        self._counted[outcome.index] += 1
        return seen if self._counted[outcome.index] == 1 else seen.with_disagreements(["this call ended twice"])


def seen_of(outcome: Outcome) -> SeenCall:
    """The call of an outcome that the pretend Asterisk printed."""
    return SeenCall(
        caller=outcome.caller,
        number=outcome.number,
        index=outcome.index,
        result=outcome.result,
        prompts=tuple(HeardPrompt(prompt.name, prompt.cut) for prompt in outcome.prompts),
        ended_by=outcome.ended_by,
        agent=outcome.agent,
        reaction_s=outcome.reaction_s,
    )
