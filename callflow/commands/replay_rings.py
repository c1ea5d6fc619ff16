"""The rings of a capture, as `callflow replay` shows them: phones that were dialled, callers who waited."""

from collections.abc import Iterator

from rich.table import Table

from callflow.captures.ring_replay import KeptRings, capture_messages, replay_rings
from callflow.captures.trace import Capture
from callflow.core.rings.records import Leg, Offer, Stay
from callflow.core.rings.rules import RingRules

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
    """Each with what it is sorted by: its time, and a stay before its offers before their phones."""
    for stay in kept.stays:
        what = f"queue {stay.queue}"
        yield (stay.joined_ms, 0), _cells(stay, what, stay.joined_ms - began_ms, stay.wait_ms, stay.outcome)
    for offer in kept.offers:
        what, ended = (
            f"offer to {offer.target_type} {offer.target}",
            "picked up" if offer.pickup_ms else "not picked up",
        )
        yield (offer.began_ms, 1), _cells(offer, what, offer.began_ms - began_ms, offer.ring_ms, ended)
    for leg in kept.legs:
        yield (leg.began_ms, 2), _cells(leg, f"  phone {leg.interface}", leg.began_ms - began_ms, leg.ring_ms, leg.end)


def _cells(
    record: Stay | Offer | Leg, what: str, began_ms: int, lasted_ms: int | None, ended: str | None
) -> tuple[str, ...]:
    rings, answer_class = ("", "") if isinstance(record, Stay) else (record.rings, record.answer_class)
    return (
        record.call_id,
        what,
        record.agent,
        _seconds(began_ms),
        _seconds(lasted_ms),
        "" if rings is None else str(rings),
        answer_class or "",
        f"{ended or 'unknown'}{', seen in part' if record.partial else ''}",
    )


def _seconds(ms: int | None) -> str:
    return "-" if ms is None else f"{ms / 1000:.3f} s"
