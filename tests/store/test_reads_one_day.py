"""What is asked of one day reads no other day, however many there are; judged by what the database itself has read."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from callflow.adapters.store import lists, pictures
from callflow.adapters.store.agent_figures import agent_figures
from callflow.adapters.store.callback_queries import CallbackQueries, Wanting
from callflow.adapters.store.database import writing_engine
from callflow.adapters.store.migrate import bring_to_head
from callflow.adapters.store.places import Where
from callflow.adapters.store.queries import CallFilter, Reader
from callflow.adapters.store.standing import standing
from callflow.commands.report_figures import By, make_report
from callflow.commands.report_period import Period, Slot, parse_zone
from callflow.core.callbacks.states import State
from callflow.core.service.grouping import DAY_MS, HOUR_MS, Scope, Span, Whom
from callflow.core.service.standards import Standard
from callflow.core.service.targets import QueueTarget, Targets
from callflow.records import KINDS
from tests.callbacks.test_pacing import entry
from tests.conftest import At
from tests.publishing import samples
from tests.store.hours import count_all, engine_of
from tests.store.plausible_day import MIDNIGHT, plausible_day

FEW, MANY = 3, 8
CALLS, OTHERS = 100, 30
AT_MOST = 1.15
"""How much more may be read in almost three times as many days: the ends of tables, a page more of an index."""
TARGETS = Targets(queues={"default": QueueTarget()})
ALL, NAMED = Scope(), Scope(agents=("201", "202"))


def _others(midnight_ms: int, number: int) -> Iterator[Any]:
    """Records of the kinds that a plausible day lacks."""
    at_ms = midnight_ms + 9 * HOUR_MS + number * 600_000
    samples_of: tuple[Any, ...] = (
        samples.talk(), samples.hold(), samples.transfer(), samples.wrap_up(), samples.rating(), samples.assist_step(),
        samples.callback_change(), samples.callback_attempt(),
        replace(entry(number, f"1{at_ms}"), state=State.DONE, closed_ms=entry(number).raised_ms + 60_000),
    )  # fmt: skip
    for record in samples_of:
        kind = KINDS.of(record)
        later = at_ms - getattr(record, kind.began.name)
        values = {field.name: getattr(record, field.name) for field in fields(record)}
        times = {name: value + later for name, value in values.items() if isinstance(value, int) and value > 10**12}
        yield replace(record, **times, **{kind.key_fields[0]: f"{at_ms}"})


def _filled(path: Path, days: int) -> Path:
    bring_to_head(path)
    with writing_engine(path, 5.0).begin() as connection:
        for midnight_ms in range(MIDNIGHT, MIDNIGHT + days * DAY_MS, DAY_MS):
            others = [record for number in range(OTHERS) for record in _others(midnight_ms, number)]
            rows = defaultdict(list)
            for record in (*plausible_day(CALLS, midnight_ms=midnight_ms), *others):
                rows[KINDS.of(record)].append(KINDS.of(record).row(record, "main", final=True))
            for kind, some in rows.items():
                connection.execute(sa.insert(kind.table), some)
    return path


@pytest.fixture(scope="module")
def of_days(kept_at: At, tmp_path_factory: pytest.TempPathFactory) -> Mapping[int, Where]:
    """Databases by their number of days, with hourly counts."""
    folder = tmp_path_factory.mktemp("days")
    made = {days: kept_at(_filled(folder / f"{days}.db", days)) for days in (FEW, MANY)}
    for days, database in made.items():
        count_all(database, MIDNIGHT + (days + 1) * DAY_MS)
        with engine_of(database)[0].connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("ANALYZE")
    return made


class Measured(Reader):
    """A reader that knows how many queries it has asked, and how much the database has read for them."""

    def __init__(self, named: Where) -> None:
        super().__init__(named)
        self.queries = self.read = 0
        self._is_file = isinstance(named, Path)
        if isinstance(named, Path):
            raw: Any = self._connection.connection.driver_connection
            raw.set_progress_handler(self._steps, 10)
        else:  # tables are so small here that PostgreSQL would not look into an index
            self._connection.exec_driver_sql("SET enable_seqscan = off")

    def _steps(self) -> None:
        """SQLite has gone ten steps of its program: it takes some for each row that it looks at."""
        self.read += 10

    def rows(self, query: sa.Executable, values: Mapping[str, Any] | None = None) -> list[sa.RowMapping]:
        self.queries += 1
        found = super().rows(query, values)
        if not self._is_file:
            self.read += self._rows_read(query, values)
        return found

    def _rows_read(self, query: Any, values: Mapping[str, Any] | None) -> int:
        """PostgreSQL: rows of tables that were looked at."""
        whole = query.params(**(values or {}))
        text = whole.compile(self._engine, compile_kwargs={"literal_binds": True})
        said = self._connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {text}").scalar()
        plans = said if isinstance(said, list) else json.loads(str(said))
        return sum(map(_looked_at, _nodes(plans[0]["Plan"])))


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)


def _looked_at(node: dict[str, Any]) -> int:
    if "Relation Name" not in node:
        return 0
    removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    return int((node["Actual Rows"] + removed) * node["Actual Loops"])


Asked = Callable[[Reader, int, int], object]
"""Asks for what was between two moments."""


def report(*by: By, scope: Scope = ALL) -> Asked:
    def asked(reader: Reader, start_ms: int, end_ms: int) -> object:
        period = Period(start_ms, end_ms, parse_zone("Asia/Shanghai"))
        return make_report(reader, period, by, scope, TARGETS, end_ms)

    return asked


def callbacks(reader: Reader, start_ms: int, end_ms: int) -> object:
    of_all = CallbackQueries(reader.rows)
    return of_all.listed(Wanting(since_ms=start_ms, until_ms=end_ms)), of_all.ended_attempts(start_ms, end_ms)


def live_callbacks(reader: Reader, start_ms: int, end_ms: int) -> object:
    return CallbackQueries(reader.rows).listed(Wanting(states=(State.OPEN, State.CLAIMED)))


def standards(reader: Reader, start_ms: int, end_ms: int, measure: str = "wrap_up") -> object:
    scopes: list[dict[str, Any]] = [{}, {"queues": ("sales",)}, {"agents": ("201",)}, {"lines": ("8001",)}]
    judged = [
        Standard(name=f"{number}", measure=measure, adequate=60, desired=60, owner="Ada", **scope)
        for number, scope in enumerate(scopes)
    ]
    half_ms = start_ms + (end_ms - start_ms) // 2
    return standing(reader, judged, TARGETS, half_ms, end_ms, end_ms)


ASKED: dict[str, Asked] = {
    "report": report(),
    "report by queue": report(Whom.QUEUE),
    "report by agent": report(Whom.AGENT),
    "report by line": report(Whom.LINE),
    "report by hour": report(Slot.HOUR),
    "report by queue and hour": report(Whom.QUEUE, Slot.HOUR),
    "report of two agents": report(scope=NAMED),
    "agents' figures": lambda reader, start, end: agent_figures(reader, start, end, TARGETS, end),
    "standards": standards,
    "standards of the agents' time": partial(standards, measure="occupancy"),
    "call-backs": callbacks,
    "live call-backs": live_callbacks,
    "calls": lambda reader, start, end: list(reader.stream(CallFilter(start, end), page=50)),
    "calls of a queue": lambda reader, start, end: reader.page(CallFilter(start, end, queues=("sales",))),
    "newest calls": lambda reader, start, end: reader.page(limit=20),
    "summary of calls": lambda reader, start, end: reader.summary(CallFilter(start, end)),
    "a call": lambda reader, start, end: lists.ringing(reader, reader.page(limit=1)[0]),
    "abandoned": lambda reader, start, end: lists.abandoned(reader, start, end, Scope()),
    "unheard": lambda reader, start, end: lists.unheard(reader, start, end, Scope()),
    "wrap-ups": lambda reader, start, end: lists.wrapped_up(reader, start, end, Scope()),
    "pauses": lambda reader, start, end: lists.pauses(reader, start, end, Scope()),
    "rings": lambda reader, start, end: pictures.ring_bars(reader, start, end),
    "rings of an agent": lambda reader, start, end: pictures.ring_bars(reader, start, end, agent="201"),
    "silence": lambda reader, start, end: pictures.silence_by_day(reader, [Span(start, end)]),
    "causes": lambda reader, start, end: pictures.causes(reader, [Span(start, end)]),
    "observed": lambda reader, start, end: pictures.observed(reader, start, end),
    "known names": lambda reader, start, end: pictures.known_names(reader, start, end),
}


@pytest.mark.parametrize("name", ASKED)
def test_a_day_is_read_alone(of_days: Mapping[int, Where], name: str) -> None:
    read = {}
    for days, database in of_days.items():
        with Measured(database) as reader:
            ASKED[name](reader, MIDNIGHT + DAY_MS, MIDNIGHT + 2 * DAY_MS)
            read[days] = reader.read
    assert read[MANY] < AT_MOST * read[FEW] + 40, read


def test_the_hours_of_a_day_are_asked_for_together(of_days: Mapping[int, Where]) -> None:
    asked = {}
    for by in ((), (Slot.HOUR,)):
        with Measured(of_days[FEW]) as reader:
            report(*by)(reader, MIDNIGHT + DAY_MS, MIDNIGHT + 2 * DAY_MS)
            asked[by] = reader.queries
    assert asked[Slot.HOUR,] == asked[()]


def test_standards_that_need_no_agents_time_read_none(of_days: Mapping[int, Where]) -> None:
    read = {}
    for name in ("standards", "standards of the agents' time"):
        with Measured(of_days[FEW]) as reader:
            ASKED[name](reader, MIDNIGHT + DAY_MS, MIDNIGHT + 2 * DAY_MS)
            read[name] = reader.queries
    assert read["standards"] < read["standards of the agents' time"]
