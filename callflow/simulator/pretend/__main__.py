"""`python -m callflow.simulator.pretend SCENARIO --ami-port P --agi-port Q`: a pretend Asterisk on loopback.

Prints JSON lines (see report.py): one for each call that has ended, and how things stand at most ten times a second.
Ends with 0 when all calls have ended, with 2 and one sentence for what only the user can mend.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from callflow.runtime.pauses import keep_pauses_short
from callflow.scenarios.errors import ScenarioError, SimulationFailed
from callflow.scenarios.faults import read_faults
from callflow.scenarios.scenario import Scenario, read_scenario
from callflow.simulator.fault_proxy import FaultProxy
from callflow.simulator.pretend.ami_server import User
from callflow.simulator.pretend.asterisk import PretendAsterisk, on_first_listener
from callflow.simulator.pretend.clock import VirtualLoop
from callflow.simulator.pretend.flavour import FLAVOURS
from callflow.simulator.pretend.report import STATUS_EVERY_S, Outcome, line
from callflow.simulator.pretend.world import Places

_SETTLE_S = 1.0
SWEPT_S = 120.0
"""A call that is over leaves 70 kB of cycles (bench_soak, 20 calls a second: 2.7 GB in half an hour without this)."""


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m callflow.simulator.pretend", description=__doc__)
    parser.add_argument("scenario", type=Path)
    parser.add_argument("--ami-port", type=int, required=True, help="where AMI listens (0: any free port)")
    parser.add_argument("--agi-port", type=int, required=True, help="where the daemon's FastAGI listens")
    parser.add_argument("--agi-script", default="screen", help="path in the FastAGI address: screen or TOKEN/screen")
    parser.add_argument("--asterisk", choices=sorted(FLAVOURS), default="22", help="the release to be like")
    parser.add_argument("--username", default="callflow")
    secret = os.environ.get("CALLFLOW_AMI__SECRET", "change-me")  # not on the command line, where everybody reads it
    parser.set_defaults(secret=secret)
    parser.add_argument("--sounds", type=Path, help="the sounds folder; default: the project's prompts")
    parser.add_argument(
        "--start", choices=("login", "now", "stdin"), default="login",
        help="when the calls begin: a second after the first login, at once, or at a line on standard input",
    )  # fmt: skip
    parser.add_argument("--stay", action="store_true", help="go on serving when all calls have ended, until SIGTERM")
    parser.add_argument("--clock", choices=("real", "virtual"), default="real", help="virtual: jump over every wait")
    parser.add_argument("--faults", type=Path, help="a file of faults (see callflow/simulator/faults.py)")
    return parser.parse_args(argv)


async def serve(options: argparse.Namespace, scenario: Scenario) -> None:
    """Run one pretend Asterisk to its end. Raises ScenarioError."""
    out = _Printer()
    faults = (*scenario.faults, *(read_faults(options.faults).faults if options.faults else ()))
    async with FaultProxy(faults, scenario.seed) as proxy:
        line = await _listen(proxy, "agi", 0, options.agi_port) if faults else 0
        asterisk = PretendAsterisk(
            scenario,
            Places(options.agi_port, agi_line=line, agi_script=options.agi_script),
            flavour=FLAVOURS[options.asterisk],
            sounds=options.sounds,
            users={options.username: User(options.secret)},
            on_outcome=out.tell,
        )
        try:
            await _open(asterisk, proxy if faults else None, options.ami_port, out)
            if options.clock == "real":
                keep_pauses_short(asterisk.done.is_set, SWEPT_S)
            _begin(asterisk, options.start)
            await _report(asterisk, out, _stopped(), stay=options.stay)
            if faults:
                out.write(json.dumps({"kind": "faults", "struck": dict(proxy.struck)}) + "\n")
                out.flush()
        finally:
            asterisk.close()


async def _open(asterisk: PretendAsterisk, proxy: FaultProxy | None, port: int, out: "_Printer") -> None:
    """Listen for AMI, behind the fault proxy if there are faults."""
    try:
        await asterisk.start(0 if proxy else port)
    except OSError as error:
        raise _taken(port, error) from None
    shown = asterisk.ami.port
    if proxy is not None:
        proxy.on_restart = asterisk.restart
        proxy.on_jump = asterisk.step_clock
        asterisk.on_begin = proxy.begin
        shown = await _listen(proxy, "ami", port, asterisk.ami.port)
    out.write(f'{{"kind":"listening","ami_port":{shown}}}\n')
    out.flush()


async def _listen(proxy: FaultProxy, kind: Literal["ami", "agi"], port: int, target: int) -> int:
    try:
        return await proxy.listen(kind, port, target)
    except OSError as error:
        raise _taken(port, error) from None


def _taken(port: int, error: OSError) -> SimulationFailed:
    remedy = "end the other program, or choose another port"
    return SimulationFailed(f"port {port} cannot be had: {error.strerror}", remedy)


def _stopped() -> asyncio.Event:
    """Set by SIGTERM or SIGINT."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    return stopped


def _begin(asterisk: PretendAsterisk, start: str) -> None:
    match start:
        case "now":
            asterisk.begin()
        case "login":
            on_first_listener(asterisk, _SETTLE_S)
        case "stdin":
            loop = asyncio.get_running_loop()

            def told() -> None:
                loop.remove_reader(sys.stdin.fileno())
                if os.read(sys.stdin.fileno(), 1024):
                    asterisk.begin()

            loop.add_reader(sys.stdin.fileno(), told)


async def _report(asterisk: PretendAsterisk, out: "_Printer", stopped: asyncio.Event, *, stay: bool) -> None:
    said_done = False
    while not stopped.is_set():
        if failures := asterisk.world.failures:
            raise SimulationFailed(str(failures[0]), "docs/simulator.md names what a dialplan of its own can use")
        done = asterisk.done.is_set()
        if not said_done:
            out.write(line(asterisk.status()))
        said_done = done
        out.flush()
        if done and not stay:
            return
        await asyncio.sleep(STATUS_EVERY_S)
    out.write(line(asterisk.status()))
    out.flush()


class _Printer:
    """Collects lines for standard output and writes them in one go; a reader who has gone is ignored."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def tell(self, outcome: Outcome) -> None:
        """Add the outcome of a call."""
        self.write(line(outcome))

    def write(self, text: str) -> None:
        self._lines.append(text)

    def flush(self) -> None:
        """Print the collected lines."""
        text, self._lines = "".join(self._lines), []
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def loop_factory(clock: str) -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The event loop for a clock: uvloop's where it is installed."""
    if clock == "virtual":
        return VirtualLoop
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    options = arguments(argv)
    try:
        scenario = read_scenario(options.scenario)
        with asyncio.Runner(loop_factory=loop_factory(options.clock)) as runner:
            runner.run(serve(options, scenario))
    except ScenarioError as error:
        print(f"{error.problem}\nremedy: {error.remedy}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
