"""`callflow replay`: what the core decides on a recorded capture."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import track
from rich.table import Table

from callflow.captures.capture_file import Capture, CaptureInvalid, read_capture
from callflow.captures.judging import Judge, Verdict
from callflow.captures.replay import Replay, Replayed, procedures_of
from callflow.captures.ring_replay import KeptRings, capture_messages, replay_rings
from callflow.core.profile import Procedures
from callflow.core.rings.cadence import COUNTRIES
from callflow.core.rings.records import Leg, Offer, Stay
from callflow.core.rings.rules import RingRules
from callflow.errors import SettingError
from callflow.scenarios.tables import plain_table

_COLUMNS = ("call", "for", "who", "began s", "lasted s", "rings", "class", "ended as")


def replay(
    context: typer.Context,
    capture: Annotated[Path, typer.Argument(help="Capture file that `callflow record` wrote.")],
    first: Annotated[int, typer.Option("--from", help="Start at this message, counted from 1.", min=1)] = 1,
    every_start: Annotated[
        bool, typer.Option("--every-start", help="Start at each message in turn; report only errors.")
    ] = False,
) -> None:
    """Run a capture through the decision core in virtual time, and show what it decides.

    From the start of a capture with both taps, its decisions are compared with those of the daemon that was recorded.
    From any later message it acts as a daemon that attaches to a living PBX. What was rung and who waited is shown
    below. Exit code 1: something is not as it should be.

    Example: `callflow replay morning.txt --every-start`
    """
    found = read_capture(capture)
    if first > max(1, len(found.blocks)):
        raise SettingError("--from", f"{capture} has {len(found.blocks)} messages", "choose a number up to that")
    procedures = procedures_of(found) or context.obj.settings().procedures()
    console = Console(soft_wrap=True, highlight=False)
    purpose, asterisk = found.header.get("purpose", ""), found.header.get("asterisk", "?")
    console.print(f"[bold]{escape(purpose)}[/] Asterisk {escape(asterisk)}")
    if every_start:
        wrong = _all(found, procedures, console)
    else:
        wrong = _one(found, procedures, first - 1, console)
        rules = _ring_rules(found) or context.obj.settings().rings
        if table := ring_table(found, first - 1, rules):
            console.print(table)
    raise typer.Exit(1 if wrong else 0)


def _one(capture: Capture, procedures: Procedures, first: int, console: Console) -> int:
    began_ms = int(capture.began_s * 1000)
    played = Replay(capture, procedures).run(
        first, lambda d: console.print(f"{(d.at_ms - began_ms) / 1000:10.3f} s  {d.call_id:<20} {d.what}", markup=False)
    )
    console.print(_summary(capture, played))
    return _tell(Judge(capture).judge(first, played), console)


def _ring_rules(capture: Capture) -> RingRules | None:
    """By the cadence that the capture's header names; None if it names none. Raises CaptureInvalid."""
    cadence = capture.header.get("cadence")
    if cadence and cadence not in COUNTRIES:
        remedy = f"write one of {', '.join(COUNTRIES)} there"
        raise CaptureInvalid(f"{capture.name}: its header names the cadence {cadence!r}, which is not known", remedy)
    return RingRules(cadence=cadence) if cadence else None


def _all(capture: Capture, procedures: Procedures, console: Console) -> int:
    replays, judge = Replay(capture, procedures), Judge(capture)
    wrong = 0
    for first in track(range(len(capture.blocks)), "starts", console=Console(stderr=True), transient=True):
        verdict = judge.judge(first, replays.run(first))
        if verdict.wrong:
            console.print(f"from message {first + 1}:")
            wrong += _tell(verdict, console)
    if not wrong:
        console.print(f"[bold green]attached at each of {len(capture.blocks)} messages[/]: no call was harmed.")
    return wrong


def _summary(capture: Capture, played: Replayed) -> Table:
    table = Table(box=None, show_header=False)
    results = ", ".join(f"{name} {number}" for name, number in sorted(played.tally.items())) or "none"
    unexpected = ", ".join(f"{name} {number}" for name, number in sorted(played.unexpected.items())) or "none"
    table.add_row("messages", f"{len(capture.blocks)}, {sum(1 for _ in capture.events)} of them events")
    table.add_row("calls", results)
    table.add_row("unexpected", f"{unexpected} (counted, nothing more)")
    return table


def _tell(verdict: Verdict, console: Console) -> int:
    for line in verdict.wrong:
        console.print(f"[bold red]wrong[/] {line}")
    if not verdict.wrong:
        console.print(f"[green]{verdict.right}[/]")
    return len(verdict.wrong)


def ring_table(capture: Capture, first: int, rules: RingRules) -> Table | None:
    """Stays, offers and legs in order of time, seconds from the capture's beginning; None when nothing rang."""
    kept = replay_rings(capture_messages(capture, first), rules)
    rows = sorted(_rows(kept, int(capture.began_s * 1000)), key=lambda row: row[0])
    if not rows:
        return None
    table = plain_table(f"rings, by the cadence {rules.cadence}", *_COLUMNS)
    for column in table.columns:
        column.justify = "right" if column.header in ("began s", "lasted s", "rings") else "left"
        column.no_wrap = column.header == "call"
    for _, cells in rows:
        table.add_row(*cells)
    return table


def _rows(kept: KeptRings, began_ms: int) -> Iterator[tuple[tuple[int, int], tuple[str, ...]]]:
    """Rows with their sort key: time, then stay before offer before phone."""
    for stay in kept.stays:
        what = f"queue {stay.queue}"
        yield (stay.joined_ms, 0), _cells(stay, what, stay.joined_ms - began_ms, stay.wait_ms, stay.outcome)
    for offer in kept.offers:
        what = "  offer" if offer.target_type == "queue" else f"{offer.target_type} {offer.target}"
        ended = "picked up" if offer.pickup_ms else "not picked up"
        yield (offer.began_ms, 1), _cells(offer, what, offer.began_ms - began_ms, offer.ring_ms, ended)
    for leg in kept.legs:
        yield (leg.began_ms, 2), _cells(leg, f"    {leg.interface}", leg.began_ms - began_ms, leg.ring_ms, leg.end)


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
    return "-" if ms is None else f"{ms / 1000:.3f}"
