"""What alive and ready mean: from a sample to a verdict with its reasons."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from callflow.adapters.http.options import HttpOptions
from callflow.adapters.http.sample import Sample


@dataclass(frozen=True, slots=True)
class Verdict:
    """`shown` names every check and what it found."""

    good: bool
    shown: Mapping[str, Any]


def alive(sample: Sample, options: HttpOptions) -> Verdict:
    """The loop runs, and in time: whoever gets an answer that says otherwise may restart us."""
    good = sample.loop_lag_s <= options.ready_loop_lag_s
    return Verdict(good, {"alive": good, "loop_lag_s": round(sample.loop_lag_s, 3)})


def ready(sample: Sample, options: HttpOptions) -> Verdict:
    """Callers are screened and what becomes of them is kept and told."""
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
    told = {"ear_proven": sample.ear_proven, "mqtt": sample.mqtt_connected, "outbox_age_s": round(age_s, 1)}
    return Verdict(good, {"ready": good, "checks": checks, **told})
