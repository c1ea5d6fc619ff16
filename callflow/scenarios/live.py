"""The live view of a run: each caller's state, or the number of calls in each state; and the progress."""

import asyncio
import signal
from collections import Counter, deque
from collections.abc import Coroutine, Iterable, Iterator
from typing import Any, TypeVar

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.table import Table

from callflow.scenarios.daemon_view import Row
from callflow.scenarios.scenario import Scenario
from callflow.scenarios.schedule import expected_calls, schedule
from callflow.scenarios.seen import SeenCall
from callflow.scenarios.tables import LEGEND, coloured, plain_table
from callflow.scenarios.tally import Run

FEW = 20
REFRESH_S = 0.2
_RATE_OVER_S = 5.0
Numbered = TypeVar("Numbered", Row, SeenCall)


class LiveView:
    """Shows a run while it lasts."""

    def __init__(self, console: Console, run: Run, title: str) -> None:
        self._run, self._title = run, title
        self._total = max(1, round(expected_calls(run.scenario)))
        self._callers = _introductions(run.scenario) if self._total <= FEW else []
        self._placed: deque[tuple[float, int]] = deque()
        self._bar = Bar(TextColumn("{task.fields[said]}"), BarColumn(bar_width=None), TimeElapsedColumn())
        self._task = self._bar.add_task("calls", total=self._total, said="")
        self._live = Live(console=console, refresh_per_second=1 / REFRESH_S, transient=True)

    async def show(self) -> None:
        """Keep it up to date until cancelled."""
        with self._live:
            while True:
                self.refresh()
                await asyncio.sleep(REFRESH_S)

    def refresh(self) -> None:
        """Draw the present state."""
        now = self._run.progress
        self._placed.append((now.now_s, now.placed))
        while now.now_s - self._placed[0][0] > _RATE_OVER_S:
            self._placed.popleft()
        running = now.placed - now.ended
        said = f"{now.placed:,} placed, {running:,} in progress, {self.calls_per_s:.1f} calls/s"
        self._bar.update(self._task, completed=now.ended, total=max(self._total, now.placed), said=said)
        self._live.update(Group(self.table(), self._bar))

    @property
    def calls_per_s(self) -> float:
        """New calls per second, over the last five."""
        (first_s, before), (last_s, after) = self._placed[0], self._placed[-1]
        return (after - before) / (last_s - first_s) if last_s > first_s else 0.0

    def table(self) -> RenderableType:
        """One line for each caller if they are few, else the number of calls in each state."""
        return self._caller_table() if self._callers else self._state_table()

    def _caller_table(self) -> Table:
        table = plain_table(self._title, "number", "caller", "heard", "now", "result", caption=LEGEND)
        rows, ended = _by_number(self._rows()), _by_number(self._run.tally.calls)
        for number, about in self._callers:
            row = next(rows.get(number, iter(())), None) or Row(number, now="")
            seen = next(ended.get(number, iter(())), None)
            result = row.result or (seen.result if seen else None) or ""
            table.add_row(number, about, " ".join(row.heard), row.now, coloured(result))
        return table

    def _rows(self) -> list[Row]:
        return self._run.daemon.rows() if self._run.daemon else []

    def _state_table(self) -> Table:
        table = plain_table(self._title, "in progress", "", "ended", "")
        table.columns[1].justify = table.columns[3].justify = "right"
        states = Counter(self._run.progress.in_progress).most_common()
        results = self._run.tally.results.most_common()
        for place in range(max(len(states), len(results), 1)):
            state, running = states[place] if place < len(states) else ("", 0)
            result, ended = results[place] if place < len(results) else ("", 0)
            table.add_row(state, f"{running:,}" if state else "", coloured(result), f"{ended:,}" if ended else "")
        return table


def _introductions(scenario: Scenario) -> list[tuple[str, str]]:
    """Number and description of every caller, in order of their calls."""
    return [(call.number, call.caller.about or call.caller.name) for call in schedule(scenario)]


def _by_number(items: Iterable[Numbered]) -> dict[str, Iterator[Numbered]]:
    """The items of each number, in order."""
    found: dict[str, list[Numbered]] = {}
    for item in items:
        found.setdefault(item.number, []).append(item)
    return {number: iter(of_number) for number, of_number in found.items()}


async def show_while_running(run: Run, work: Coroutine[Any, Any, None], console: Console, title: str) -> None:
    """Do the work and show the run meanwhile, if there is a terminal. SIGTERM cancels the work."""
    if task := asyncio.current_task():
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    showing = asyncio.create_task(LiveView(console, run, title).show()) if console.is_terminal else None

    async def hide() -> None:
        if showing:
            showing.cancel()
            await asyncio.gather(showing, return_exceptions=True)

    run.hide = hide
    try:
        await work
    finally:
        await hide()
