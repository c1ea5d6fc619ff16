"""Chaos: a real daemon, as a process, beside a pretend Asterisk, over connections with many faults at once.

The pretend Asterisk knows what its callers did, the database knows what the daemon recorded. `audit` compares the two:
no caller who was there was hung up on, no call was stuck, and every call is recorded exactly once.
"""

import asyncio
import json
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from callflow.core.profile import SILENT_LADDER
from callflow.core.screening.states import Result
from callflow.processes.daemon import Daemon
from callflow.processes.ports import take_ports
from callflow.scenarios.errors import SimulationFailed
from callflow.scenarios.site import daemon_config
from callflow.simulator.pretend.report import Outcome, Status, read_line

LAST_PROMPT = SILENT_LADDER.rungs[-1].prompt
CERTAIN_S = 0.1
"""A sound that begins later than this before the hang-up may have no event yet: TALK_DETECT needs a few frames."""
SAVED_WITHIN_S = 0.3
"""A call that arrives less than this before a kill may be missing in the database."""
LONGEST_S = 40.0
"""A longer screening is stuck: the ladder takes 25 s, a stalled connection is given up after 4 s."""
ANY_RECORD = frozenset({Result.UNAVAILABLE, Result.TAKEN, Result.HANGUP})
"""Results in Asterisk that agree with any record: the daemon's answer was lost, or the caller hung up first."""
_TAPS = 200
"""Every caller is tapped: without a tap an Asterisk 22 gives no evidence, and no call ends as silent."""
_LINE_LIMIT = 1 << 20
_PATIENCE_S = 90.0


@dataclass(frozen=True, slots=True)
class Row:
    """A call as the database has it."""

    uniqueid: str
    result: str | None
    ended: bool
    interrupted: bool


@dataclass
class ChaosRun:
    """One run: its calls, its records, its kills and faults."""

    outcomes: list[Outcome] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    killed_s: list[float] = field(default_factory=list)
    """When the daemon was killed, on the pretend Asterisk's clock."""
    lasted_s: float = 0.0
    done: bool = False
    struck: dict[str, int] = field(default_factory=dict)
    """How often each fault struck."""
    daemon_log: str = ""

    @property
    def tally(self) -> Counter[str]:
        """Calls by CALLFLOW_RESULT, as the dialplan had it."""
        return Counter(outcome.result or "lost" for outcome in self.outcomes)


async def run_chaos(scenario: Path, faults: Path, folder: Path, kill_at_s: Sequence[float] = ()) -> ChaosRun:
    """Play the scenario with these faults; kill the daemon with -9 at these times and start it again at once.

    Raises SimulationFailed when a program does not come up or does not end.
    """
    with take_ports() as block:
        ami, agi = block.named(), block.named()
        database = folder / "callflow.db"
        daemon = Daemon(folder, daemon_config(ami, agi, database, taps=_TAPS))
        arguments = [str(scenario), "--ami-port", str(ami), "--agi-port", str(agi), "--faults", str(faults)]
        pretend = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "callflow.simulator.pretend", *arguments, "--start", "stdin"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=_LINE_LIMIT,
        )
        try:
            await daemon.start()
            run = await _follow(pretend, daemon, kill_at_s)
        finally:
            if pretend.returncode is None:
                pretend.kill()
            await pretend.wait()
            if daemon.running:
                await daemon.stop()
    run.rows = read_rows(database)
    run.daemon_log = daemon.log.read_text(errors="replace")
    return run


async def _follow(pretend: asyncio.subprocess.Process, daemon: Daemon, kill_at_s: Sequence[float]) -> ChaosRun:
    run = ChaosRun()
    if pretend.stdin is None or pretend.stdout is None:
        raise SimulationFailed("the pretend Asterisk has no pipes")
    pretend.stdin.write(b"begin\n")
    began = time.monotonic()
    killing = asyncio.create_task(_kill(daemon, kill_at_s, began, run))
    try:
        async with asyncio.timeout(_PATIENCE_S + max(kill_at_s, default=0.0)):
            async for raw in pretend.stdout:
                line = raw.decode(errors="replace")
                if line.startswith('{"kind": "faults"'):
                    run.struck = json.loads(line)["struck"]
                match read_line(line):
                    case Outcome() as outcome:
                        run.outcomes.append(outcome)
                    case Status() as status:
                        run.lasted_s, run.done = status.now_s, status.done
    except TimeoutError:
        pass  # told by `done`
    finally:
        killing.cancel()
        with suppress(asyncio.CancelledError):
            await killing
    return run


async def _kill(daemon: Daemon, kill_at_s: Sequence[float], began: float, run: ChaosRun) -> None:
    for at_s in kill_at_s:
        await asyncio.sleep(max(0.0, began + at_s - time.monotonic()))
        run.killed_s.append(time.monotonic() - began)
        await daemon.kill()
        await daemon.start()


def read_rows(database: Path) -> list[Row]:
    """Every call of a database, without the daemon's own test calls."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as opened:
        rows = opened.execute("select uniqueid, result, ended_ms is not null, interrupted from calls")
        return [Row(uniqueid, result, bool(ended), bool(broken)) for uniqueid, result, ended, broken in rows]


# -- the audit --------------------------------------------------------------------------------------------------------


def audit(run: ChaosRun) -> list[str]:
    """Every violation, one sentence each; empty if there is none."""
    found = [] if run.done else ["the run did not end: a call is stuck"]
    found += [line for outcome in run.outcomes for line in (*_wrong_hang_ups(outcome), *_stuck(outcome))]
    return found + list(_accounts(run))


def _wrong_hang_ups(outcome: Outcome) -> Iterator[str]:
    """The pretend Asterisk knows when the caller first spoke or pressed a key; only a silent one may be hung up on."""
    if outcome.result != Result.SILENT:
        return
    last = next((prompt.started_s for prompt in outcome.prompts if prompt.name == LAST_PROMPT), None)
    ended_s = outcome.screened_s if outcome.screened_s is not None else outcome.ended_s
    if last is None:
        yield f"{_label(outcome)} was hung up on without a goodbye"
    if outcome.life_s is not None and outcome.life_s < ended_s - CERTAIN_S:
        yield f"{_label(outcome)} was there at {outcome.life_s:.2f} s and was hung up on at {ended_s:.2f} s"


def _stuck(outcome: Outcome) -> Iterator[str]:
    if outcome.answered_s is None or outcome.screened_s is None:
        return
    if (took_s := outcome.screened_s - outcome.answered_s) > LONGEST_S:
        yield f"{_label(outcome)} was held for {took_s:.1f} s"


def _accounts(run: ChaosRun) -> Iterator[str]:
    """Each call must be there once on both sides, with the same result."""
    rows = Counter(row.uniqueid for row in run.rows)
    yield from (f"call {uniqueid} is in the database {number} times" for uniqueid, number in rows.items() if number > 1)
    told = Counter(outcome.index for outcome in run.outcomes)
    yield from (f"call {index} ended {number} times" for index, number in told.items() if number > 1)
    by_uniqueid = {row.uniqueid: row for row in run.rows}
    for outcome in run.outcomes:
        yield from _account(outcome, by_uniqueid.pop(outcome.uniqueid, None), run.killed_s)
    yield from (f"call {uniqueid} is in the database, but was never placed" for uniqueid in by_uniqueid)


def _account(outcome: Outcome, row: Row | None, killed_s: Iterable[float]) -> Iterator[str]:
    if row is None:
        if outcome.result not in (None, Result.UNAVAILABLE, Result.OFF) and not _just_before(outcome, killed_s):
            yield f"{_label(outcome)} is {outcome.result} in Asterisk, and not in the database"
    elif not row.ended or row.result is None:
        yield f"{_label(outcome)} has no end in the database"
    elif outcome.result is not None and row.result != outcome.result and outcome.result not in ANY_RECORD:
        yield f"{_label(outcome)} is {outcome.result} in Asterisk and {row.result} in the database"


def _just_before(outcome: Outcome, killed_s: Iterable[float]) -> bool:
    return any(0 <= at_s - (outcome.answered_s or outcome.placed_s) <= SAVED_WITHIN_S for at_s in killed_s)


def _label(outcome: Outcome) -> str:
    return f"call {outcome.index} ({outcome.caller}, {outcome.uniqueid})"
