"""Figures of the call-back list by reason."""

from collections.abc import Iterable
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from callflow.adapters.store.callback_queries import CallbackQueries, Wanting
from callflow.commands.times import shown_seconds
from callflow.core.callbacks.attempt import Attempt, Outcome
from callflow.core.callbacks.entry import Entry, Reason
from callflow.core.callbacks.states import State

MOST = 1_000_000


def figures_of(entries: CallbackQueries, since_ms: int | None, until_ms: int | None) -> dict[str, Any]:
    """`{"by_reason": {REASON: figures}, "all": figures, "outcomes": {OUTCOME: number}}`.

    An entry counts with its first reason. Times to reach are seconds from raising to being done.
    """
    found = entries.entries(Wanting(since_ms=since_ms, until_ms=until_ms), MOST)
    attempts = entries.ended_attempts(since_ms, until_ms)
    by_reason = {reason.value: [e for e in found if e.reasons[:1] == (reason.value,)] for reason in Reason}
    return {
        "by_reason": {reason: _figures(some) for reason, some in by_reason.items() if some},
        "all": _figures(found),
        "outcomes": _outcomes(attempts),
    }


def _figures(entries: list[Entry]) -> dict[str, Any]:
    reached_s = sorted(
        (entry.closed_ms - entry.raised_ms) / 1000
        for entry in entries
        if entry.state is State.DONE and entry.closed_ms is not None
    )
    return {
        "raised": len(entries),
        "reached": len(reached_s),
        "given_up": sum(entry.state is State.GIVEN_UP for entry in entries),
        "unknown": sum(entry.state is State.UNKNOWN for entry in entries),
        "open": sum(entry.live for entry in entries),
        "attempts": sum(entry.attempts for entry in entries),
        "median_s_to_reach": round(median(reached_s), 1) if reached_s else None,
        "longest_s_to_reach": round(reached_s[-1], 1) if reached_s else None,
    }


def _outcomes(attempts: Iterable[Attempt]) -> dict[str, int]:
    counts = {outcome.value: 0 for outcome in Outcome}
    for attempt in attempts:
        if attempt.outcome is not None:
            counts[attempt.outcome.value] += 1
    return {outcome: number for outcome, number in counts.items() if number}


def print_figures(figures: dict[str, Any], out: Console) -> None:
    """A row for each reason, then all; below it how the attempts ended."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("reason", "raised", "reached", "given up", "unknown", "open", "tries", "median", "longest"):
        table.add_column(name, justify="left" if name == "reason" else "right", no_wrap=True)
    for reason, row in (*figures["by_reason"].items(), ("all", figures["all"])):
        counts = (row[name] for name in ("raised", "reached", "given_up", "unknown", "open", "attempts"))
        times = (row["median_s_to_reach"], row["longest_s_to_reach"])
        cells = (reason, *map(str, counts), *("-" if t is None else shown_seconds(t) for t in times))
        table.add_row(*map(Text, cells), style="bold" if reason == "all" else "")
    out.print(table)
    outcomes = ", ".join(f"{number} {outcome.replace('_', ' ')}" for outcome, number in figures["outcomes"].items())
    if outcomes:
        out.print(Text(f"calls placed for them: {outcomes}"))
