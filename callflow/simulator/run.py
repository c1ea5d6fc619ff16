"""One run of a scenario: what is known of it so far, for those who show it, judge it and write it down."""

from dataclasses import dataclass, field

from callflow.simulator.daemon_view import DaemonView
from callflow.simulator.scenario import Scenario
from callflow.simulator.tally import Progress, Tally


@dataclass(slots=True)
class Run:
    """Filled by whoever places the calls; `daemon` is None while its database is not known."""

    scenario: Scenario
    progress: Progress = field(default_factory=Progress)
    tally: Tally = field(default_factory=Tally)
    daemon: DaemonView | None = None
