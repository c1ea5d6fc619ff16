"""Benchmarks on real calls: lateness of prompts, CPU and memory per call, reaction to speech. It judges nothing."""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from callflow.lab.lab import Lab, open_lab
from callflow.lab.sipp import Agents, Caller
from callflow.lab.wire import Wire
from callflow.processes.daemon import Daemon
from callflow.scenarios.site import Version
from callflow.sound.audio import Sound, timeline, write_mulaw

LOADS = (5, 20, 50)
QUICK_LOADS = (2,)
LISTEN_S = 3.0
CALL_S = 26.0
SPEAKERS, QUICK_SPEAKERS = 40, 4
SPEAKS_AT_S = 1.0
SPACING_S = 0.13
CALLS_PER_SECOND = 10.0
MS = 1000.0


@dataclass(frozen=True)
class Load:
    """CPU and memory that this number of concurrent silent callers costs."""

    calls: int
    lateness_ms: list[float]
    cpu_ms_per_call: float
    memory_kb_per_call: float


async def run_bench(version: Version, console: Console, *, quick: bool = False) -> None:
    """Measure in a lab of its own and print; `quick` only checks that the benchmark itself works."""
    speakers = QUICK_SPEAKERS if quick else SPEAKERS
    async with open_lab(version, agents=Agents(talk_s=0.5)) as lab:
        daemon = await lab.start_daemon({"profiles": {"support": {}}, "log": {"level": "warning"}})
        loads = []
        if not quick:
            with console.status("warming up"):
                await _silent_calls(lab, daemon, 1)
        for calls in QUICK_LOADS if quick else LOADS:
            with console.status(f"{calls} silent callers at once"):
                loads.append(await _silent_calls(lab, daemon, calls))
        console.print(_load_table(version, loads))
        with console.status(f"{speakers} callers who speak during the greeting"):
            reactions = await _reactions(lab, speakers)
    low, high = np.percentile(reactions, (50, 90))
    console.print(
        f"reaction, first speech packet to last prompt packet on the wire, {len(reactions)} of {speakers} calls: "
        f"p50 {low:.0f} ms, p90 {high:.0f} ms",
        highlight=False,
    )


async def _silent_calls(lab: Lab, daemon: Daemon, calls: int) -> Load:
    caller = Caller("1001", "dial_en_support", hang_up_at_s=CALL_S + 4)
    cpu_s, memory_kb = _cpu_s(daemon.pid), _memory_kb(daemon.pid)
    async with lab.capture() as capture:
        process = await lab.call(caller, calls=calls, rate_per_s=CALLS_PER_SECOND)
        await asyncio.sleep(calls / CALLS_PER_SECOND + 5)
        busy_kb = _memory_kb(daemon.pid)
        await process.wait(CALL_S * 3)
    return Load(
        calls=calls,
        lateness_ms=_lateness_ms(lab, lab.read(capture)),
        cpu_ms_per_call=(_cpu_s(daemon.pid) - cpu_s) * MS / calls,
        memory_kb_per_call=(busy_kb - memory_kb) / calls,
    )


def _lateness_ms(lab: Lab, wire: Wire) -> list[float]:
    """How much more than the listening time passed between two prompts, for each pair of each call."""
    book = lab.prompts("en")
    late = []
    for call in wire.calls:
        for before, after in pairwise(book.spoken(call.received)):
            late.append((after.started_at - before.ended_at - LISTEN_S) * MS)
    return late


async def _reactions(lab: Lab, speakers: int) -> Sequence[float]:
    """Milliseconds from the first packet of speech to the last packet of the greeting, for each caller."""
    samples = timeline([Sound(SPEAKS_AT_S, "speech", 2.0, -26.0)], 4.0, lab.voice)
    audio = write_mulaw(lab.work / "bench-speaker.ul", samples)
    caller = Caller("1002", "dial_en_support", audio=audio, hang_up_at_s=6.0)
    async with lab.capture() as capture:
        process = await lab.call(caller, calls=speakers, rate_per_s=1 / SPACING_S)
        await process.wait(60)
    found = []
    for call in lab.read(capture).calls:
        bursts = lab.prompts("en").spoken(call.received)
        spoke_at = call.first_sound_at()
        if spoke_at is not None and bursts and bursts[0].was_cut:
            found.append((bursts[0].ended_at - spoke_at) * MS)
    return found


def _load_table(version: Version, loads: list[Load]) -> Table:
    table = Table(title=f"silent callers at once, Asterisk {version}, from the wire")
    for heading in ("calls", "lateness p50", "lateness p99", "daemon CPU per call", "memory per live call"):
        table.add_column(heading, justify="right")
    for load in loads:
        low, high = np.percentile(load.lateness_ms, (50, 99))
        cpu, memory = f"{load.cpu_ms_per_call:.1f} ms", f"{load.memory_kb_per_call:.0f} kB"
        table.add_row(str(load.calls), f"{low:.1f} ms", f"{high:.1f} ms", cpu, memory)
    return table


def _cpu_s(pid: int) -> float:
    """User and system time of a process so far, seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory_kb(pid: int) -> int:
    """Resident memory of a process, kB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0
