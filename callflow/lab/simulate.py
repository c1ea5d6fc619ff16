"""A scenario on a real Asterisk: one of the lab, judged from the wire, or the one of the settings."""

import asyncio
import math
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from callflow.installed import SOUNDS
from callflow.lab.host import Host, PlainHost
from callflow.lab.lab import Lab, open_lab
from callflow.lab.placing import CallerFactory, Placed, check_possible, place_all
from callflow.lab.roots import TOOLS_VERSION, asterisk_root
from callflow.lab.scenario_site import asterisk_additions, called_otherwise, check_lab_has, entry_of, phones_of
from callflow.lab.screening.judge import Observed, judge
from callflow.lab.screening.scenario import Expectation
from callflow.lab.screening.scenario import Scenario as LabScenario
from callflow.lab.screening.seen import seen_call
from callflow.lab.sipp import Sipp
from callflow.lab.sipp_agents import Agents
from callflow.lab.wire import WireCall
from callflow.processes.ports import LOOPBACK, PortBlock, take_ports
from callflow.processes.process import LAB_FOLDER
from callflow.scenarios.daemon_view import DaemonView
from callflow.scenarios.errors import SimulationFailed
from callflow.scenarios.scenario import AgentGroup, CallerGroup, Scenario
from callflow.scenarios.schedule import PlannedCall
from callflow.scenarios.seen import SeenCall
from callflow.scenarios.settling import commands_run, merged, settled
from callflow.scenarios.site import PROFILES, Version
from callflow.scenarios.tally import Run
from callflow.settings.model import Settings
from callflow.sound.audio import read_wav
from callflow.sound.mulaw import Samples

_STALL_S = 0.08
_LONGEST_S = 86_400.0
_SAVED_S = 0.5
_UNRECORDED = ("off", "unavailable")


async def run_on_lab(run: Run, version: Version) -> None:
    """Place the calls on an Asterisk of the lab with a daemon of its own. Raises LabError, SimulationFailed.

    A call that disagrees while the machine stalled is placed once more, unless the call-back list is judged.
    """
    scenario, port = run.scenario, 0
    check_possible(scenario)
    check_lab_has(scenario)

    def additions(ports: PortBlock) -> dict[str, str]:
        nonlocal port
        port = ports.named()
        return asterisk_additions(scenario, port)

    agents = [_phone(group) for group in scenario.agents]
    async with (
        open_lab(version, agents=agents, additions=additions) as lab,
        phones_of(scenario, (LOOPBACK, lab.asterisk.ports.sip), port) as phones,
    ):
        daemon = await lab.start_daemon(merged({"profiles": PROFILES}, scenario.settings))
        run.daemon = DaemonView(daemon.database, 0)
        async with commands_run(run, daemon.work / "callflow.toml"):
            seen, stall_s = await _on_lab(run, lab)
        if scenario.needs_own_daemon:
            await settled(run, run.daemon, {})
            run.tally.wrong_after += called_otherwise(phones, run.tally.aftercare.callbacks)
        elif (again := [call.caller for call in seen if not call.passed]) and stall_s > _STALL_S:
            second = Run(_only(scenario, again))
            better, _ = await _on_lab(second, lab)
            seen = [call for call in seen if call.caller not in again] + better
        run.heard = run.daemon.heard()
    for call in seen:
        run.tally.add(call)


def _only(scenario: Scenario, names: list[str]) -> Scenario:
    callers = tuple(caller for caller in scenario.callers if caller.name in names)
    return scenario.model_copy(update={"callers": callers})


async def _on_lab(run: Run, lab: Lab) -> tuple[list[SeenCall], float]:
    """Every call as the wire shows it, and the longest stall of this machine."""
    callers = CallerFactory(lab.work / "audio", lab.sounds, lab.voice)
    events_before = len(lab.asterisk.ami.events)
    async with lab.capture() as capture:
        placed = await place_all(run, lambda planned: lab.call(callers.caller(planned, entry_of(planned.caller))))
    wire = await asyncio.to_thread(lab.read, capture)
    results = _results(lab, events_before)
    calls: dict[str, Iterator[WireCall]] = {}
    seen = []
    for planned, _ in placed:
        number = planned.number or "anonymous"
        of_number = calls.setdefault(number, iter(wire.of(number)))
        call = next(of_number, None)
        result, traces = next(results.get(number, iter(())), (None, frozenset()))
        seen.append(_seen(planned, call, lab, callers, result, traces))
    return seen, wire.longest_stall_s


Told = tuple[str | None, frozenset[str]]


def _results(lab: Lab, events_before: int) -> dict[str, Iterator[Told]]:
    """For every number, call by call: the result, and the extensions reached in the caller's own context."""
    told: dict[str, dict[str, list[dict[str, str]]]] = {}
    for event in lab.asterisk.ami.events[events_before:]:
        if event["Event"] == "UserEvent" and "Number" in event:
            told.setdefault(event["Number"], {}).setdefault(event["Uniqueid"], []).append(event)
    return {number: iter([_told(events) for events in calls.values()]) for number, calls in told.items()}


def _told(events: list[dict[str, str]]) -> Told:
    traces = frozenset(event["UserEvent"].removeprefix("Lab").lower() for event in events)
    return events[0].get("Result"), traces


def _seen(
    planned: PlannedCall,
    call: WireCall | None,
    lab: Lab,
    callers: CallerFactory,
    result: str | None,
    traces: frozenset[str],
) -> SeenCall:
    group = planned.caller
    if call is None:
        return SeenCall(group.name, planned.number, planned.index, disagreements=("the call is not on the wire",))
    observed = Observed(call, lab.prompts(callers.language(group)).spoken(call.received), result, traces)
    seen = seen_call(group.name, planned.number, planned.index, observed)
    strict = _strict(group, seen)
    return seen.judge(group.expect) if strict is None else seen.with_disagreements(judge(strict, observed))


def _strict(group: CallerGroup, seen: SeenCall) -> LabScenario | None:
    """This caller as a scenario of the lab, judged to a tenth of a second; None if it expects too little."""
    expect = group.expect
    if expect.result is None or expect.agent is None:
        return None
    known = expect.model_dump(exclude_none=True) | {"ended_by": expect.ended_by or seen.ended_by or "asterisk"}
    if group.does and expect.result == "unavailable":
        known["agent_within_s"] = math.inf  # this time counts from what the caller does, not from the answer
    return LabScenario(
        name=group.name, purpose="a simulated caller", profile=group.profile, language=group.language,
        route=group.route, media=group.media, caller=group.does, expect=Expectation.model_validate(known),
    )  # fmt: skip


def _phone(group: AgentGroup) -> Agents:
    return Agents(
        ring_s=group.rings_for_s,
        talk_s=min(group.talk_s, _LONGEST_S),
        does=group.does,
        forward_to=group.forward_to,
        hold_after_s=group.hold_after_s,
        hold_s=group.hold_s,
    )


async def run_on_site(run: Run, settings: Settings, host: str, port: int, extension: str | None) -> None:
    """Place the calls on the Asterisk at host and port; the daemon's database tells how they ended.

    Without a database nothing is judged. Raises LabError, SimulationFailed.
    """
    check_possible(run.scenario)
    address = _address_towards(host)
    database = settings.store.path
    readable = os.access(database, os.R_OK) and database.is_file()
    view = run.daemon = DaemonView(database, time.time_ns() // 1_000_000) if readable else None
    programs = _programs()
    LAB_FOLDER.mkdir(parents=True, exist_ok=True)
    with take_ports() as ports, tempfile.TemporaryDirectory(dir=LAB_FOLDER, prefix="callers-") as folder:
        sipp = Sipp(programs, Path(folder) / "sipp", ports, port, host)
        callers = CallerFactory(Path(folder) / "audio", SOUNDS, _voice())
        placed = await place_all(run, lambda planned: sipp.call(callers.caller(planned, extension, address)))
    await asyncio.sleep(_SAVED_S)
    for call in _as_recorded(placed, view):
        run.tally.add(call)


def _as_recorded(placed: list[Placed], view: DaemonView | None) -> Iterator[SeenCall]:
    """Every call as the daemon has recorded it."""
    recorded: dict[str, list[str | None]] = {}
    for number, result in view.results() if view else ():
        recorded.setdefault(number, []).append(result)
    for planned, process in placed:
        group = planned.caller
        results = recorded.get(planned.number or "anonymous") or [None]
        seen = SeenCall(group.name, planned.number, planned.index, result=results.pop(0))
        if process.returncode:
            seen = seen.with_disagreements(["SIPp could not make this call as it should"])
        if view is None or (seen.result is None and group.expect.result in _UNRECORDED):
            yield replace(seen, judged=False)
        else:
            yield seen.judge(group.expect)


def _programs() -> Host:
    """Where SIPp runs: here, or in the lab's root directory. Raises LabUnavailable."""
    return PlainHost() if shutil.which("sipp") and shutil.which("setpriv") else asterisk_root(TOOLS_VERSION)


def _voice() -> Samples:
    return read_wav(next(iter(sorted(SOUNDS.glob("en/callflow/*.wav")))))


def _address_towards(host: str) -> str:
    """The address of this machine that `host` answers to. Raises SimulationFailed."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((host, 9))
        except OSError as error:
            remedy = "correct --sip-host, or host in [ami]"
            raise SimulationFailed(f"{host!r} cannot be reached: {error.strerror}", remedy) from None
        return str(probe.getsockname()[0])
