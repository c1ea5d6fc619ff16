"""How the daemon is at one moment, as the daemon tells it to the web side: plain figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from callflow.core.rings.records import AgentState, LineState, QueueState


@dataclass(frozen=True, slots=True)
class OutboxSample:
    """The events that wait for the broker."""

    depth: int = 0
    oldest_ms: int | None = None
    """When the oldest was saved, epoch ms; None when nothing waits."""
    dropped: int = 0
    sent: int = 0


@dataclass(frozen=True, slots=True)
class Sample:
    """Everything that is read off rather than counted. Counters count since the start."""

    now_ms: int
    ami_connected: bool
    ear_proven: bool
    calls_live: int
    agi_sessions: int = 0
    taps: int = 0
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """By source (ami_events, agi_refused, tap, core, rings ...): what happened how often."""
    store: Mapping[str, int] = field(default_factory=dict)
    """The store's own counters, by name."""
    mqtt_connected: bool | None = None
    """None: MQTT is not used."""
    outbox: OutboxSample | None = None
    queues_known: bool = True
    """Asterisk has told of its queues and agents since AMI was connected."""
    queues: Sequence[QueueState] = ()
    agents: Sequence[AgentState] = ()
    lines: Sequence[LineState] = ()
    loop_lag_s: float = 0.0
    """Greatest delay of the event loop within the last seconds."""
