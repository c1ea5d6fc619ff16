"""Assisted talks: what the daemon and its taps cost while callers and agents take turns. Prints figures alone.

Talks last 120 s on average, and another follows at once; each caller who speaks is tapped until the level is known.

python -m tests.bench.bench_assist --talks 200 --seconds 30
python -m tests.bench.bench_assist --quick
"""

import argparse
import asyncio
import tempfile
from pathlib import Path
from random import Random

from callflow.processes.daemon import Daemon
from callflow.processes.ports import take_ports
from callflow.scenarios.site import daemon_config
from tests.bench.bench_scale import cpu_s
from tests.bench.spoken_ami import SpokenAmi

SILENT, HELD = 0.05, 0.1
"""Shares of the talks: with a silent caller, and on hold."""
SETTLE_S = 15.0
"""All talks begin at once, and so do the first taps."""


async def bench(talks: int, seconds: float, settle_s: float) -> None:
    """Begin the talks, let them settle, measure."""
    ami, random = SpokenAmi(), Random(1)
    await ami.start()
    with take_ports() as ports, tempfile.TemporaryDirectory() as work:
        config = daemon_config(ami.port, ports.named(), Path(work) / "callflow.db", "warning", taps=talks)
        config["profiles"] = {"default": {"assist": "prompt"}}
        daemon = Daemon(Path(work), config, ahead=True)
        await daemon.start()
        try:
            for number in range(talks):
                share = number / talks
                ami.talk(number, random, silent=share < SILENT, held=SILENT <= share < SILENT + HELD)
            await asyncio.sleep(settle_s)
            cpu, events, actions = cpu_s(daemon.pid), ami.events, ami.actions.total()
            whispers, opened, begun, ami.most_taps = ami.whispers, ami.opened, ami.talks, ami.taps
            await asyncio.sleep(seconds)
            core = (cpu_s(daemon.pid) - cpu) / seconds
            said = (ami.whispers - whispers) / seconds
            opened, begun = ami.opened - opened, ami.talks - begun
        finally:
            await ami.stop()
            await daemon.stop()
        rates = [(after - before) / seconds for before, after in ((events, ami.events), (actions, ami.actions.total()))]
    print(f"assisted talks: {talks} cost {core:.1%} of a core")
    print(f"  {rates[0]:.0f} events/s, {rates[1]:.0f} actions/s, {said:.1f} prompts/s")
    print(f"  {begun} talks begun, taps: {opened} opened, {ami.most_taps} at most at once, {ami.taps} at the end")


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--talks", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    if options.quick:
        options.talks, options.seconds = 10, 3.0
    asyncio.run(bench(options.talks, options.seconds, 3.0 if options.quick else SETTLE_S))


if __name__ == "__main__":
    main()
