"""Metrics of calls: each call, stay and offer counted once, at its end."""

from collections.abc import Iterable
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram

from callflow.adapters.http.labels import Capped
from callflow.adapters.http.options import HttpOptions
from callflow.core.call_record import CallRecord
from callflow.core.heard import Heard
from callflow.core.publishing.privacy import Pseudonymizer
from callflow.core.rings.names import trunk_of
from callflow.core.rings.records import (
    AnswerClass,
    Leg,
    Measured,
    Offer,
    Outcome,
    RingSource,
    Stay,
    TargetType,
    Timing,
)
from callflow.core.screening.states import Result

RINGS = (0, 1, 2, 3, 4, 5, 6, 8, 10)
RING_S = (0.5, 1, 2, 3, 4, 5, 8, 10, 15, 20, 30, 45, 60)
WAIT_S = (1, 2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 1200)
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Buckets:
    """What the buckets must have among them: a rule that asks for a missing bucket would silently get nothing."""

    ring_s: tuple[float, ...] = ()
    """L, C+L, 2C and 3C of every cadence in use."""
    wait_s: tuple[float, ...] = ()
    """The service threshold of every queue."""


class CallMetrics:
    """Counts ended records. Only times stamped by Asterisk go into the histograms of ringing."""

    def __init__(
        self, registry: CollectorRegistry, options: HttpOptions, buckets: Buckets, pseudonymizer: Pseudonymizer
    ) -> None:
        self._pseudonymizer = pseudonymizer
        self._screened = Counter(
            "callflow_screened_calls", "Screened calls that have ended.", ["trunk", "result"], registry=registry
        )
        self._silent = Counter(
            "callflow_silent_calls",
            "Calls hung up as silent, by what was heard instead of a voice.",
            ["trunk", "cause"],
            registry=registry,
        )
        self._heard = Counter(
            "callflow_heard_calls", "Calls by what was heard last.", ["trunk", "heard"], registry=registry
        )
        self._quiet = Counter(
            "callflow_quiet_calls",
            "Calls with a voice too low to understand at some time, by what became of them.",
            ["trunk", "result"],
            registry=registry,
        )
        self._offers = Counter(
            "callflow_offers",
            "Calls offered to a queue, by what became of them.",
            ["queue", "outcome"],
            registry=registry,
        )
        self._classes = Counter(
            "callflow_answer_class",
            "Offers by how they were answered.",
            ["target_type", "target", "class"],
            registry=registry,
        )
        self._agent_classes = Counter(
            "callflow_agent_answer_class",
            "Phones that rang, by agent and how they were answered.",
            ["agent", "class"],
            registry=registry,
        )
        self._ring_s = Histogram(
            "callflow_ring_seconds",
            "How long it rang until an offer was answered.",
            ["target_type", "target"],
            buckets=_buckets(RING_S, buckets.ring_s),
            registry=registry,
        )
        self._rings = Histogram(
            "callflow_answer_rings",
            "Rings completed when an offer was answered.",
            ["target_type", "target"],
            buckets=RINGS,
            registry=registry,
        )
        self._wait_s = Histogram(
            "callflow_queue_wait_seconds",
            "How long callers waited in a queue.",
            ["queue", "result"],
            buckets=_buckets(WAIT_S, buckets.wait_s),
            registry=registry,
        )
        self._unresolved = Counter(
            "callflow_calls_unresolved", "Records with a part that nobody saw.", ["reason"], registry=registry
        )
        self._timing = Counter(
            "callflow_timing_source", "Legs by what told when the phone began to ring.", ["source"], registry=registry
        )
        for reason in ("partial", "no_time_stamp", "no_end"):
            self._unresolved.labels(reason)
        for source in (*RingSource, UNKNOWN):
            self._timing.labels(str(source))
        self._trunk = Capped(options.max_names, self._new_trunk)
        self._queue = Capped(options.max_names, self._new_queue)
        self._line = Capped(options.max_names, lambda line: self._new_target(TargetType.LINE, line))
        self._agent = Capped(options.max_agents, self._new_agent)

    def expect(self, queues: Iterable[str], lines: Iterable[str]) -> None:
        """Names known before anything is counted of them: their series start at 0."""
        for queue in queues:
            self._queue(self._pseudonymizer.name(queue))
        for line in lines:
            self._line(self._pseudonymizer.name(line))

    def count(self, record: CallRecord | Measured) -> None:
        """Count one ended record."""
        match record:
            case CallRecord():
                self._screening(record)
            case Stay():
                self._stay(record)
            case Offer():
                self._offer(record)
            case Leg():
                self._leg(record)

    def _screening(self, call: CallRecord) -> None:
        trunk = self._trunk(self._pseudonymizer.name(trunk_of(call.channel)))
        self._screened.labels(trunk, UNKNOWN if call.result is None else call.result.value).inc()
        heard = UNKNOWN if call.heard is None else call.heard.value
        self._heard.labels(trunk, heard).inc()
        if call.result is Result.SILENT:
            self._silent.labels(trunk, heard).inc()
        if was_quiet(call) and call.result is not None:
            self._quiet.labels(trunk, call.result.value).inc()
        if call.partial:
            self._unresolved.labels("partial").inc()

    def _stay(self, stay: Stay) -> None:
        queue = self._queue(self._pseudonymizer.name(stay.queue))
        self._note_doubts(stay)
        if stay.outcome is None:
            self._unresolved.labels("no_end").inc()
            return
        self._offers.labels(queue, stay.outcome.value).inc()
        if stay.wait_ms is not None:
            self._wait_s.labels(queue, _result(stay.outcome)).observe(stay.wait_ms / 1000)

    def _offer(self, offer: Offer) -> None:
        shown = self._pseudonymizer.name(offer.target)
        target = self._queue(shown) if offer.target_type is TargetType.QUEUE else self._line(shown)
        if offer.answer_class is None:
            return
        kind = offer.target_type.value
        self._classes.labels(kind, target, offer.answer_class.value).inc()
        answered = offer.answer_class not in (AnswerClass.UNANSWERED, AnswerClass.EXCLUDED)
        if answered and offer.timing is Timing.STAMPED and not offer.partial:
            if offer.ring_ms is not None:
                self._ring_s.labels(kind, target).observe(offer.ring_ms / 1000)
            if offer.rings is not None:
                self._rings.labels(kind, target).observe(offer.rings)

    def _leg(self, leg: Leg) -> None:
        self._timing.labels(UNKNOWN if leg.ring_source is None else leg.ring_source.value).inc()
        self._note_doubts(leg)
        if leg.agent and leg.answer_class is not None:
            self._agent_classes.labels(self._agent(self._pseudonymizer.name(leg.agent)), leg.answer_class.value).inc()

    def _note_doubts(self, record: Leg | Stay) -> None:
        if record.partial:
            self._unresolved.labels("partial").inc()
        if record.timing is Timing.ARRIVAL:
            self._unresolved.labels("no_time_stamp").inc()

    # -- a new name: its whole label set starts at 0 ----------------------------------------------------------------

    def _new_trunk(self, trunk: str) -> None:
        for result in Result:
            self._screened.labels(trunk, result.value)
            self._quiet.labels(trunk, result.value)
        for heard in (*Heard, UNKNOWN):
            self._silent.labels(trunk, str(heard))
            self._heard.labels(trunk, str(heard))

    def _new_queue(self, queue: str) -> None:
        for outcome in Outcome:
            self._offers.labels(queue, outcome.value)
        for result in ("answered", "abandoned", "other"):
            self._wait_s.labels(queue, result)
        self._new_target(TargetType.QUEUE, queue)

    def _new_target(self, kind: TargetType, target: str) -> None:
        for answer in AnswerClass:
            self._classes.labels(kind.value, target, answer.value)
        self._ring_s.labels(kind.value, target)
        self._rings.labels(kind.value, target)

    def _new_agent(self, agent: str) -> None:
        for answer in AnswerClass:
            self._agent_classes.labels(agent, answer.value)


def _buckets(usual: Iterable[float], configured: Iterable[float]) -> tuple[float, ...]:
    """Both together, each once; configured ones count as they are, to the millisecond."""
    return tuple(sorted({round(float(bound), 3) for bound in (*usual, *configured) if bound > 0}))


def was_quiet(call: CallRecord) -> bool:
    """The voice had to be raised, or stayed too low."""
    return call.result is Result.QUIET or call.heard is Heard.QUIET or call.gain_db > 0


def _result(outcome: Outcome) -> str:
    if outcome is Outcome.ANSWERED:
        return "answered"
    return "abandoned" if "abandon" in outcome.value else "other"
