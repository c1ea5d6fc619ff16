"""Compares what the ring tracker recorded with what a scenario expects, and with the wire."""

from collections.abc import Iterator
from dataclasses import dataclass

from callflow.adapters.ami.framing import parse
from callflow.captures.ring_replay import KeptRings, replay_rings
from callflow.core.rings.measuring import REAL_RINGING
from callflow.core.rings.records import HeldBy, Hold, Leg, LegEnd, Offer, Outcome, Stay, Talk
from callflow.core.rings.rules import RingRules
from callflow.lab.phone.legs import PhoneLeg
from callflow.lab.rings.numbering import Numbered
from callflow.lab.rings.run import Placed
from callflow.lab.rings.scenario import LegExpected, Name, OfferExpected, StayExpected

TOLERANCE_MS = 20
"""Between a phone's 180 and 200 on the wire and what is recorded."""

HOLD_TOLERANCE_MS = 250
"""Between the time for which a phone is told to hold and the recorded hold: two re-INVITEs and their answers."""

TALK_TOLERANCE_MS = 50
"""Between the BYE or REFER and the end of the talk: a hang-up wakes several threads of Asterisk in turn."""


@dataclass(frozen=True)
class Records:
    """What was recorded of one scenario."""

    stays: list[Stay]
    offers: list[Offer]
    legs: list[Leg]
    second: list[Stay]
    """Stays in the second queue."""
    talks: list[Talk]
    holds: list[Hold]
    others_offers: list[Offer]
    """Offers to this scenario's phones that belong to other calls."""


def rules_of(scenarios: list[Numbered]) -> RingRules:
    """The settings that these scenarios are recorded by."""
    own = {s.queue: s.scenario.cadence for s in scenarios if s.scenario.queue is not None}
    return RingRules(queue_cadences=own)


def record(placed: Placed) -> KeptRings:
    """What the tracker records of a whole run."""
    messages = ((round(arrival.at_s * 1000), parse(arrival.raw)) for arrival in placed.arrivals)
    return replay_rings(messages, rules_of(placed.scenarios))


def records_of(kept: KeptRings, numbered: Numbered) -> Records:
    """The records of one scenario's own caller, and of others in its queues."""
    stays = [stay for stay in kept.stays if stay.queue == numbered.queue]
    second = [stay for stay in kept.stays if stay.queue == numbered.second_queue]
    calls = {stay.call_id for stay in stays if stay.caller_number == numbered.caller}
    if numbered.scenario.queue is None:
        calls |= {offer.call_id for offer in kept.offers if offer.target == numbered.entry}
    if not numbered.scenario.calls:
        calls |= {stay.call_id for stay in second}
    rang = {leg.offer_id for leg in kept.legs if any(number in leg.interface for number in numbered.numbers.values())}
    return Records(
        stays,
        [offer for offer in kept.offers if offer.call_id in calls],
        [leg for leg in kept.legs if leg.call_id in calls],
        second,
        [talk for talk in kept.talk_records if talk.call_id in calls],
        [hold for hold in kept.holds if hold.call_id in calls],
        [offer for offer in kept.offers if offer.call_id not in calls and offer.offer_id in rang],
    )


def judge(numbered: Numbered, records: Records, placed: Placed) -> list[str]:
    """Every disagreement, in words."""
    wire = placed.legs_of(numbered)
    return [
        *_stays(numbered, records),
        *_second_stay(numbered, records),
        *_voices(numbered, placed),
        *_offers(numbered, records),
        *_legs(numbered, records),
        *_wire(numbered, records, wire),
        *_talk(numbered, records, wire),
        *_holds(numbered, records),
    ]


def _stays(numbered: Numbered, records: Records) -> Iterator[str]:
    expect = numbered.scenario.expect
    if len(records.stays) != expect.stays:
        yield f"{len(records.stays)} stays, expected {expect.stays}"
    mine = [stay for stay in records.stays if stay.caller_number == numbered.caller]
    others = tuple(stay.outcome for stay in records.stays if stay not in mine)
    if others != expect.others:
        yield f"other callers came to {others}, expected {expect.others}"
    for stay in mine:
        if stay.outcome is not expect.outcome:
            yield f"outcome {stay.outcome}, expected {expect.outcome}"
        if stay.marks != expect.marks and not (expect.may_be_guessed and stay.marks == ("outcome_guessed",)):
            yield f"marks {stay.marks}, expected {expect.marks}"
        if stay.agent not in _numbers(numbered, expect.agent):
            yield f"agent {stay.agent!r}, expected {expect.agent}"
        if stay.partial:
            yield "the stay is partial"


def _second_stay(numbered: Numbered, records: Records) -> Iterator[str]:
    expect = numbered.scenario.expect.second
    if len(records.second) != (0 if expect is None else 1):
        yield f"{len(records.second)} stays in the second queue, expected {expect}"
        return
    calls = {offer.call_id for offer in records.offers}
    for stay in records.second:
        seen = StayExpected(
            outcome=stay.outcome or Outcome.TIMEOUT, agent=_letter(numbered, stay.agent), marks=stay.marks
        )
        if seen != expect or stay.outcome is None or stay.partial:
            yield f"second stay {stay.outcome} {seen}{' partial' * stay.partial}, expected {expect}"
        if stay.call_id not in calls:
            yield "the second stay is that of another call"


def _voices(numbered: Numbered, placed: Placed) -> Iterator[str]:
    """Which parties talked with the caller, by the sines in the audio that each phone received."""
    hears = numbered.scenario.expect.hears
    if not numbered.scenario.sound:
        return
    heard = placed.heard[numbered.scenario.name]
    if heard["caller"] != hears:
        yield f"the caller heard {heard['caller']}, expected {hears}"
    yield from (f"{party} did not hear the caller" for party in hears if "caller" not in heard[party])


def _offers(numbered: Numbered, records: Records) -> Iterator[str]:
    expected = numbered.scenario.expect.offers
    if len(records.offers) != len(expected):
        yield f"{len(records.offers)} offers, expected {len(expected)}"
    if len(records.others_offers) != numbered.scenario.expect.others_offers:
        yield f"offers of other calls: {[offer.target for offer in records.others_offers]}"
    for offer, wanted in zip(records.offers, expected, strict=False):
        seen = OfferExpected(
            answer_class=offer.answer_class,
            agent=_letter(numbered, offer.agent),
            target=_target(numbered, offer.target) if wanted.target else "",
            legs=offer.legs,
            picked_up=offer.picked_up,
        )
        agents = wanted.agent if isinstance(wanted.agent, tuple) else (wanted.agent,)
        if seen.model_copy(update={"agent": wanted.agent}) != wanted or seen.agent not in agents:
            yield f"offer {seen}, expected {wanted}"


def _legs(numbered: Numbered, records: Records) -> Iterator[str]:
    expected = numbered.scenario.expect.legs
    left = list(records.legs)
    for wanted in expected:
        number = numbered.number(wanted.phone)
        leg = next((leg for leg in left if number in leg.interface), None)
        if leg is None:
            yield f"no leg to {number} where one is expected"
            continue
        left.remove(leg)
        yield from _leg(number, leg, wanted)
    yield from (f"a leg to {leg.interface} where none is expected" for leg in left)


def _leg(number: str, leg: Leg, wanted: LegExpected) -> Iterator[str]:
    for what, seen, right in (
        ("ended as", leg.end, wanted.end),
        ("answered", leg.answer_class, wanted.answer_class),
        ("marks", leg.marks, (wanted.marks,)),
    ):
        if seen not in (right if isinstance(right, tuple) else (right,)):
            yield f"leg to {number}: {what} {seen}, expected {right}"
    source = leg.ring_source or "none"
    rings = ("ringing", "dial_state") if wanted.source == "ringing" else (wanted.source,)  # a race of two threads
    if source not in rings:
        yield f"leg to {number}: ring start by {source}, expected {wanted.source}"


def _wire(numbered: Numbered, records: Records, wire: list[PhoneLeg]) -> Iterator[str]:
    """Where the phone said 180 and 200, the recorded ring is between them."""
    for leg, seen in pair_with_wire(records, wire, numbered):
        if seen.ring_s is None or leg.ring_ms is None or leg.ring_source not in REAL_RINGING:
            continue
        if leg.end is LegEnd.ANSWERED and abs(leg.ring_ms - seen.ring_s * 1000) > TOLERANCE_MS:
            yield f"leg to {seen.number}: {leg.ring_ms} ms recorded, {seen.ring_s * 1000:.0f} ms on the wire"


def _talk(numbered: Numbered, records: Records, wire: list[PhoneLeg]) -> Iterator[str]:
    """The agent's talk ends when the agent's phone leaves: by a BYE of either side, or by a REFER of its own."""
    for leg, seen in pair_with_wire(records, wire, numbered):
        stay = next((stay for stay in records.stays if stay.call_id == leg.call_id and stay.agent == leg.agent), None)
        left = [at for at in (seen.referred_at, seen.bye_at) if at is not None]
        if leg.connect_ms is None or stay is None or stay.talk_end_ms is None or not left or not leg.queue:
            continue
        late_ms = [stay.talk_end_ms - at * 1000 for at in left]
        if min(abs(late) for late in late_ms) > TALK_TOLERANCE_MS:
            yield f"talk ended {', '.join(f'{late:+.0f}' for late in late_ms)} ms from when {seen.number} left"


def _holds(numbered: Numbered, records: Records) -> Iterator[str]:
    """How often and how long the agents had the caller on hold, in each hold and in the sums of the talks."""
    held_ms = [hold.hold_ms or 0 for hold in records.holds if hold.held_by is HeldBy.AGENT]
    wanted = numbered.scenario.expect.holds_s
    if wanted is not None and len(held_ms) != len(wanted):
        yield f"{len(held_ms)} holds, expected {len(wanted)}"
    for held, seconds in zip(held_ms, wanted or (), strict=False):
        if abs(held - 1000 * seconds) > HOLD_TOLERANCE_MS:
            yield f"a hold of {held} ms, expected {1000 * seconds:.0f}"
    sums = sum(talk.hold_count for talk in records.talks), sum(talk.hold_ms for talk in records.talks)
    if sums != (len(held_ms), sum(held_ms)):
        yield f"the talks count {sums[0]} holds of {sums[1]} ms, there are {len(held_ms)} of {sum(held_ms)} ms"


def pair_with_wire(records: Records, wire: list[PhoneLeg], numbered: Numbered) -> Iterator[tuple[Leg, PhoneLeg]]:
    """Each leg with the INVITE it stands for: the one to a phone of its name that was sent at that time."""
    for number in numbered.numbers.values():
        invites = [seen for seen in wire if seen.number == number]
        for leg in records.legs:
            if number in leg.interface and invites:
                yield leg, min(invites, key=lambda seen: abs(seen.invited_at * 1000 - leg.began_ms))


def _numbers(numbered: Numbered, letters: Name | tuple[Name, ...] | None) -> tuple[str, ...]:
    if letters is None:
        return ("",)
    return tuple(numbered.number(letter) for letter in (letters if isinstance(letters, tuple) else (letters,)))


def _letter(numbered: Numbered, number: str) -> Name | None:
    return next((letter for letter in numbered.scenario.phones if numbered.number(letter) == number), None)


def _target(numbered: Numbered, target: str) -> str:
    """A target's name in the scenario: `queue`, `second`, or the letter of a line."""
    return {numbered.queue: "queue", numbered.second_queue: "second"}.get(target) or _letter(numbered, target) or target
