"""Accounts for every planned call of the soak: it is in the database once, and has ended there."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from callflow.scenarios.scenario import read_scenario
from callflow.scenarios.schedule import schedule
from callflow.simulator.pretend.report import Outcome
from tests.labs import rows

NOTED_WITHIN_S = 30.0
"""A call that the daemon did not see is in the database when it has read Asterisk's note of it."""
LOOK_S = 0.5


@dataclass(frozen=True, slots=True)
class Placed:
    """What the account needs of a call that was placed."""

    index: int
    number: str
    caller: str
    uniqueid: str
    result: str

    @classmethod
    def of(cls, outcome: Outcome) -> "Placed":
        return cls(outcome.index, outcome.number, outcome.caller, outcome.uniqueid, outcome.result or "no result")


async def recorded(database: Path, placed: Iterable[Placed]) -> None:
    """Wait until every call that was placed is in the database, but not for ever."""
    wanted, until = {call.uniqueid for call in placed}, time.monotonic() + NOTED_WITHIN_S
    while time.monotonic() < until and wanted - await asyncio.to_thread(_in_database, database):  # noqa: ASYNC110 - another process writes it
        await asyncio.sleep(LOOK_S)


def _in_database(database: Path) -> set[str]:
    return {str(row["uniqueid"]) for row in rows(database, "select uniqueid from calls where ended_ms is not null")}


def unaccounted(scenario: Path, placed: Iterable[Placed], database: Path) -> Iterator[str]:
    """What is not as planned, one sentence for each call."""
    stored = rows(database, "select uniqueid, ended_ms is not null, caller_number from calls")
    planned = {call.index: (call.number, call.caller.name) for call in schedule(read_scenario(scenario))}
    yield from differences(planned, list(placed), [(row[0], row[1], row[2]) for row in stored])


def differences(
    planned: dict[int, tuple[str, str]], placed: list[Placed], found: list[tuple[str, int, str]]
) -> Iterator[str]:
    """The same, from calls by index, those that have ended, and rows: Uniqueid, whether it has ended, number."""
    times = Counter(call.index for call in placed)
    for index, (number, caller) in planned.items():
        if times[index] != 1:
            yield f"call {index} of {number} ({caller}) was planned, and ended {times[index]} times"
    stored, ended = Counter(uniqueid for uniqueid, _, _ in found), {uniqueid for uniqueid, over, _ in found if over}
    for call in placed:
        label = f"call {call.index} of {call.number} ({call.caller}, {call.uniqueid}, {call.result})"
        if stored[call.uniqueid] != 1:
            yield f"{label} is in the database {stored[call.uniqueid]} times"
        elif call.uniqueid not in ended:
            yield f"{label} has no end in the database"
    known = {call.uniqueid for call in placed}
    for uniqueid, _, number in found:
        if uniqueid not in known:
            yield f"call {uniqueid} of {number} is in the database, and was not planned"
