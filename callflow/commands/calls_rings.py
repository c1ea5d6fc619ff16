"""A call after the screening, in words: queues, phones that rang, talks, and actions in them."""

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from callflow.adapters.store.lists import Ringing
from callflow.commands.times import seconds
from callflow.core.assist.steps import AssistStep
from callflow.core.assist.wrap_up import WrapUp
from callflow.core.printable import printable
from callflow.core.rings.records import HeldBy, Hold, Leg, Offer, Stay, Talk, TargetType, Timing, Transfer


def print_rings(ringing: Ringing, arrived_ms: int, out: Console) -> None:
    """A line for each queue stay, offer, phone, talk, hold, transfer and wrap-up; nothing if nothing rang."""
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", no_wrap=True)
    for at_ms, line in rings_in_words(ringing):
        table.add_row(seconds(at_ms - arrived_ms), Text(printable(line)))
    out.print(table)


def rings_in_words(ringing: Ringing) -> list[tuple[int, str]]:
    """When and what, in order of time; an offer stands before its phones."""
    told = (
        *_stays(ringing.stays),
        *_offers(ringing.offers, ringing.legs),
        *_talks(ringing.talks),
        *_holds(ringing.holds),
        *_transfers(ringing.transfers),
        *_wrap_ups(ringing.wrap_ups),
        *_assisted(ringing.assist_steps),
    )
    return sorted(told, key=lambda one: one[0])


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


def _talks(talks: list[Talk]) -> Iterator[tuple[int, str]]:
    for talk in talks:
        how_long = " begins" if talk.talk_ms is None else f" for {seconds(talk.talk_ms)}"
        held = f", on hold {_times(talk.hold_count)}" if talk.hold_count else ""
        if talk.hold_ms:
            held += f" for {seconds(talk.hold_ms)}"
        if talk.hold_count > 1 and talk.hold_ms:
            held += f", longest {seconds(talk.longest_hold_ms)}"
        yield talk.began_ms, f"talks to {talk.agent or 'an agent'}{how_long}{held}{_partial(talk)}"


def _holds(holds: list[Hold]) -> Iterator[tuple[int, str]]:
    for hold in holds:
        who = (
            f"  {hold.agent or 'the agent'} puts the caller"
            if hold.held_by is HeldBy.AGENT
            else "  the caller puts the agent"
        )
        how_long = "" if hold.hold_ms is None else f" for {seconds(hold.hold_ms)}"
        yield hold.began_ms, f"{who} on hold{how_long}{_partial(hold)}"


def _transfers(transfers: list[Transfer]) -> Iterator[tuple[int, str]]:
    for transfer in transfers:
        target = f" to {transfer.target}" if transfer.target else ""
        yield transfer.at_ms, f"  {transfer.agent or 'the agent'} transfers the caller{target}, {transfer.kind}"


def _wrap_ups(wrap_ups: list[WrapUp]) -> Iterator[tuple[int, str]]:
    for wrap_up in wrap_ups:
        if wrap_up.began_ms is None:
            yield wrap_up.asked_ms, f"{wrap_up.agent} asks for a wrap-up"
            continue
        how_long = "" if wrap_up.wrap_up_ms is None else f" for {seconds(wrap_up.wrap_up_ms)}"
        end = "" if wrap_up.ended_by is None else f", ended by {wrap_up.ended_by}"
        outcome = f" ({wrap_up.outcome.replace('_', ' ')})" if wrap_up.outcome else ""
        yield wrap_up.began_ms, f"{wrap_up.agent} wraps up{how_long}{end}{outcome}"


def _assisted(steps: list[AssistStep]) -> Iterator[tuple[int, str]]:
    for step in steps:
        what = f" {step.what}" if step.what else ""
        outcome = f": {step.outcome.replace('_', ' ')}" if step.outcome else ""
        why = f" ({step.why})" if step.why else ""
        yield step.at_ms, f"  assistance {step.kind.value.replace('_', ' ')}{what}{outcome}{why}"


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def _partial(record: Talk | Hold) -> str:
    reasons = [*(["partial"] if record.partial else []), *record.marks]
    return f" ({', '.join(reasons)})" if reasons else ""


def _answer(rung: Offer | Leg) -> str:
    if rung.ring_ms is None:
        return ""
    judged = f", {rung.answer_class}" if rung.answer_class else ""
    rings = "" if rung.rings is None else f", {rung.rings} ring{'' if rung.rings == 1 else 's'}"
    return f", {seconds(rung.ring_ms)}{rings}{judged}"


def _doubt(record: Stay | Offer | Leg) -> str:
    """Why a record is left out of every service level."""
    reasons = ["partial"] if record.partial else []
    if record.timing is not Timing.STAMPED:
        reasons.append("timed by arrival")
    return f" ({', '.join((*reasons, *record.marks))})" if reasons or record.marks else ""
