"""Runs scenarios: their calls are placed side by side on one lab, then judged from the wire."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from callflow.installed import CHECKOUT, SOUNDS
from callflow.lab.ami import Message
from callflow.lab.caller_plan import scenario_caller
from callflow.lab.lab import Lab, open_lab
from callflow.lab.prompts import prompt_durations
from callflow.lab.screening import judge as judging
from callflow.lab.screening.judge import Observed, judge
from callflow.lab.screening.scenario import Scenario, ladder_anchors
from callflow.lab.sipp import Caller
from callflow.lab.wire import Wire
from callflow.processes.daemon import RUN_CALLFLOW, Config
from callflow.scenarios.site import PROFILES, Version

SCENARIOS = CHECKOUT / "tests" / "lab"
LAB_PROFILES: Config = {
    "leveled": {"quiet": {"gain": "agc"}},
    "patient": {"media_wait_s": 8.0},
    "untapped": {"ear": "talk_detect"},
}
SCENARIO_CONFIG: Config = {"profiles": PROFILES | LAB_PROFILES}
OnCall = Callable[[Scenario, str], None]
_SPACING_S = 0.05
_AT_ONCE = 17
"""Calls at the same time; with more, a machine with two processors is late for some."""
_STALL_S = 0.03
_LONGEST_S = 120.0
_HUNG_UP: tuple[str | None, ...] = ("silent", "quiet")
_FIRST_NUMBER = 1001


@dataclass(frozen=True)
class Outcome:
    """A scenario, its caller's number, what was seen of it, and how that disagrees with what was expected."""

    scenario: Scenario
    number: str
    seen: Observed | None
    disagreements: list[str]
    stall_s: float = 0.0
    at_first: tuple[str, ...] = ()
    """The disagreements of the call before this one, if the scenario was placed twice."""

    @property
    def harmed(self) -> bool:
        """A caller who should have reached a person was hung up on."""
        ended = self.seen.result if self.seen else None
        return ended in _HUNG_UP and self.scenario.expect.result not in _HUNG_UP

    @property
    def excusable(self) -> bool:
        """The machine may be the cause: it stalled, or was late in a call that harmed nobody."""
        return not self.passed and (self.stall_s > _STALL_S or not self.harmed)

    @property
    def passed(self) -> bool:
        return not self.disagreements

    @property
    def reaction_s(self) -> float | None:
        """From the caller's first sign of life to the end of the prompt it cut short."""
        return judging.reaction(self.seen) if self.seen else None


@asynccontextmanager
async def screened_lab(
    version: Version, sounds: Path = SOUNDS, command: Sequence[str] = RUN_CALLFLOW, changes: Config | None = None
) -> AsyncIterator[Lab]:
    """A lab whose daemon is running with the scenarios' profiles. Raises LabError."""
    async with open_lab(version, sounds) as lab:
        await lab.start_daemon(SCENARIO_CONFIG | (changes or {}), command)
        yield lab


async def run_scenarios(
    lab: Lab, scenarios: Sequence[Scenario], on_call: OnCall = lambda scenario, number: None
) -> list[Outcome]:
    """Place every scenario's call, many at once; outcomes in the same order. `on_call` receives each caller's number.

    A scenario that failed is placed once more, for the machine may have been late; `Outcome.at_first` says what failed.
    A caller who was hung up on although a person should have answered is excused by a stall alone.
    """
    numbered = {str(number): scenario for number, scenario in enumerate(scenarios, _FIRST_NUMBER)}
    outcomes: list[Outcome] = []
    numbers = list(numbered)
    for first in range(0, len(numbers), _AT_ONCE):
        some = {number: numbered[number] for number in numbers[first : first + _AT_ONCE]}
        outcomes += await _run_once(lab, some, on_call)
    if again := {o.number: o for o in outcomes if o.excusable}:
        second = await _run_once(lab, {number: outcome.scenario for number, outcome in again.items()}, on_call)
        told = {one.number: replace(one, at_first=tuple(again[one.number].disagreements)) for one in second}
        return [told.get(outcome.number, outcome) for outcome in outcomes]
    return outcomes


async def _run_once(lab: Lab, scenarios: Mapping[str, Scenario], on_call: OnCall) -> list[Outcome]:
    callers = [_caller(lab, scenario, number) for number, scenario in scenarios.items()]
    events_before = len(lab.asterisk.ami.events)
    async with lab.capture() as capture:
        processes = []
        for scenario, caller in zip(scenarios.values(), callers, strict=True):
            on_call(scenario, caller.number)
            processes.append(await lab.call(caller))
            await asyncio.sleep(_SPACING_S)
        await asyncio.gather(*(process.wait(_LONGEST_S) for process in processes))
    wire = lab.read(capture)
    told = [event for event in lab.asterisk.ami.events[events_before:] if event["Event"] == "UserEvent"]
    return [_outcome(lab, *pair, wire, told) for pair in zip(scenarios.values(), callers, strict=True)]


def _caller(lab: Lab, scenario: Scenario, number: str) -> Caller:
    prompts = lab.sounds / _spoken_language(scenario) / "callflow"
    anchors = ladder_anchors(scenario, prompt_durations(prompts))
    return scenario_caller(scenario, anchors, number, lab.voice, prompts, lab.work / "audio")


def _outcome(lab: Lab, scenario: Scenario, caller: Caller, wire: Wire, told: Sequence[Message]) -> Outcome:
    try:
        call = wire.one(caller.number)
    except LookupError as error:
        return Outcome(scenario, caller.number, None, [str(error)], wire.longest_stall_s)
    mine = [event for event in told if event.get("Number") == caller.number]
    seen = Observed(
        call=call,
        spoken=lab.prompts(_spoken_language(scenario)).spoken(call.received),
        result=next((event["Result"] for event in mine), None),
        traces=frozenset(event["UserEvent"].removeprefix("Lab").lower() for event in mine),
    )
    return Outcome(scenario, caller.number, seen, judge(scenario, seen), wire.longest_stall_s)


def _spoken_language(scenario: Scenario) -> str:
    return scenario.expect.language or scenario.language
