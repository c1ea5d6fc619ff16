"""Every ring capture, spoilt in every way: what is certain is right, nobody is credited wrongly, nothing is left."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from callflow.adapters.ami.translate_rings import RingTranslator
from callflow.captures.capture_file import read_capture
from callflow.captures.ring_replay import LAST_MS, KeptRings, capture_messages, pass_time, take_messages
from callflow.core import events
from callflow.core.rings import facts
from callflow.core.rings.names import Names, interface_of
from callflow.core.rings.records import AnswerClass, Leg, Offer, Outcome, Stay, Transfer
from callflow.core.rings.rules import RingRules
from callflow.core.rings.talk_events import TalkBegan, TalkEnded, TalkParties
from callflow.core.rings.tracker import Tracker
from callflow.core.service.targets import QueueTarget, Targets
from tests.traces.make_ring_traces import FOLDER
from tests.traces.make_talk_traces import FOLDER as TALKS
from tests.traces.ring_snapshots import snapshot

Message = tuple[int, dict[str, str]]
CAPTURES = sorted([*FOLDER.glob("*/*.txt"), *TALKS.glob("*/consultations.txt")])
GAPS = (1, 2, 4, 9, 16, 27)
"""Events that a cut takes away."""
SAME_MS = 20
"""A start that was reported twice, milliseconds apart, and of which only one was seen."""
TOGETHER_S = 0.001
"""Events so close together may come in any order."""
LATE_MS = 50
"""So long after the fact another thread of Asterisk may still report it."""
TRANSFERS = sorted(file for file in CAPTURES if "\nEvent: AttendedTransfer\n" in file.read_text())
BY_KEY = [file for file in TRANSFERS if "refer" not in file.stem and "\nDestType: Bridge\n" in file.read_text()]
"""By feature code or by AMI: the agent's one channel leaves one bridge after the other."""
BY_REFER = [file for file in TRANSFERS if file.stem in ("attended-refer-to-queue", "attended-refer-to-local")]
PICKUPS = sorted(file for file in CAPTURES if "\nEvent: Pickup\n" in file.read_text())

by_file = pytest.mark.parametrize("file", CAPTURES, ids=lambda file: f"{file.parent.name}-{file.stem}")


@dataclass
class Life:
    """One tracker, with all it has recorded."""

    tracker: Tracker
    kept: KeptRings
    translate: RingTranslator
    now_ms: int

    @classmethod
    def begin(cls, at_ms: int) -> "Life":
        tracker = Tracker(RingRules(), Targets(queues={"default": QueueTarget()}))
        life = cls(tracker, KeptRings(tracker=tracker), RingTranslator(), at_ms)
        life.take(events.LinkUp(at_ms))
        return life

    def take(self, event: Any) -> None:
        self.kept.take(self.tracker.receive(event, self.now_ms))

    def hear(self, messages: list[Message]) -> None:
        self.now_ms = take_messages(self.tracker, self.kept, self.translate, messages, self.now_ms)

    def see(self, before: list[Message], at_ms: int) -> None:
        """A snapshot of what these events have led to."""
        pass_time(self.tracker, self.kept, at_ms)
        self.now_ms = max(self.now_ms, at_ms)
        self.take(snapshot(before, self.now_ms))

    def end(self) -> KeptRings:
        pass_time(self.tracker, self.kept, self.now_ms + LAST_MS)
        return self.kept


@cache
def messages_of(file: Path) -> list[Message]:
    return list(capture_messages(read_capture(file)))


@cache
def whole(file: Path) -> KeptRings:
    life = Life.begin(messages_of(file)[0][0])
    life.hear(messages_of(file))
    return life.end()


# -- what must hold ---------------------------------------------------------------------------------------------------


def nothing_stays(kept: KeptRings, note: str) -> None:
    """Every record and talk has ended once, and nothing is remembered."""
    assert kept.tracker is not None
    ends = {key: kept.finals[key] for key in kept.records if key[0] != "spell" and kept.finals[key] != 1}
    assert ends == {}, note
    assert {name: number for name, number in kept.tracker.memory.items() if number} == {}, note
    assert (kept.tracker.live, kept.tracker.next_deadline()) == (0, None), note
    assert open_talks(kept) == [], note


def open_talks(kept: KeptRings) -> list[TalkParties]:
    """The talks that have begun and not ended. Raises ValueError for an end without a beginning."""
    going: list[TalkParties] = []
    for talk in kept.talks:
        if isinstance(talk, TalkBegan):
            going.append(talk.parties)
        elif isinstance(talk, TalkEnded):
            going.remove(talk.parties)
    return going


def picked_up(file: Path) -> set[str]:
    """Whose phone was picked up, by work number."""
    phones = (message["Channel"] for _, message in messages_of(file) if message.get("ChannelStateDesc") == "Up")
    return {Names(RingRules()).agent(interface_of(phone)) for phone in phones if not phone.startswith("Local/")}


def credited(kept: KeptRings) -> set[str]:
    """Who is said to have answered anybody."""
    offers = {offer.agent for offer in kept.offers if offer.agent}
    stays = {stay.agent for stay in kept.stays if stay.outcome is Outcome.ANSWERED and stay.agent}
    answered = {AnswerClass.EARLY, AnswerClass.ACCEPTABLE, AnswerClass.IDEAL, AnswerClass.LATE}
    return offers | stays | {leg.agent for leg in kept.legs if leg.answer_class in answered}


def nobody_is_credited_wrongly(kept: KeptRings, file: Path, note: str) -> None:
    assert credited(kept) <= picked_up(file) | credited(whole(file)), note


def what_is_certain_is_right(kept: KeptRings, file: Path, note: str) -> None:
    known = {identity(record): record for record in records(whole(file))}
    for record in records(kept):
        if record.partial:
            continue
        right = known.get(identity(record))
        assert right is not None, f"{note}: {record}"
        assert verdict(record) == verdict(right), f"{note}: {record}"
        for name in ("ring_ms", "wait_ms", "talk_ms"):
            ours, theirs = getattr(record, name, None), getattr(right, name, None)
            assert (ours is None) == (theirs is None), f"{name}, {note}: {record}"
            assert ours is None or theirs is None or abs(ours - theirs) <= SAME_MS, f"{name}, {note}: {record}"


def records(kept: KeptRings) -> list[Stay | Offer | Leg]:
    return [*kept.stays, *kept.offers, *kept.legs]


def identity(record: Stay | Offer | Leg) -> tuple[str, str]:
    match record:
        case Stay():
            return "stay", f"{record.call_id} {record.queue} {record.joined_ms}"
        case Offer():
            return "offer", record.offer_id
        case Leg():
            return "leg", record.leg_id


def verdict(record: Stay | Offer | Leg) -> tuple[object, ...]:
    match record:
        case Stay():
            return record.call_id, record.outcome, record.agent
        case Offer():
            return record.call_id, record.answer_class, record.agent, record.target, record.picked_up, record.legs
        case Leg():
            return record.call_id, record.answer_class, record.end


# -- the mutants ------------------------------------------------------------------------------------------------------


@by_file
def test_a_late_start_at_every_event(file: Path) -> None:
    messages = messages_of(file)
    for first in range(1, len(messages)):
        life = Life.begin(messages[first][0])
        life.see(messages[:first], life.now_ms)
        life.hear(messages[first:])
        kept, note = life.end(), f"from event {first}"
        nothing_stays(kept, note)
        nobody_is_credited_wrongly(kept, file, note)
        what_is_certain_is_right(kept, file, note)


@by_file
def test_a_cut_at_every_event(file: Path) -> None:
    messages = messages_of(file)
    for first in range(1, len(messages)):
        for back in sorted({min(first + gap, len(messages)) for gap in GAPS}):
            for late in (0, 2) if back % 3 == 0 else (0,):
                life = Life.begin(messages[0][0])
                life.hear(messages[:first])
                life.take(events.LinkLost(life.now_ms, "cut"))
                back_ms = messages[back][0] if back < len(messages) else messages[-1][0] + 1000
                pass_time(life.tracker, life.kept, back_ms)
                life.now_ms = back_ms
                life.take(events.LinkUp(back_ms))
                seen = snapshot(messages[:back], back_ms)
                life.hear(messages[back : back + late])
                life.take(seen)
                life.hear(messages[back + late :])
                kept, note = life.end(), f"cut from event {first} to {back}, snapshot {late} later"
                nothing_stays(kept, note)
                nobody_is_credited_wrongly(kept, file, note)
                what_is_certain_is_right(kept, file, note)


def dropped(messages: list[Message]) -> Iterator[tuple[str, list[Message]]]:
    for at in range(len(messages)):
        yield f"without event {at}", [*messages[:at], *messages[at + 1 :]]


def repeated(messages: list[Message]) -> Iterator[tuple[str, list[Message]]]:
    for at, message in enumerate(messages):
        for later in (1, 40):
            copy = (messages[min(at + later, len(messages)) - 1][0], message[1])
            yield f"event {at} again {later} later", [*messages[: at + later], copy, *messages[at + later :]]


def reordered(messages: list[Message]) -> Iterator[tuple[str, list[Message]]]:
    """Events within a millisecond in another order; each keeps Asterisk's time.

    What Asterisk says of one channel keeps its order, and Newchannel comes before all that names the channel.
    """
    for seed in range(20):
        chance = random.Random(seed)
        latest: dict[str, float] = {}
        began: dict[str, float] = {}
        keys: list[float] = []
        for _, message in messages:
            named = [value for name, value in message.items() if name.endswith("niqueid") and "Bridge" not in name]
            own = [message["Uniqueid"]] if "Uniqueid" in message else []
            since = [latest.get(uniqueid, 0.0) for uniqueid in own] + [began.get(uniqueid, 0.0) for uniqueid in named]
            keys.append(max(float(message["Timestamp"]) + chance.uniform(0, TOGETHER_S), *since, 0.0))
            latest.update(dict.fromkeys(own, keys[-1]))
            if message["Event"] == "Newchannel":
                began[message["Uniqueid"]] = keys[-1]
        order = sorted(range(len(messages)), key=lambda at: keys[at])
        yield f"shuffled by {seed}", [(messages[at][0], messages[place][1]) for at, place in enumerate(order)]


@by_file
@pytest.mark.parametrize("mutants", [dropped, repeated], ids=["dropped", "repeated"])
def test_an_event_dropped_or_repeated(file: Path, mutants: Any) -> None:
    for note, stream in mutants(messages_of(file)):
        life = Life.begin(stream[0][0])
        life.hear(stream)
        life.now_ms += 60_000
        pass_time(life.tracker, life.kept, life.now_ms)
        life.take(facts.SnapshotTaken(facts.When(life.now_ms, False), life.now_ms, frozenset(), (), ()))
        kept = life.end()
        nothing_stays(kept, note)
        if mutants is repeated:
            nobody_is_credited_wrongly(kept, file, note)


@by_file
def test_events_in_another_order(file: Path) -> None:
    known = {identity(record): record for record in records(whole(file))}
    for note, stream in reordered(messages_of(file)):
        life = Life.begin(stream[0][0])
        life.hear(stream)
        kept = life.end()
        nothing_stays(kept, note)
        nobody_is_credited_wrongly(kept, file, note)
        assert {identity(record): same(record) for record in records(kept)} == {
            key: same(record) for key, record in known.items()
        }, note


by_transfer = pytest.mark.parametrize("file", TRANSFERS, ids=lambda file: f"{file.parent.name}-{file.stem}")


@by_transfer
def test_talks_around_a_transfer_from_a_late_start_at_every_event(file: Path) -> None:
    """The agent who consults is never the caller of a talk, and the transferred caller's talks are recorded once."""
    messages = messages_of(file)
    transferred = {message["TransfereeUniqueid"] for _, message in messages if message["Event"] == "AttendedTransfer"}
    for first in range(len(messages)):
        life, note = Life.begin(messages[first][0]), f"from event {first}"
        life.see(messages[:first], life.now_ms)
        life.hear(messages[first:])
        kept = life.end()
        talks_are_right(kept, file, note)
        assert {talk.parties.caller_uniqueid for talk in kept.talks} <= transferred, note
        assert {stay.call_id for stay in kept.stays} <= {stay.call_id for stay in whole(file).stays}, note
        agents = [talk.agent for talk in kept.talk_records]
        assert len(agents) == len(set(agents)), note


@pytest.mark.parametrize("file", BY_KEY, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_an_end_that_queue_reports_early_costs_no_transfer(file: Path) -> None:
    """Queue sees the agent hang up, and says AgentComplete before Asterisk has completed the transfer."""
    messages = messages_of(file)
    at = next(place for place, (_, message) in enumerate(messages) if message["Event"] == "AttendedTransfer")
    for place in range(at + 1, len(messages)):
        if messages[place][1]["Event"] == "AgentComplete" and messages[place][0] - messages[at][0] <= LATE_MS:
            early = [*messages[:at], (messages[at][0], messages[place][1]), *messages[at:place], *messages[place + 1 :]]
            life = Life.begin(early[0][0])
            life.hear(early)
            kept = life.end()
            assert transfers(kept) == transfers(whole(file))
            talks_are_right(kept, file, f"event {place}")


@pytest.mark.parametrize("file", BY_REFER, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_who_takes_a_caller_over_from_a_queue_talks_until_one_of_them_leaves(file: Path) -> None:
    """Queue says AgentComplete of the first agent's talk when the caller is in the second stay already."""
    began, ended = (talk for talk in whole(file).talks[-2:])
    messages = [message for _, message in messages_of(file)]
    left = next(
        message for message in reversed(messages)
        if message["Event"] == "BridgeLeave" and message["Uniqueid"] == began.parties.caller_uniqueid
    )  # fmt: skip
    assert began.parties == ended.parties
    assert abs(ended.at_ms / 1000 - float(left["Timestamp"])) < SAME_MS / 1000


def talks_are_right(kept: KeptRings, file: Path, note: str) -> None:
    """Every whole talk is as long as it was."""
    known = [(talk.agent, talk.call_id, talk.talk_ms or 0) for talk in whole(file).talk_records]
    for talk in kept.talk_records:
        lengths = [lasted for agent, call_id, lasted in known if (agent, call_id) == (talk.agent, talk.call_id)]
        near = any(abs(lasted - (talk.talk_ms or 0)) <= SAME_MS for lasted in lengths)
        assert talk.partial or near, f"{note}: {talk}"


def transfers(kept: KeptRings) -> list[tuple[str, str, str]]:
    found = (record for record in kept.records.values() if isinstance(record, Transfer))
    return [(one.agent, one.target, one.kind) for one in found]


def told_late(messages: list[Message], event: str) -> Iterator[tuple[str, list[Message]]]:
    """One event at every later place that a thread held up for `LATE_MS` leads to; it keeps Asterisk's time."""
    for at, (at_ms, message) in enumerate(messages):
        if message["Event"] == event:
            for later in range(at + 1, len(messages)):
                if messages[later][0] - at_ms > LATE_MS:
                    break
                after = [*messages[at + 1 : later + 1], (messages[later][0], message)]
                yield f"event {at} after {later}", [*messages[:at], *after, *messages[later + 1 :]]


@pytest.mark.parametrize("file", PICKUPS, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_a_pickup_reported_late(file: Path) -> None:
    """The picker's thread reports it, while the thread of Queue or Dial connects the two."""
    known = {identity(record): same(record) for record in records(whole(file))}
    for note, stream in told_late(messages_of(file), "Pickup"):
        life = Life.begin(stream[0][0])
        life.hear(stream)
        kept = life.end()
        nothing_stays(kept, note)
        assert {identity(record): same(record) for record in records(kept)} == known, note
        assert begun(kept) == begun(whole(file)), note


def begun(kept: KeptRings) -> list[tuple[str, str, str]]:
    """Who came to talk with which agent."""
    talks = (talk.parties for talk in kept.talks if isinstance(talk, TalkBegan))
    return [(talk.caller_uniqueid, talk.agent_channel, talk.agent) for talk in talks]


def same(record: Stay | Offer | Leg) -> tuple[object, ...]:
    """What the order of a few milliseconds may not change."""
    times = {name: getattr(record, name, None) is None for name in ("ring_ms", "wait_ms", "talk_ms")}
    return (*verdict(replace(record, revision=0)), *times.values(), record.partial)
