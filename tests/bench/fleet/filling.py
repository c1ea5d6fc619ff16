"""Fills the databases of nodes in virtual time: real daemons beside pretend Asterisks, and no broker to be had.

python -m tests.bench.fleet.filling FOLDER CALLS_A_NODE RATE PORT_WITHOUT_BROKER SITE...
"""

import sys
from functools import partial
from pathlib import Path

import callflow.daemon
from callflow.adapters.http.sample import Sample
from callflow.adapters.store.store import Store
from callflow.logs import configure_logs
from callflow.publishing.publisher import Publishing
from callflow.runtime.clock import Clock
from callflow.scenarios.scenario import read_scenario
from callflow.scenarios.site import daemon_config
from callflow.settings.model import Settings
from callflow.simulator.pretend.asterisk import PretendAsterisk
from callflow.simulator.pretend.clock import VirtualDaemonClock
from callflow.simulator.pretend.flavour import ASTERISK_16
from callflow.simulator.pretend.world import Places
from tests.bench.bench_soak import scenario_text
from tests.bench.fleet.node import HeldEvents, database, sections
from tests.simulator.pretend.stage import free_port, in_virtual_time, start_daemon

LONGEST_STALL_S = 60.0
"""As long as the settings allow: a stall of the machine does not affect calls in virtual time."""


async def fill(folder: Path, site: str, scenario: Path, no_broker: int) -> None:
    """Make the database of one node; its events are held back."""
    agi_port = free_port()
    asterisk = PretendAsterisk(read_scenario(scenario), Places(agi_port), flavour=ASTERISK_16)
    await asterisk.start(0)
    path = database(folder, site)
    config = daemon_config(asterisk.ami.port, agi_port, path, "error") | sections(folder, site, no_broker, {})
    config["limits"] |= {"stall_s": LONGEST_STALL_S}
    daemon, running = await start_daemon(config)
    asterisk.begin()
    await asterisk.done.wait()
    daemon._finish(None)
    await running
    asterisk.close()


def settle(folder: Path, site: str, no_broker: int) -> None:
    """End what the daemon left open, as its next start would, and hold the events back."""
    settings = Settings.model_validate(sections(folder, site, no_broker, {}))
    store = Store(settings.store.path, site)
    now_ms = Clock().now_ms
    Publishing(settings, store, lambda: Sample(now_ms(), True, True, 0), now_ms).recording.open()
    store.close()
    events = HeldEvents(settings.store.path)
    events.hold()
    events.close()


def main() -> None:
    """One node after the other."""
    folder, calls, rate, no_broker = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
    setattr(callflow.daemon, "Clock", VirtualDaemonClock)  # noqa: B010 - it is no part of the module's interface
    configure_logs(Settings().log.model_copy(update={"level": "error"}))
    unfinished = folder / "unfinished"
    unfinished.mkdir(exist_ok=True)
    for site in sys.argv[5:]:
        for left in unfinished.glob(f"{site}.*"):
            left.unlink()
        scenario = unfinished / f"{site}.toml"
        scenario.write_text(scenario_text(rate, calls / rate).replace("seed = 1", f"seed = {int(site[1:])}"))
        in_virtual_time(partial(fill, unfinished, site, scenario, no_broker))
        settle(unfinished, site, no_broker)
        database(unfinished, site).rename(database(folder, site))


if __name__ == "__main__":
    main()
