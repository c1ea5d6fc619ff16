"""Entries of the call-back list as a table, one with all its steps, and as JSON."""

from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from callflow.adapters.store.callback_queries import Listed
from callflow.commands.terminal import WIDE
from callflow.commands.times import iso, shown, shown_seconds
from callflow.core.callbacks.attempt import WORDS, Attempt
from callflow.core.callbacks.entry import CallbackChange, Entry
from callflow.core.callbacks.states import State
from callflow.core.printable import printable

STYLES = {
    State.OPEN: "cyan",
    State.CLAIMED: "yellow",
    State.DIALLING: "bold yellow",
    State.TRIED: "magenta",
    State.UNKNOWN: "bold red",
    State.DONE: "green",
    State.GIVEN_UP: "dim",
}


def entry_json(entry: Entry) -> dict[str, Any]:
    """All fields, times as epoch ms and as ISO."""
    fields = asdict(entry)
    for name in ("raised", "due", "changed", "closed"):
        fields[name] = iso(fields[f"{name}_ms"]) or None
    return fields


def change_json(change: CallbackChange) -> dict[str, Any]:
    """One step of an entry."""
    return {
        "revision": change.revision,
        "at_ms": change.at_ms,
        "at": iso(change.at_ms),
        "before": change.before,
        "state": change.state.value,
        "actor": change.actor,
        "why": change.why,
    }


def attempt_json(attempt: Attempt) -> dict[str, Any]:
    """One attempt."""
    return asdict(attempt)


def print_entries(found: list[Listed], out: Console, now_ms: int) -> None:
    """The table, and below it a count."""
    if found:
        table = Table(box=None, pad_edge=False, header_style="bold")
        names = ("node", "id", "state", "caller", "reasons", "due", "tries", "what happened last")
        several = len({one.node for one in found}) > 1
        shown_names = names[not several : None if out.width >= WIDE else -1]
        for name in shown_names:
            table.add_column(name, overflow="fold", no_wrap=name in ("id", "state"))
        for one in found:
            entry = one.entry
            cells = (
                Text(printable(one.node)),
                Text(entry.callback_id),
                _state(entry.state),
                Text(printable(entry.number)),
                Text(printable(_reasons(entry))),
                Text(_due(entry, now_ms)),
                Text(str(entry.attempts)),
                Text(printable(entry.why)),
            )
            table.add_row(*cells[not several :][: len(shown_names)])
        out.print(table)
    overdue = sum(one.entry.live and one.entry.due_ms <= now_ms for one in found)
    late = f", {overdue} due now" if overdue else ""
    out.print(Text(f"{len(found)} call-back{'' if len(found) == 1 else 's'}{late}"))


def print_entry(
    entry: Entry, changes: list[CallbackChange], attempts: list[Attempt], out: Console, *, of_fleet: bool = False
) -> None:
    """One entry for people. A fleet's database has no zone: the node has it, and dials."""
    no_zone = "its node knows the zone" if of_fleet else "meant in no zone: it is not dialled"
    zone = f"meant in {entry.zone}" if entry.zone else no_zone
    out.print(Text.assemble((entry.callback_id, "bold"), "  ", _state(entry.state), f"  {printable(entry.number)}"))
    facts = {
        "reasons": _reasons(entry),
        "profile": entry.profile,
        "raised": shown(entry.raised_ms),
        "due": f"{shown(entry.due_ms)} ({zone})",
        "note": entry.note,
    }
    for name, text in facts.items():
        if text:
            out.print(Text(f"  {name:8} {printable(text)}"))
    out.print(Text("\nsteps", "bold"))
    for change in changes:
        line = f"  {shown(change.at_ms)}  "
        out.print(Text.assemble(line, _state(change.state), f"  {printable(change.actor)}: {printable(change.why)}"))
    if attempts:
        out.print(Text("\ncalls", "bold"))
    for attempt in attempts:
        what = WORDS[attempt.outcome] if attempt.outcome else "under way"
        cause = f" ({attempt.cause})" if attempt.cause else ""
        rang = "".join(
            f", {who} rang {shown_seconds(ms / 1000)}"
            for who, ms in (("agent", attempt.agent_ring_ms), ("caller", attempt.customer_ring_ms))
            if ms is not None
        )
        out.print(
            Text(f"  {shown(attempt.began_ms)}  agent {printable(attempt.agent)}: {what}{printable(cause)}{rang}")
        )


def _state(state: State) -> Text:
    return Text(state.value.replace("_", " "), STYLES[state])


def _reasons(entry: Entry) -> str:
    spoken = "spoken name" if entry.spoken_name else ""
    more = (f"{entry.queue} place {entry.place}" if entry.place else "", entry.reference, spoken)
    return ", ".join((*entry.reasons, *filter(None, more)))


def _due(entry: Entry, now_ms: int) -> str:
    if not entry.live:
        return ""
    wait_s = (entry.due_ms - now_ms) / 1000
    return "now" if wait_s <= 0 else f"in {shown_seconds(wait_s)}"
