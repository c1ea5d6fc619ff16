"""Beside and after the calls of a run: commands of callflow, and the wait until call-backs and ratings are settled."""

import asyncio
import shlex
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from callflow.scenarios.aftercare import CommandRun, disagreements
from callflow.scenarios.daemon_view import DaemonView
from callflow.scenarios.tally import Run

_LOOK_S = 0.2


def merged(config: dict[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with those of a scenario in them, key by key."""
    result = dict(config)
    for name, value in own.items():
        known = result.get(name)
        result[name] = merged(known, value) if isinstance(known, dict) and isinstance(value, dict) else value
    return result


@asynccontextmanager
async def commands_run(run: Run, settings: Path) -> AsyncIterator[None]:
    """Run the scenario's commands at their times while the body runs; at its end all of them have ended."""
    running = [asyncio.create_task(_run(run, command, settings)) for command in run.scenario.commands]
    try:
        yield
        await asyncio.gather(*running)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _run(run: Run, command: CommandRun, settings: Path) -> None:
    await asyncio.sleep(command.at_s)
    program = (sys.executable, "-m", "callflow", "-c", str(settings), *shlex.split(command.run))
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*program, stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=pipe)
    try:
        _, said = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if process.returncode != command.exit_code:
        last = said.decode(errors="replace").strip().splitlines()[-1:]
        ended = f"callflow {command.run}: exit code {process.returncode}, expected {command.exit_code}"
        run.tally.wrong_after.append(": ".join((ended, *last)))


async def settled(run: Run, daemon: DaemonView, uniqueids: Mapping[str, Sequence[str]]) -> None:
    """Wait until call-backs and ratings are as expected, at most `settle_s`; the run's tally says what they are."""
    scenario, clock = run.scenario, asyncio.get_running_loop().time
    groups = [(caller.name, caller.expect, uniqueids.get(caller.name, ())) for caller in scenario.callers]
    until = clock() + scenario.settle_s
    while True:
        seen = await asyncio.to_thread(daemon.aftercare)
        wrong = disagreements(seen, scenario.callbacks, groups)
        if not wrong or clock() >= until:
            break
        await asyncio.sleep(_LOOK_S)
    run.tally.aftercare = seen
    run.tally.wrong_after += wrong
