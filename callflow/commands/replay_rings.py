"""The rings of a capture, as `callflow replay` shows them: phones that were dialled, callers who waited."""

from collections.abc import Iterator

from rich.table import Table

from callflow.core.rings.record import Leg, Offer, Stay
from callflow.core.rings.rules import RingRules
from callflow.simulator.ring_replay import KeptRings, capture_messages, replay_rings
from callflow.simulator.trace import Capture

_COLUMNS = ("call", "for", "who", "began", "rang or waited", "rings", "class", "ended as")


def ring_table(capture: Capture, first: int, rules: RingRules) -> Table | None:
    """Stays, offers and legs in order of time, seconds from the capture's beginning; None when nothing rang."""
    kept = replay_rings(capture_messages(capture, first), rules)
    rows = sorted(_rows(kept, int(capture.began_s * 1000)), key=lambda row: row[0])
    if not rows:
        return None
    table = Table(title=f"rings, by the cadence {rules.cadence}", title_justify="left", box=None)
    for column in _COLUMNS:
        table.add_column(column, justify="right" if column in ("began", "rang or waited", "rings") else "left")
    for _, cells in rows:
        table.add_row(*cells)
    return table


def _rows(kept: KeptRings, began_ms: int) -> Iterator[tuple[tuple[int, int], tuple[str, ...]]]:
    for stay in kept.stays:
        yield (stay.joined_ms, 0), _stay(stay, began_ms)
    for offer in kept.offers:
        yield (offer.began_ms, 1), _offer(offer, began_ms)
    for leg in kept.legs:
        yield (leg.began_ms, 2), _leg(leg, began_ms)


def _stay(stay: Stay, began_ms: int) -> tuple[str, ...]:
    return (
        stay.call_id,
        f"queue {stay.queue}",
        stay.agent,
        _seconds(stay.joined_ms - began_ms),
        _seconds(stay.wait_ms),
        "",
        "",
        _certain(stay.outcome, partial=stay.partial),
    )


def _offer(offer: Offer, began_ms: int) -> tuple[str, ...]:
    return (
        offer.call_id,
        f"offer to {offer.target_type} {offer.target}",
        offer.agent,
        _seconds(offer.began_ms - began_ms),
        _seconds(offer.ring_ms),
        "" if offer.rings is None else str(offer.rings),
        offer.answer_class or "",
        _certain("picked up" if offer.pickup_ms else "not picked up", partial=offer.partial),
    )


def _leg(leg: Leg, began_ms: int) -> tuple[str, ...]:
    return (
        leg.call_id,
        f"  phone {leg.interface}",
        leg.agent,
        _seconds(leg.began_ms - began_ms),
        _seconds(leg.ring_ms),
        "" if leg.rings is None else str(leg.rings),
        leg.answer_class or "",
        _certain(leg.end, partial=leg.partial),
    )


def _seconds(ms: int | None) -> str:
    return "-" if ms is None else f"{ms / 1000:.3f} s"


def _certain(what: str | None, *, partial: bool) -> str:
    return f"{what or 'unknown'}{', seen in part' if partial else ''}"
