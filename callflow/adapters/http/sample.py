"""How the daemon is at one moment, in plain figures, and what alive and ready mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from callflow.adapters.http.options import HttpOptions
from callflow.core.rings.current_states import AgentState, LineState, QueueState


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
    callbacks: Mapping[str, int] = field(default_factory=dict)
    """Live call-backs by state."""
    cases: Mapping[str, int] = field(default_factory=dict)
    """Cases: `open` and `overdue`."""
    loop_lag_s: float = 0.0
    """Greatest delay of the event loop within the last seconds."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`shown` has the name of every check and what it found."""

    good: bool
    shown: Mapping[str, Any]


def alive(sample: Sample, options: HttpOptions) -> Verdict:
    """The event loop runs, and in time. A supervisor may restart a daemon that is not alive."""
    good = sample.loop_lag_s <= options.ready_loop_lag_s
    return Verdict(good, {"alive": good, "loop_lag_s": round(sample.loop_lag_s, 3)})


def ready(sample: Sample, options: HttpOptions) -> Verdict:
    """Callers are screened, and what becomes of them is saved and published."""
    age_s = 0.0
    if sample.outbox is not None and sample.outbox.oldest_ms is not None:
        age_s = max(0.0, (sample.now_ms - sample.outbox.oldest_ms) / 1000)
    checks = {
        "ami": sample.ami_connected,
        "loop": sample.loop_lag_s <= options.ready_loop_lag_s,
        "store": not sample.store.get("failing", 0),
        "outbox": age_s <= options.ready_outbox_age_s,
    }
    good = all(checks.values())
    more = {"ear_proven": sample.ear_proven, "mqtt": sample.mqtt_connected, "outbox_age_s": round(age_s, 1)}
    return Verdict(good, {"ready": good, "checks": checks, **more})
