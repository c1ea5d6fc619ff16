"""A report for people: one table for each kind of figure, with a picture of how the rings were answered."""

from collections.abc import Iterator, Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from callflow.commands.report_figures import Column, Part, Report, Row, Value, columns
from callflow.commands.report_period import Period
from callflow.commands.sheets import Sheet, Unit
from callflow.commands.times import shown, shown_seconds
from callflow.core.printable import printable
from callflow.core.service.grouping import Counted
from callflow.core.service.level import FORMULAS
from callflow.core.service.tallies import Rings

BAR_CELLS = 24
CLASSES = (
    ("early", "e", "yellow"),
    ("acceptable", "a", "green"),
    ("ideal", "i", "bold bright_green"),
    ("late", "l", "red"),
    ("unanswered", "u", "magenta"),
)
NEARLY = 10.0
"""Percent points below the target that are still yellow."""
UNTOLD = {"unheard_not_judged"}
"""Figures that do not justify a table alone."""
TOTAL = "all"
GAP = 2
Cells = tuple[str, list[Text]]
"""A heading and what stands below it."""


def report_sheet(report: Report, *, all_formulas: bool) -> Sheet:
    """The report as plain values: a column for each `by`, one for each figure, and the total last."""
    figures = columns(all_formulas=all_formulas)
    rows = [[*row.names, *(c.value(row.counted) for c in figures)] for row in _rows(report)]
    start, end = report.period.iso()
    about: dict[str, Any] = {
        "period": report.period.shown(),
        "from": start,
        "to": end,
        "by": [by.value for by in report.by],
    }
    about["cadences"] = list(report.cadences)
    if report.deleted_before_ms:
        about["records_deleted_before_ms"] = report.deleted_before_ms
    names = [*(by.value for by in report.by), *(c.name for c in figures)]
    return Sheet("callflow report", names, rows, about, {c.name: c.unit for c in figures}, last_is_total=True)


def print_report(report: Report, out: Console, *, all_formulas: bool) -> None:
    """Every table that has figures."""
    out.print(Text(report.period.shown(), "bold"))
    print_deleted(report.deleted_before_ms, report.period, out)
    figures = columns(all_formulas=all_formulas)
    told = 0
    for part in Part:
        shown_columns = _shown([c for c in figures if c.part is part], report)
        if shown_columns:
            told += 1
            out.print(Text(f"\n{part.value}", "bold cyan"))
            for number, table in enumerate(_tables(part, shown_columns, report, out)):
                if number:
                    out.print()
                out.print(table)
            _explain(part, report, out)
    if not told:
        out.print("there are no records in this period")


def print_deleted(before_ms: int, period: Period, out: Console) -> None:
    """Say so if records of the period have been deleted; `before_ms` is 0 for none."""
    if before_ms and before_ms > period.start_ms:
        out.print(Text(f"records from before {shown(before_ms)} have been deleted", "yellow"))


def _rows(report: Report) -> list[Row]:
    """The rows and the total; a report that is not parted has only that."""
    return [*report.rows, Row((TOTAL,) * len(report.by), report.total)] if report.by else [Row((), report.total)]


def _shown(figures: Sequence[Column], report: Report) -> list[Column]:
    """The columns of a table that has figures; counts only if they are above zero."""
    if not any(c.name not in UNTOLD and c.value(report.total) for c in figures if c.unit is not Unit.TEXT):
        return []
    return [c for c in figures if c.name != "formula" and (c.value(report.total) or _belongs(c, report.total))]


def _belongs(column: Column, total: Counted) -> bool:
    """A figure that means something even if it is zero or missing."""
    part = {"service_level": total.service, "within_three_rings": total.rings, "occupancy": total.time}
    return part.get(column.name) is not None


def _tables(part: Part, figures: Sequence[Column], report: Report, out: Console) -> Iterator[Table]:
    """The figures of one part in as many tables as the width needs; each repeats the names of the rows."""
    rows = _rows(report)
    names = [(by.value, [Text(printable(row.names[at])) for row in rows]) for at, by in enumerate(report.by)]
    columns = [(c.heading, [_cell(c, row.counted) for row in rows]) for c in figures]
    if part is Part.RINGS:
        columns.append(("", [bar(row.counted.rings, colour=bool(out.color_system)) for row in rows]))
    room = out.width - sum(_width(column) for column in names)
    while columns:
        fits, used = 1, _width(columns[0])
        while fits < len(columns) and used + _width(columns[fits]) <= room:
            used += _width(columns[fits])
            fits += 1
        yield _table(names, columns[:fits])
        columns = columns[fits:]


def _width(column: Cells) -> int:
    """Cells that a column takes, with the gap beside it."""
    heading, cells = column
    return max(cell_len(heading), *(cell.cell_len for cell in cells)) + GAP


def _table(names: Sequence[Cells], figures: Sequence[Cells]) -> Table:
    """One table; the last row is the total where the report has rows."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading, _ in names:
        table.add_column(heading, overflow="fold")
    for heading, _ in figures:
        table.add_column(heading, justify="right" if heading else "left", no_wrap=True)
    rows = list(zip(*(cells for _, cells in (*names, *figures)), strict=True))
    for number, cells in enumerate(rows, 1):
        table.add_row(*cells, style="bold" if names and number == len(rows) else "")
    return table


def bar(rings: Rings | None, *, colour: bool) -> Text:
    """The classes side by side, as long as their shares: blocks in colour, else the classes' first letters."""
    counts = [getattr(rings, name) if rings else 0 for name, _, _ in CLASSES]
    whole = sum(counts)
    text = Text()
    if not whole:
        return text
    done = drawn = 0
    for count, (_, letter, style) in zip(counts, CLASSES, strict=True):
        done += count
        cells = round(done * BAR_CELLS / whole) - drawn
        drawn += cells
        text.append(("█" if colour else letter) * cells, style)
    return text


def _cell(column: Column, row: Counted) -> Text:
    value = column.value(row)
    if column.name == "service_level":
        return _level(value, row)
    return Text(shown_value(value, column.unit), "" if value else "dim")


def _level(value: Value, row: Counted) -> Text:
    """Coloured by its distance from the target; always with its formula."""
    formula = row.formula
    if not isinstance(value, float):
        return Text("mixed formulas" if row.service is not None and formula is None and row.targets else "-", "dim")
    style = ""
    targets = {target.target_percent for target in row.targets}
    if len(targets) == 1:
        above = 100 * value - targets.pop()
        style = "green" if above >= 0 else "yellow" if above >= -NEARLY else "red"
    return Text(f"{shown_value(value, Unit.SHARE)} ({formula})", style)


def shown_value(value: Value, unit: Unit) -> str:
    """`81.9 %`, `7.8 s`, `1,000`; `-` where there is none."""
    if value is None:
        return "-"
    match unit:
        case Unit.SHARE if isinstance(value, float):
            return f"{100 * value:.1f} %"
        case Unit.SECONDS if isinstance(value, int | float):
            return shown_seconds(value)
        case Unit.NUMBER if isinstance(value, int | float):
            return f"{value:.1f}"
        case Unit.SCORE if isinstance(value, int | float):
            return f"{value:.2f}"
        case Unit.COUNT if isinstance(value, int):
            return f"{value:,}"
        case _:
            return str(value)


def _explain(part: Part, report: Report, out: Console) -> None:
    """The legend of a table."""
    if part is Part.RINGS:
        legend = Text("picture: ", "dim")
        for name, letter, style in CLASSES:
            legend.append("█ " if out.color_system else f"{letter} ", style)
            legend.append(f"{name}  ", "dim")
        legend.append(f"rings by cadence {', '.join(map(printable, report.cadences))}", "dim")
        out.print(legend)
    if part is Part.RATINGS:
        out.print(Text("means of the answers, 1 to 5; n: the number of answers, no answer is no zero", "dim"))
    if part in (Part.SERVICE, Part.FORMULAS):
        used = FORMULAS if part is Part.FORMULAS else {target.formula for target in report.total.targets}
        for formula in sorted(used):
            out.print(Text(f"{formula}: {FORMULAS[formula]}", "dim"))
