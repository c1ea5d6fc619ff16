"""How long reports take over ten million calls; prints, judges nothing but that every day counts the same.

`python -m tests.bench.bench_report [--days N] [--calls-a-day N] [--folder PATH] [--build-only] [--quick]`

The database is made once and kept (about 1.5 GB for a million calls): one made-up day, copied to each following day
with its times and ids moved on. A run that is interrupted goes on where it stopped.
"""

import argparse
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa

from callflow.adapters.store.database import writing_engine
from callflow.adapters.store.migrate import bring_to_head
from callflow.adapters.store.queries import Reader
from callflow.commands.report_figures import By, make_report
from callflow.commands.report_period import Period, Slot, parse_zone
from callflow.core.service.grouping import DAY_MS, Scope, Whom
from callflow.core.service.targets import QueueTarget, Targets
from callflow.records import KINDS
from callflow.records.kind import Record
from tests.store.plausible_day import MIDNIGHT, plausible_day

FOLDER = Path.home() / ".cache" / "callflow" / "bench"
ID_COLUMNS = {"call_id", "uniqueid", "entry_id", "offer_id", "leg_id"}
ZONE = parse_zone("Asia/Shanghai")
TARGETS = Targets(queues={"default": QueueTarget()})
HAPPENINGS = 4
CALLS_AN_AGENT = 140
TELL_SOMETHING = (
    f"WITH RECURSIVE seq(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM seq WHERE n < {HAPPENINGS}) "
    "INSERT INTO happenings SELECT call_id, node, n, arrived_ms + 1000 * n, 'said', 'greeting', 'rung 1 of 3 in zh' "
    "FROM calls, seq"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=100)
    parser.add_argument("--calls-a-day", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--build-only", action="store_true", help="make the database and stop")
    parser.add_argument("--quick", action="store_true", help="a few seconds: shows that it works, measures little")
    asked = parser.parse_args()
    if asked.quick:
        with tempfile.TemporaryDirectory() as folder:
            _run(Path(folder), 4, 300)
        return
    asked.folder.mkdir(parents=True, exist_ok=True)
    _run(asked.folder, asked.days, asked.calls_a_day, build_only=asked.build_only)


def _run(folder: Path, days: int, calls_a_day: int, *, build_only: bool = False) -> None:
    path = folder / f"report-{calls_a_day}.db"
    _build(path, days, calls_a_day)
    if not build_only:
        _measure(path, days)


# -- making the database ----------------------------------------------------------------------------------------------


def _build(path: Path, days: int, calls_a_day: int) -> None:
    if not path.exists():
        begun = time.perf_counter()
        half_done = path.with_suffix(".new")
        for ending in ("", "-wal", "-shm"):
            half_done.with_name(half_done.name + ending).unlink(missing_ok=True)
        _first_day(half_done, calls_a_day)
        half_done.rename(path)
        print(f"one day of {calls_a_day:,} calls made up in {time.perf_counter() - begun:.0f} s", flush=True)
    bring_to_head(path)  # it may be from an older callflow
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -200000")
        while (done := _days_made(connection)) < days:
            begun = time.perf_counter()
            _copy_day(connection, done)
            print(f"day {done + 1} of {days} in {time.perf_counter() - begun:.1f} s", flush=True)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _first_day(path: Path, calls: int) -> None:
    bring_to_head(path)
    engine = writing_engine(path, 5.0)
    day = plausible_day(calls, agents=max(5, calls // CALLS_AN_AGENT))
    with engine.begin() as connection:
        days: list[Sequence[Record]] = [day.calls, day.stays, day.offers, day.legs, day.spells]
        for records in days:
            kind = KINDS.of(records[0])
            connection.execute(sa.insert(kind.table), [kind.row(record, "main", final=True) for record in records])
        connection.exec_driver_sql(TELL_SOMETHING)
    engine.dispose()


def _days_made(connection: sqlite3.Connection) -> int:
    (newest,) = connection.execute("SELECT max(arrived_ms) FROM calls").fetchone()
    return int((newest - MIDNIGHT) // DAY_MS) + 1


def _copy_day(connection: sqlite3.Connection, day: int) -> None:
    """The first day once more, `day` days later."""
    connection.execute("BEGIN IMMEDIATE")
    for table, at in (("stays", "joined_ms"), ("offers", "began_ms"), ("legs", "began_ms")):
        _copy(connection, table, f"{at} < {MIDNIGHT + DAY_MS}", day)
    agent = ""
    while agent := connection.execute("SELECT min(agent) FROM spells WHERE agent > ?", (agent,)).fetchone()[0]:
        _copy(connection, "spells", f"agent = '{agent}' AND began_ms < {MIDNIGHT + DAY_MS}", day)
    first = connection.execute("SELECT max(call_id) FROM calls WHERE arrived_ms < ?", (MIDNIGHT + DAY_MS,)).fetchone()
    _copy(connection, "calls", f"arrived_ms < {MIDNIGHT + DAY_MS}", day)
    _copy(connection, "happenings", f"call_id <= '{first[0]}'", day)
    connection.execute("COMMIT")


def _copy(connection: sqlite3.Connection, table: str, where: str, day: int) -> None:
    names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    connection.execute(f"INSERT INTO {table} SELECT {_moved(names, day)} FROM {table} WHERE {where}")


def _moved(names: list[str], day: int) -> str:
    """All columns, times a number of days later; ids begin with the second of the call."""

    def moved(name: str) -> str:
        if name in ID_COLUMNS:
            return f"(substr({name}, 1, 10) + {day * DAY_MS // 1000}) || substr({name}, 11)"
        is_time = name.endswith("_ms") and name not in ("wait_ms", "talk_ms", "ring_ms")
        return f'"{name}" + {day * DAY_MS}' if is_time else f'"{name}"'

    return ", ".join(map(moved, names))


# -- reading it -------------------------------------------------------------------------------------------------------


def _measure(path: Path, days: int) -> None:
    with Reader(path) as reader:
        calls = reader.count()
    print(f"{calls:,} calls in {days} days, {path.stat().st_size / 1e9:.1f} GB, day in the middle:")
    middle = MIDNIGHT + days // 2 * DAY_MS
    day = Period(middle, middle + DAY_MS, ZONE)
    _forget(path)
    _timed("day, cold disk cache", path, day, (), times=1)
    for by in ((), (Whom.QUEUE,), (Whom.AGENT,), (Whom.LINE,), (Slot.HOUR,), (Whom.QUEUE, Slot.HOUR)):
        _timed(f"day by {', '.join(by) or 'nothing'}", path, day, by)
    _timed("week by day", path, Period(middle, middle + 7 * DAY_MS, ZONE), (Slot.DAY,), times=1)
    _timed("30 days by queue", path, Period(middle, middle + 30 * DAY_MS, ZONE), (Whom.QUEUE,), times=1)
    _timed(f"all {days} days", path, Period(MIDNIGHT, MIDNIGHT + days * DAY_MS, ZONE), (), times=1)
    begun = time.perf_counter()
    words = ["report", "--db", str(path), "--from", "2026-02-10", "--to", "2026-02-10", "--zone", "Asia/Shanghai"]
    subprocess.run([sys.executable, "-m", "callflow", *words], check=True, stdout=subprocess.DEVNULL)
    print(f"{'callflow report of a day, from the shell':42}{time.perf_counter() - begun:8.2f} s")
    _same_every_day(path, days)


def _timed(what: str, path: Path, period: Period, by: tuple[By, ...], times: int = 3) -> None:
    took, cpu = [], []
    with Reader(path) as reader:
        for _ in range(times):
            begun, worked = time.perf_counter(), time.process_time()
            report = make_report(reader, period, by, Scope(), TARGETS, period.end_ms)
            took.append(time.perf_counter() - begun)
            cpu.append(time.process_time() - worked)
    spent = f"{statistics.median(took):8.2f} s, {statistics.median(cpu):6.2f} s of CPU"
    print(f"{what:42}{spent}, {len(report.rows):6} rows", flush=True)


def _same_every_day(path: Path, days: int) -> None:
    """Days are copies, so their counts must be the same."""
    totals = []
    with Reader(path) as reader:
        for number in {1, days // 3, days // 2, days - 1}:
            period = Period(MIDNIGHT + number * DAY_MS, MIDNIGHT + (number + 1) * DAY_MS, ZONE)
            totals.append(make_report(reader, period, (), Scope(), TARGETS, period.end_ms).total)
    if any(total != totals[0] for total in totals):
        raise SystemExit("days that are copies of each other are counted differently")


def _forget(path: Path) -> None:
    """Ask the system to keep nothing of the file in memory."""
    fd = os.open(path, os.O_RDONLY)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(fd)


if __name__ == "__main__":
    os.nice(5)
    main()
