"""Talks on the pretend Asterisk while the daemon that assists in them is killed, stalled and cut off, again and again.

python -m tests.bench.bench_assist_faults --talks 10000     (fourteen minutes)
python -m tests.bench.bench_assist_faults --quick

Every talk lasts until the caller hangs up, and nothing of ours outlives the daemon by more than a prompt; else the
program says what happened and ends with 1.
"""

import argparse
import asyncio
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Any

from callflow.lab.proxy import Proxy
from callflow.processes.daemon import Daemon
from callflow.processes.ports import take_ports
from callflow.scenarios.scenario import Scenario
from callflow.scenarios.site import daemon_config
from callflow.simulator.pretend.asterisk import PretendAsterisk
from callflow.simulator.pretend.report import Outcome
from callflow.simulator.pretend.world import Places

TALK_S = 14.0
PROMPT_S = 5.0
"""A whisper that has begun plays to its end, even if the daemon has died."""
STALL_S = 4.0
CHECK_S = 10.0
"""Within it the daemon's own test call has ended."""
SLACK_S = 1.0
TAPS = 20
FAULTS = ("kill", "stall", "cut")
OURS = ("@callflow-whisper", "@callflow-tap", "@callflow-check")
DIALPLAN = """
[from-lab]
exten => _li[n]e8XXX,1,Answer()
 same => n,Dial(PJSIP/${EXTEN:4},20,tb(callflow-agent^s^1))
 same => n,Hangup()
"""
CODES = {"*74": "repeat", "*75": "lookup", "*76": "back"}
GREETS = {"at_s": 0.5, "sound": "speech", "for_s": 1.0}
SPEAKS = [{"at": 2.5, "sound": "speech", "for_s": 1.0}]
EXPLAINS = {"at_s": 7.0, "sound": "speech", "for_s": 1.0}
PHONES: tuple[tuple[dict[str, Any], list[dict[str, Any]]], ...] = (
    ({"acts": [GREETS, EXPLAINS]}, []),
    ({"acts": [GREETS, EXPLAINS]}, SPEAKS),
    ({"acts": [GREETS, {"at_s": 4.0, "hold": True}, {"at_s": 10.0, "resume": True}]}, SPEAKS),
    (
        {
            "acts": [GREETS, *({"at_s": at_s, "keys": keys} for at_s, keys in zip((4, 7, 11), CODES, strict=True))],
            "features": {code: f"Gosub(callflow-action,s,1({action}))" for code, action in CODES.items()},
        },
        SPEAKS,
    ),
)
"""Agents' phones, with what their callers do: silent, in lulls, on hold, asked by code."""


def scenario(talks: int, per_s: float) -> Scenario:
    """So many talks, by all phones in turn."""
    lanes = [(f"80{number:02}", phone, does) for number, (phone, does) in enumerate(PHONES)]
    callers = [
        {
            "name": number, "number": "13800001000-13800001999", "rate_per_s": per_s / len(lanes),
            "calls": -(-talks // len(lanes)), "dials": f"line{number}", "stays_s": TALK_S, "does": does,
        }
        for number, _, does in lanes
    ]  # fmt: skip
    phones = [{"number": number} | phone for number, phone, _ in lanes]
    purpose = "Talks of all kinds, one after the other."
    made = {"name": "faults", "purpose": purpose, "music": True, "dialplan": DIALPLAN}
    return Scenario.model_validate(made | {"callers": callers, "phones": phones})


@dataclass
class Run:
    """What the faults hit, and what went wrong."""

    strikes: Counter[str] = field(default_factory=Counter)
    struck: set[str] = field(default_factory=set)
    """Talks during which a fault was injected, by uniqueid."""
    whispers: int = 0
    """Whispers during which a fault was injected."""
    talks: int = 0
    prompts: int = 0
    """Heard by callers."""
    wrong: list[str] = field(default_factory=list)

    def ended(self, outcome: Outcome) -> None:
        """A talk is over."""
        self.talks += 1
        lasted_s = outcome.ended_s - (outcome.answered_s or 0.0)
        self.prompts += len(outcome.prompts)
        if outcome.ended_by != "caller" or lasted_s < TALK_S - SLACK_S:  # longer: the caller's own clock was late
            self.wrong.append(f"{outcome.caller}: ended by {outcome.ended_by} after {lasted_s:.1f} s")


def ours(asterisk: PretendAsterisk) -> list[str]:
    """Channels that the daemon has made."""
    return [name for name in asterisk.world.switch.channels if any(context in name for context in OURS)]


async def until_none(asterisk: PretendAsterisk, seconds: float) -> list[str]:
    """What is left of ours after so long; nothing, as soon as that is so."""
    loop = asyncio.get_running_loop()
    ends = loop.time() + seconds
    while (left := ours(asterisk)) and loop.time() < ends:  # noqa: ASYNC110 - a channel that goes tells nobody
        await asyncio.sleep(0.05)
    return left


async def strike(fault: str, daemon: Daemon, proxy: Proxy, asterisk: PretendAsterisk, run: Run) -> None:
    """One fault, and what is left of ours while the daemon is dead."""
    run.strikes[fault] += 1
    run.whispers += sum(";1" in name and OURS[0] in name for name in ours(asterisk))
    run.struck |= {one.uniqueid for one in asterisk.world.switch.channels.values() if one.talk is not None}
    match fault:
        case "kill":
            await daemon.kill()
            run.wrong += [f"{name} has outlived the daemon" for name in await until_none(asterisk, PROMPT_S)]
            await daemon.start()
        case "stall":
            daemon.stall()
            await asyncio.sleep(STALL_S)
            daemon.resume()
        case _:
            proxy.cut()


async def bench(talks: int, per_s: float, every_s: float) -> Run:
    """Strike until all talks are over."""
    run, random, plan = Run(), Random(1), scenario(talks, per_s)
    with take_ports() as ports, tempfile.TemporaryDirectory() as work:
        agi_port = ports.named()
        asterisk = PretendAsterisk(plan, Places(agi_port), on_outcome=run.ended)
        await asterisk.start(0)
        async with Proxy(ports.named(), asterisk.ami.port) as proxy:
            config = daemon_config(proxy.port, agi_port, Path(work) / "callflow.db", "warning", taps=TAPS)
            daemon = Daemon(Path(work), config | {"profiles": {"default": {"assist": "prompt"}}})
            await daemon.start()
            asterisk.begin()
            faults = cycle(FAULTS)
            while not asterisk.done.is_set():
                await asyncio.sleep(random.uniform(0.5, every_s))
                await strike(next(faults), daemon, proxy, asterisk, run)
            run.wrong += [f"{name} is left" for name in await until_none(asterisk, CHECK_S)]
            await daemon.stop()
        run.wrong += [f"the pretend Asterisk: {failure!r}" for failure in asterisk.world.failures]
        asterisk.close()
    if run.talks < talks:
        run.wrong.append(f"only {run.talks} of {talks} talks ended")
    return run


def main() -> int:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--talks", type=int, default=10_000)
    parser.add_argument("--per-second", type=float, default=12.0)
    parser.add_argument("--every", type=float, default=8.0, help="seconds between faults, at most")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    if options.quick:
        options.talks, options.per_second, options.every = 24, 12.0, 3.0
    run = asyncio.run(bench(options.talks, options.per_second, options.every))
    strikes = ", ".join(f"{number} x {fault}" for fault, number in run.strikes.items())
    print(f"talks: {run.talks} with {run.prompts} prompts, {len(run.wrong)} went wrong")
    print(f"  {len(run.struck) // 2} talks and {run.whispers} whispers were struck ({strikes})")
    for line in sorted(run.wrong)[-20:]:
        print(f"  {line}")
    return 1 if run.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
