"""What became of one caller after the screening: queues, offers and phones, in words."""

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from callflow.adapters.store.lists import Ringing
from callflow.commands.calls_when import seconds
from callflow.commands.calls_words import printable
from callflow.core.rings.records import Leg, Offer, Stay, TargetType, Timing


def print_rings(ringing: Ringing, arrived_ms: int, out: Console) -> None:
    """A line for each stay in a queue, offer and phone; nothing if nothing rang."""
    for at_ms, line in rings_in_words(ringing):
        out.print(Text(f"{(at_ms - arrived_ms) / 1000:6.3f} s  {printable(line)}"), soft_wrap=True)


def rings_in_words(ringing: Ringing) -> list[tuple[int, str]]:
    """When and what, in order of time; an offer stands before its phones."""
    return sorted((*_stays(ringing.stays), *_offers(ringing.offers, ringing.legs)), key=lambda told: told[0])


def _stays(stays: list[Stay]) -> Iterator[tuple[int, str]]:
    for stay in stays:
        outcome = "still there" if stay.outcome is None else stay.outcome.replace("_", " ")
        by = f" by {stay.agent}" if stay.agent else ""
        after = f" after {seconds(stay.wait_ms)}" if stay.wait_ms is not None else ""
        talk = f", talked for {seconds(stay.talk_ms)}" if stay.talk_ms is not None else ""
        yield stay.joined_ms, f"joins queue {stay.queue}: {outcome}{by}{after}{talk}{_doubt(stay)}"


def _offers(offers: list[Offer], legs: list[Leg]) -> Iterator[tuple[int, str]]:
    for offer in offers:
        target = "queue" if offer.target_type is TargetType.QUEUE else "line"
        yield offer.began_ms, f"{target} {offer.target} rings{_answer(offer)}{_doubt(offer)}"
    for leg in legs:
        who = leg.agent or leg.interface
        end = "" if leg.end is None else f": {leg.end.replace('_', ' ')}"
        yield leg.began_ms, f"  phone of {who}{end}{_answer(leg)}{_doubt(leg)}"


def _answer(rung: Offer | Leg) -> str:
    if rung.ring_ms is None:
        return ""
    judged = f", {rung.answer_class}" if rung.answer_class else ""
    rings = "" if rung.rings is None else f", {rung.rings} ring{'' if rung.rings == 1 else 's'}"
    return f", {seconds(rung.ring_ms)}{rings}{judged}"


def _doubt(record: Stay | Offer | Leg) -> str:
    """Why a record counts in no standard."""
    reasons = ["partial"] if record.partial else []
    if record.timing is not Timing.STAMPED:
        reasons.append("timed by arrival")
    return f" ({', '.join((*reasons, *record.marks))})" if reasons or record.marks else ""
