"""Whatever order, loss or repetition of events, whatever is in their headers: no crash, and one end for everything."""

from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callflow.adapters.ami.translate_rings import RingTranslator, waiting_of
from callflow.captures.capture_file import read_capture
from callflow.captures.ring_replay import KeptRings
from callflow.core import events
from callflow.core.rings import facts
from callflow.core.rings.names import safe_name
from callflow.core.rings.records import AgentInterval, HeldBy
from callflow.core.rings.rules import RingRules
from callflow.core.rings.tracker import Tracker
from callflow.core.service.targets import QueueTarget, Targets

CAPTURES = sorted((Path(__file__).parents[2] / "traces" / "rings" / "22").glob("*.txt"))
ABSURD = (
    "",
    "\n",
    "a/b",
    "x#y+z",
    "-1",
    "1e309",
    "nan",
    "9" * 40,
    "2\n3",
    "<unknown>",
    "0.000001",
    "王\x00",
    "k" * 400,
)
TARGETS = Targets(queues={"default": QueueTarget()})

Message = dict[str, str]


@cache
def messages(file: Path) -> list[Message]:
    return [dict(block.headers) for block in read_capture(file).events]


@st.composite
def streams(draw: st.DrawFn) -> list[Message | str]:
    """Events of up to three scenarios, dropped, repeated, moved and spoilt; `cut` and `back` for the link, `jump`."""
    chosen = draw(st.lists(st.sampled_from(CAPTURES), min_size=1, max_size=3, unique=True))
    stream: list[Message | str] = [dict(message) for file in chosen for message in messages(file)]
    for _ in range(draw(st.integers(0, 25))):
        if not stream:
            break
        at = draw(st.integers(0, len(stream) - 1))
        match draw(st.sampled_from(("drop", "repeat", "move", "spoil", "miss", "cut", "back", "jump"))):
            case "drop":
                del stream[at : at + draw(st.integers(1, 8))]
            case "repeat":
                stream.insert(draw(st.integers(0, len(stream))), stream[at])
            case "move":
                moved = stream.pop(at)
                stream.insert(draw(st.integers(0, len(stream))), moved)
            case "spoil" | "miss" as how:
                if isinstance(message := stream[at], dict):
                    name = draw(st.sampled_from(sorted(set(message) - {"Event"}) or ["Timestamp"]))
                    spoilt = dict(message)
                    spoilt.pop(name, None)
                    stream[at] = spoilt if how == "miss" else spoilt | {name: draw(st.sampled_from(ABSURD))}
            case what:
                stream.insert(at, what)
    return stream


def play(stream: list[Message | str]) -> tuple[KeptRings, Tracker]:
    """Every event 20 ms after the one before, with everything done when it is due."""
    tracker, translate = Tracker(RingRules(max_names=4), TARGETS), RingTranslator()
    kept, now_ms = KeptRings(tracker=tracker), 1_795_000_000_000
    for item in stream:
        now_ms += 20
        while (due := tracker.next_deadline()) is not None and due <= now_ms:
            kept.take(tracker.expire(now_ms))
        match item:
            case "cut":
                kept.take(tracker.receive(events.LinkLost(now_ms, "cut"), now_ms))
            case "back":
                kept.take(tracker.receive(snapshot(stream, now_ms), now_ms))
            case "jump":
                now_ms -= 3_600_000
            case dict():
                if (fact := translate(item, now_ms)) is not None:
                    kept.take(tracker.receive(fact, now_ms))
        for states in (tracker.queues(now_ms), tracker.agents(now_ms), tracker.lines(now_ms)):
            assert all(state.as_of_ms == now_ms for state in states)
    for _ in range(10 * len(stream) + 10):
        if (due := tracker.next_deadline()) is not None:
            kept.take(tracker.expire(due))
    return kept, tracker


def snapshot(stream: list[Message | str], now_ms: int) -> facts.SnapshotTaken:
    """What a snapshot might show: some of the channels, one of the callers."""
    told = [item for item in stream if isinstance(item, dict)]
    joins = [waiting_of(item | {"Wait": "7"}) for item in told if item.get("Event") == "QueueCallerJoin"][:1]
    uniqueids = frozenset(safe_name(item["Uniqueid"]) for item in told[::2] if item.get("Uniqueid"))
    return facts.SnapshotTaken(facts.When(now_ms, stamped=False), now_ms - 10, uniqueids, (), tuple(joins))


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(streams())
def test_everything_ends_once_and_nothing_breaks(stream: list[Message | str]) -> None:
    kept, tracker = play(stream)
    calls: list[Any] = [*kept.stays, *kept.offers, *kept.legs, *kept.talk_records, *kept.holds]
    assert {key: kept.finals[key] for key in kept.records if key[0] != "spell" and kept.finals[key] != 1} == {}
    assert tracker.next_deadline() is None
    assert tracker.live == 0
    for record in calls:
        assert all(getattr(record, name, None) is None or getattr(record, name) >= 0 for name in DURATIONS), record
        assert record.revision >= 1
        assert all(mark.replace("_", "").isalpha() for mark in record.marks)
        for name in ("queue", "agent", "target", "call_id", "entry_id", "offer_id", "leg_id", "talk_id", "line"):
            text = getattr(record, name, "")
            assert text == "" or safe_name(text) == text, (name, record)
    assert len({stay.queue for stay in kept.stays}) <= 5
    assert len({leg.agent for leg in kept.legs}) <= 6
    lasting = {
        (r.agent, r.began_ms) for r in kept.records.values() if isinstance(r, AgentInterval) and r.ended_ms is None
    }
    assert lasting == {(agent.agent, agent.since_ms) for agent in tracker.agents(0) if agent.work is not None}

    for talk in kept.talk_records:
        held = [
            hold.hold_ms or 0
            for hold in kept.holds
            if hold.talk_id == talk.talk_id and hold.held_by is HeldBy.AGENT and hold.ended_ms is not None
        ]
        assert (talk.hold_count, talk.hold_ms, talk.longest_hold_ms) == (len(held), sum(held), max(held, default=0))


DURATIONS = ("ring_ms", "wait_ms", "talk_ms", "hold_ms", "longest_hold_ms", "rings")


def test_a_clock_that_is_set_back_holds_nothing_up() -> None:
    stream: list[Message | str] = list(messages(next(file for file in CAPTURES if file.stem == "busy")))
    kept, tracker = play([*stream, "jump"])
    assert tracker.live == 0
    assert all(stay.outcome is not None for stay in kept.stays)
