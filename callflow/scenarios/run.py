"""One run of a scenario: what is known of it so far, for those who show it, judge it and write it down."""

from collections import Counter
from dataclasses import dataclass, field

from callflow.scenarios.daemon_view import DaemonView
from callflow.scenarios.scenario import Scenario
from callflow.scenarios.tally import Progress, Tally


@dataclass(slots=True)
class Run:
    """Filled by whoever places the calls; `daemon` is None while its database is not known."""

    scenario: Scenario
    progress: Progress = field(default_factory=Progress)
    tally: Tally = field(default_factory=Tally)
    daemon: DaemonView | None = None
    heard: Counter[str] = field(default_factory=Counter)
    """What the daemon has heard of the callers' sound: calls by kind."""
