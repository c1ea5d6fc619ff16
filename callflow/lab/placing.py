"""Placing calls with SIPp when they are due: real SIP and RTP, one process for each call."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from callflow.lab.caller_plan import plan_caller, with_audio
from callflow.lab.prompts import prompt_durations
from callflow.lab.sipp import Caller
from callflow.processes.process import Process
from callflow.scenarios.behaviour import ladder_anchors
from callflow.scenarios.errors import SimulationFailed
from callflow.scenarios.scenario import CallerGroup, Scenario
from callflow.scenarios.schedule import PlannedCall, schedule
from callflow.scenarios.tally import Run
from callflow.sound.mulaw import Samples

MOST_PER_S = 5.0
FALLBACK_LANGUAGE = "en"
_LONGEST_S = 600.0
_STATES_EVERY_S = 0.5

Place = Callable[[PlannedCall], Awaitable[Process]]
Placed = tuple[PlannedCall, Process]


def check_possible(scenario: Scenario) -> None:
    """Refuse what only the pretend Asterisk can do. Raises SimulationFailed."""
    if scenario.faults:
        raise SimulationFailed(f"{scenario.name} has faults in it; a real Asterisk has none", "use --pretend")
    rate = sum(
        caller.rate_per_s or max(caller.per_hour or (0,)) / 3600 for caller in scenario.callers if caller.at_s is None
    )
    if rate > MOST_PER_S:
        problem = f"{scenario.name} has {rate:g} calls per second; real callers come at {MOST_PER_S:g} at most"
        raise SimulationFailed(problem, "use --pretend, or lower rate_per_s")


async def place_all(run: Run, place: Place) -> list[Placed]:
    """Place every call when it is due, and wait until all have ended."""
    began = time.monotonic()
    placed: list[Placed] = []
    watching = asyncio.create_task(_watch(run, placed, began))
    try:
        for planned in schedule(run.scenario):
            await asyncio.sleep(planned.at_s - (time.monotonic() - began))
            placed.append((planned, await place(planned)))
        await asyncio.gather(*(process.wait(_LONGEST_S + 60) for _, process in placed))
    finally:
        watching.cancel()
    _look(run, placed, began)
    run.tally.placed, run.tally.lasted_s = len(placed), time.monotonic() - began
    return placed


async def _watch(run: Run, placed: list[Placed], began: float) -> None:
    while True:
        _look(run, placed, began)
        await asyncio.sleep(_STATES_EVERY_S)


def _look(run: Run, placed: list[Placed], began: float) -> None:
    progress = run.progress
    progress.now_s, progress.placed = time.monotonic() - began, len(placed)
    progress.ended = sum(not process.running for _, process in placed)
    progress.in_progress = {"on the line": progress.placed - progress.ended}


class CallerFactory:
    """Makes the SIPp caller of each planned call; the callers of one group share one audio file."""

    def __init__(self, folder: Path, sounds: Path, voice: Samples) -> None:
        self._folder, self._sounds, self._voice = folder, sounds, voice
        self._of_group: dict[str, Caller] = {}

    def caller(self, planned: PlannedCall, entry: str | None = None, address: str | None = None) -> Caller:
        """The caller of one call; `entry` is dialled and `address` called from, where they are given."""
        group = planned.caller
        made = self._of_group.get(group.name) or self._make(group)
        return replace(
            made,
            number=planned.number,
            name=planned.name,
            entry=entry or group.entry,
            address=address or made.address,
        )

    def _make(self, group: CallerGroup) -> Caller:
        anchors = ladder_anchors(group.media, prompt_durations(self._sounds / self.language(group) / "callflow"))
        stays_s = None if group.stays_s is None else min(group.stays_s, _LONGEST_S)
        plan = plan_caller(group.does, group.media, anchors, stays_s)
        made = with_audio(plan, Caller("", group.entry), self._voice, self._folder / group.name)
        self._of_group[group.name] = made
        return made

    def language(self, group: CallerGroup) -> str:
        """The language in which the group hears prompts."""
        return group.language if (self._sounds / group.language / "callflow").is_dir() else FALLBACK_LANGUAGE
