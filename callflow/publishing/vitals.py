"""Takes a sample of the daemon, for metrics, health and states."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from callflow.adapters.agi.server import AgiServer
from callflow.adapters.ami.links import AmiLinks
from callflow.adapters.http.sample import Sample
from callflow.adapters.store.store import Store
from callflow.core.screening.engine import Engine
from callflow.runtime.callbacks import Callbacks
from callflow.runtime.ring_watch import RingWatch

if TYPE_CHECKING:
    from callflow.adapters.audio.taps import Taps


def take_sample(
    now_ms: int,
    engine: Engine,
    rings: RingWatch,
    store: Store,
    links: AmiLinks,
    agi: AgiServer | None,
    taps: "Taps | None",
    callbacks: Callbacks,
) -> Sample:
    """`agi` is None before the start, `taps` where there are none."""
    return Sample(
        now_ms=now_ms,
        ami_connected=links.connected,
        ear_proven=engine.ear_proven,
        calls_live=engine.live,
        agi_sessions=agi.live if agi else 0,
        taps=taps.live if taps else 0,
        store=asdict(store.counters()),
        counts={
            "ami_events": links.events.counts,
            "ami_actions": links.actions.counts,
            "agi": agi.counts if agi else {},
            "agi_refused": agi.refused if agi else {},
            "tap": taps.counts if taps else {},
            "tap_refused": taps.refused if taps else {},
            "core": engine.unexpected,
            "rings": rings.tracker.unexpected,
            "rings_unresolved": rings.tracker.unresolved,
            "rings_failures": rings.failures,
            "callbacks": callbacks.counts,
        },
        queues_known=rings.queues_known,
        queues=rings.tracker.queues(now_ms),
        agents=rings.tracker.agents(now_ms),
        lines=rings.tracker.lines(now_ms),
        callbacks=callbacks.desk.by_state(),
        cases=callbacks.desk.cases.counts,
    )
