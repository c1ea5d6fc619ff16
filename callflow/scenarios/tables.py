"""The closing tables of a run, the same for a pretend and a real Asterisk."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from rich import box
from rich.table import Table

from callflow.scenarios.seen import CUT, RUNGS, SeenCall
from callflow.scenarios.tally import HEARD, Tally

COLOURS = {
    "silent": "red",
    "quiet": "red",
    "spoke": "green",
    "key": "green",
    "rescued": "bold green",
    "hangup": "yellow",
}
ONE_BY_ONE = 40
_WRONGS = 10
LEGEND = f"S1 greeting, S2 can you hear me, S3 goodbye, Q2-Q4 too low, {CUT} cut short"


def closing_table(tally: Tally, witness: str) -> Table:
    """One line for each call if they fit a screen, else one for each group; `witness` is who saw them."""
    return call_table(tally.calls, witness) if tally.ended <= ONE_BY_ONE else _group_table(tally, witness)


def aftercare_tables(tally: Tally) -> Iterator[Table]:
    """The call-back list and the ratings, where there are any."""
    if tally.aftercare.callbacks:
        table = plain_table("call-backs, as recorded", "number", "why", "state", "calls")
        for entry in tally.aftercare.callbacks:
            why = (*entry.reasons, "spoken name") if entry.spoken_name else entry.reasons
            table.add_row(entry.number, ", ".join(why), entry.state, ", ".join(entry.outcomes))
        yield table
    if tally.aftercare.ratings:
        counts = Counter((rating.result, rating.scores) for rating in tally.aftercare.ratings)
        table = plain_table("ratings, as recorded", "result", "efficiency, attitude, correctness", "calls")
        for (result, scores), calls in counts.items():
            said = " ".join(str(score or "-") for score in scores) if any(scores) else ""
            table.add_row(result, said, f"{calls:,}")
        yield table


def plain_table(title: str, *headings: str, caption: str | None = None) -> Table:
    """A table without frames: at 80 columns they take the place of words. What is too long goes on below."""
    table = Table(
        title=title, caption=caption, box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0),
        min_width=len(caption or ""),
    )  # fmt: skip
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def call_table(calls: Iterable[SeenCall], witness: str) -> Table:
    """One line for each call."""
    table = plain_table(f"judged from {witness}", "caller", "heard", "result", "end", "reaction", "ok", caption=LEGEND)
    for seen in sorted(calls, key=lambda seen: seen.index):
        table.add_row(
            seen.caller,
            _prompts(seen),
            coloured(seen.result or "?"),
            _end(seen),
            "" if seen.reaction_s is None else f"{seen.reaction_s * 1000:.0f} ms",
            "[red]no[/]" if seen.disagreements else "[green]yes[/]" if seen.judged else "?",
        )
    return table


def coloured(result: str) -> str:
    """A result in its colour, as rich's markup."""
    return f"[{COLOURS.get(result, 'white')}]{result}[/]"


def _prompts(seen: SeenCall) -> str:
    heard = seen.prompts or ()
    return " ".join(f"{RUNGS.get(prompt.name, prompt.name)}{CUT if prompt.cut else ''}" for prompt in heard)


def _end(seen: SeenCall) -> str:
    """Whom the caller reached, or who ended the call."""
    if seen.agent:
        return "agent"
    return {"asterisk": "hung up on", "caller": "caller left", None: ""}.get(seen.ended_by, str(seen.ended_by))


def _group_table(tally: Tally, witness: str) -> Table:
    table = plain_table(f"judged from {witness}", "callers", "calls", "results", "to an agent", "ok")
    for name, group in tally.groups.items():
        results = ", ".join(f"{count:,} {result}" for result, count in group.results.most_common())
        wrong = group.calls - group.passed - group.unjudged
        verdict = f"[red]{wrong:,} not[/]" if wrong else "[green]yes[/]"
        table.add_row(name, f"{group.calls:,}", results, f"{group.agent:,}", verdict)
    return table


def disagreement_lines(tally: Tally) -> list[str]:
    """One line for each of the first calls that did not end as expected, and for what differs after them."""
    lines = [
        f"{seen.caller} ({seen.number or 'withheld'}): {'; '.join(seen.disagreements)}" for seen in tally.disagreeing
    ]
    more = tally.ended - tally.passed - tally.unjudged - _WRONGS
    return [*lines[:_WRONGS], *([f"and {more:,} more"] if more > 0 else []), *tally.wrong_after]


def what_was_heard(heard: Mapping[str, int]) -> str:
    """A sentence on the callers' sound; empty if nobody listened to it."""
    parts = ", ".join(f"{calls:,} {kind}" for kind, calls in sorted(heard.items(), key=lambda one: (-one[1], one[0])))
    return f"Their sound, as the daemon heard it last: {parts}." if parts else ""


def summary(tally: Tally) -> str:
    """The closing sentences."""
    if not tally.placed:
        return "No calls came in." + ("" if tally.wrong_after else " Everything else is as expected.")
    results = tally.results
    heard = sum(results[result] for result in HEARD)
    others = {result: count for result, count in results.items() if result not in (*HEARD, "silent", "hangup")}
    more = "".join(f", {count:,} {result}" for result, count in sorted(others.items()))
    lost = f" [bold red]{tally.lost:,} were lost.[/]" if tally.lost else ""
    unjudged = f" {tally.unjudged:,} could not be judged." if tally.unjudged else ""
    return (
        f"{tally.placed:,} callers: {heard:,} were heard and handed on ({results['rescued']:,} of them during or after "
        f"the goodbye), {results['silent']:,} were silent to the end, {results['hangup']:,} hung up themselves{more}. "
        f"{tally.passed:,} of {tally.placed:,} as expected.{unjudged}{lost}"
    )
