"""What a start of the daemon costs until calls are let in: processor time, beside another checkout if one is given.

The starts of both alternate, without AMI: calls are let in 5 s after the daemon has bound FastAGI, and these 5 s are
taken off. A first start of each, which makes database and bytecode, is not counted.
"""

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from callflow.daemon import READY_WITHOUT_AMI_S
from callflow.installed import CHECKOUT
from callflow.processes.daemon import Daemon
from callflow.processes.notify_socket import NotifySocket
from callflow.processes.ports import take_ports
from tests.bench.bench_scale import cpu_s

LATER_S = 3.0
"""What is loaded only after calls are let in is there by then."""
START_S = 120.0
Figures = Mapping[str, float]


async def start_of(checkout: Path, folder: Path) -> Figures:
    """Processor time until calls are let in, and until a little later; and how long it took, less the wait for AMI."""
    with take_ports() as ports, NotifySocket() as notify:
        config = {
            "ami": {"port": ports.named(), "secret": "x"},
            "agi": {"port": ports.named()},
            "store": {"path": str(folder / "callflow.db")},
            "http": {"port": ports.named()},
            "web": {"port": ports.named()},
        }
        daemon = Daemon(folder, config)
        env = {"PYTHONPATH": str(checkout), "PYTHONSAFEPATH": "1"}
        env |= {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder / "pyc")}
        began_s = time.monotonic()
        await daemon.launch(notify, env)
        try:
            async with asyncio.timeout(START_S):
                while "READY=1" not in await notify.told():
                    pass
            took_s, cpu = time.monotonic() - began_s - READY_WITHOUT_AMI_S, cpu_s(daemon.pid)
            await asyncio.sleep(LATER_S)
            return {"CPU until calls are let in": cpu, "CPU with the rest": cpu_s(daemon.pid), "time": took_s}
        finally:
            await daemon.stop()


async def compare(checkouts: Mapping[str, Path], runs: int) -> dict[str, list[Figures]]:
    """The figures of each checkout, whose starts take turns."""
    found: dict[str, list[Figures]] = {name: [] for name in checkouts}
    with tempfile.TemporaryDirectory(prefix="callflow-start-") as work:
        for run in range(runs + 1):
            for name, checkout in checkouts.items():
                folder = Path(work) / name
                folder.mkdir(exist_ok=True)
                figures = await start_of(checkout, folder)
                if run:
                    found[name].append(figures)
    return found


def main() -> None:
    """Print the median of each figure, and the ratio to `--before`."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--before", type=Path, help="another checkout to compare with")
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--quick", action="store_true", help="one start")
    asked = options.parse_args()
    checkouts = ({"before": asked.before.resolve()} if asked.before else {}) | {"now": CHECKOUT}
    found = asyncio.run(compare(checkouts, 1 if asked.quick else asked.runs))
    for figure in found["now"][0]:
        medians = {name: statistics.median(run[figure] for run in runs) for name, runs in found.items()}
        ratio = f"  ratio {medians['now'] / medians['before']:.2f}" if asked.before else ""
        print(f"{figure:28}" + "".join(f"{name} {value:6.2f} s  " for name, value in medians.items()) + ratio)
    print(f"{len(found['now'])} starts of each, load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
