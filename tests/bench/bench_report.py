"""How long reports take over ten million calls; prints, judges nothing but that every day counts the same.

`python -m tests.bench.bench_report [--calls N] [--calls-a-day N] [--database-url URL] [--folder PATH] [--build-only]
[--quick]`

The database is made once and kept: one made-up day, copied to each following day with its times and ids moved on. A run
that is interrupted continues where it stopped. It is a SQLite file in the folder (1.0 GB for a million calls), or the
PostgreSQL database of the URL, which must be empty or made by this program.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import sqlalchemy as sa

from callflow.adapters.store.counting import FileHours, Hours, count_hours
from callflow.adapters.store.database import writing_engine
from callflow.adapters.store.fleet.counting import FleetHours
from callflow.adapters.store.migrate import bring_to_head
from callflow.adapters.store.places import Postgres, Where
from callflow.adapters.store.queries import Reader
from callflow.commands.report_figures import By, make_report
from callflow.commands.report_period import Period, Slot, parse_zone
from callflow.core.service.grouping import DAY_MS, Scope, Whom
from callflow.core.service.targets import QueueTarget, Targets
from callflow.records import KINDS
from callflow.records.kind import Record
from tests.bench.postgres_days import PostgresDays
from tests.store.plausible_day import MIDNIGHT, plausible_day

FOLDER = Path.home() / ".cache" / "callflow" / "bench"
ID_COLUMNS = {"call_id", "uniqueid", "entry_id", "offer_id", "leg_id"}
LENGTHS = {"wait_ms", "talk_ms", "ring_ms"}
BEGAN = {"stays": "joined_ms", "offers": "began_ms", "legs": "began_ms", "spells": "began_ms", "calls": "arrived_ms"}
ZONE = parse_zone("Asia/Shanghai")
TARGETS = Targets(queues={"default": QueueTarget()})
CALLS_AN_AGENT = 140


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=10_000_000)
    parser.add_argument("--calls-a-day", type=int, default=100_000)
    parser.add_argument("--database-url", help="a PostgreSQL database; default: a SQLite file")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--build-only", action="store_true", help="make the database and stop")
    parser.add_argument("--quick", action="store_true", help="a few seconds: shows that it works, measures little")
    asked = parser.parse_args()
    if asked.quick:
        with tempfile.TemporaryDirectory() as folder:
            _run(Path(folder), asked.database_url, 4, 300)
        return
    asked.folder.mkdir(parents=True, exist_ok=True)
    days = max(2, asked.calls // asked.calls_a_day)
    _run(asked.folder, asked.database_url, days, asked.calls_a_day, build_only=asked.build_only)


def _run(folder: Path, url: str | None, days: int, calls_a_day: int, *, build_only: bool = False) -> None:
    path = folder / f"hourly-{calls_a_day}.db"
    if url is None:
        build_file(path, days, calls_a_day)
    else:
        build_file(path, 1, calls_a_day)
        PostgresDays(Postgres(url), BEGAN, MIDNIGHT, _moved).build(path, days)
    database: Where = path if url is None else url
    if not build_only:
        _measure(database, days)


# -- making the database ----------------------------------------------------------------------------------------------


def build_file(path: Path, days: int, calls_a_day: int) -> None:
    """Make a SQLite database of so many days, or add the days that it lacks."""
    if not path.exists():
        _first_day(path, calls_a_day)
    bring_to_head(path)  # it may be from an older callflow
    _build(path, days)


def _engine(database: Where) -> sa.Engine:
    return writing_engine(database, 5.0) if isinstance(database, Path) else Postgres(database).writing_engine()


def _first_day(path: Path, calls: int) -> None:
    half_done = path.with_suffix(".new")
    for ending in ("", "-wal", "-shm"):
        half_done.with_name(half_done.name + ending).unlink(missing_ok=True)
    bring_to_head(half_done)
    engine = writing_engine(half_done, 5.0)
    day = plausible_day(calls, agents=max(5, calls // CALLS_AN_AGENT))
    with engine.begin() as connection:
        days: list[Sequence[Record]] = [day.calls, day.stays, day.offers, day.legs, day.spells]
        for records in days:
            kind = KINDS.of(records[0])
            connection.execute(sa.insert(kind.table), [kind.row(record, "main", final=True) for record in records])
    with engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    half_done.rename(path)


def _build(path: Path, days: int) -> None:
    engine = _engine(path)
    with engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA synchronous = OFF")
        connection.exec_driver_sql("PRAGMA cache_size = -200000")
        connection.rollback()
        while (done := _days_made(connection)) < days:
            begun = time.perf_counter()
            with connection.begin():
                _copy_day(connection, done)
            print(f"day {done + 1} of {days} in {time.perf_counter() - begun:.1f} s", flush=True)
    engine.dispose()


def _days_made(connection: sa.Connection) -> int:
    with connection.begin():
        newest = connection.exec_driver_sql("SELECT max(arrived_ms) FROM calls").scalar()
    return int(((newest or 0) - MIDNIGHT) // DAY_MS) + 1


def _copy_day(connection: sa.Connection, day: int) -> None:
    """The first day once more, `day` days later; calls last, because they tell how far it has come."""
    for table, at in BEGAN.items():
        names = list(KINDS_BY_NAME[table].c.keys())
        listed = ", ".join(f'"{name}"' for name in names)
        connection.exec_driver_sql(
            f"INSERT INTO {table} ({listed}) SELECT {_moved(names, day)} FROM {table}"
            f" WHERE {at} < {MIDNIGHT + DAY_MS} AND {at} >= {MIDNIGHT - DAY_MS}"
        )


KINDS_BY_NAME = {kind.table.name: kind.table for kind in KINDS}


def _moved(names: list[str], day: int) -> str:
    """All columns, times a number of days later; ids begin with the second of the call."""

    def moved(name: str) -> str:
        if name in ID_COLUMNS:
            return f"(CAST(substr({name}, 1, 10) AS BIGINT) + {day * DAY_MS // 1000}) || substr({name}, 11)"
        is_time = name.endswith("_ms") and name not in LENGTHS
        return f'"{name}" + {day * DAY_MS}' if is_time else f'"{name}"'

    return ", ".join(map(moved, names))


# -- reading it -------------------------------------------------------------------------------------------------------


def _measure(database: Where, days: int) -> None:
    with Reader(database) as reader:
        calls = reader.count()
    print(f"{calls:,} calls in {days} days, {_size(database) / 1e9:.1f} GB, day in the middle:")
    middle = MIDNIGHT + days // 2 * DAY_MS
    day, month = Period(middle, middle + DAY_MS, ZONE), Period(middle, middle + 30 * DAY_MS, ZONE)
    _count(database, MIDNIGHT)  # nothing: shows how long it takes to see that
    _timed("day, from the records", database, day, (), times=1)
    _timed("30 days by queue, as far as counted", database, month, (Whom.QUEUE,), times=1)
    _count(database, MIDNIGHT + (days + 2) * DAY_MS)
    if isinstance(database, Path):
        _forget(database)
    _timed("day, cold disk cache" if isinstance(database, Path) else "day, first time", database, day, (), times=1)
    for by in ((), (Whom.QUEUE,), (Whom.AGENT,), (Whom.LINE,), (Slot.HOUR,), (Whom.QUEUE, Slot.HOUR)):
        _timed(f"day by {', '.join(by) or 'nothing'}", database, day, by)
    _timed("week by day", database, Period(middle, middle + 7 * DAY_MS, ZONE), (Slot.DAY,), times=1)
    _timed("30 days by queue", database, month, (Whom.QUEUE,), times=1)
    _timed(f"all {days} days by queue", database, Period(MIDNIGHT, MIDNIGHT + days * DAY_MS, ZONE), (Whom.QUEUE,), 1)
    begun = time.perf_counter()
    words = ["report", "--db", str(database), "--from", "2026-02-10", "--to", "2026-02-10", "--zone", "Asia/Shanghai"]
    subprocess.run([sys.executable, "-m", "callflow", *words], check=True, stdout=subprocess.DEVNULL)
    print(f"{'callflow report of a day, from the shell':42}{time.perf_counter() - begun:8.2f} s")
    _same_every_day(database, days)


def _count(database: Where, now_ms: int) -> None:
    """As the daemon or the collector does, without pauses."""
    hours: Hours = FileHours() if isinstance(database, Path) else FleetHours()
    begun = time.perf_counter()
    engine = _engine(database)
    with engine.connect() as connection:
        steps = count_hours(connection, hours, now_ms, lambda _: False)
    engine.dispose()
    print(f"{'hours counted, in all':42}{time.perf_counter() - begun:8.2f} s, {steps} transactions", flush=True)


def _size(database: Where) -> int:
    if isinstance(database, Path):
        return database.stat().st_size
    with Reader(database) as reader:
        return int(reader.rows(sa.text("SELECT pg_database_size(current_database()) AS n"))[0]["n"])


def _timed(what: str, database: Where, period: Period, by: tuple[By, ...], times: int = 3) -> None:
    took, cpu = [], []
    with Reader(database) as reader:
        for _ in range(times):
            begun, worked = time.perf_counter(), time.process_time()
            report = make_report(reader, period, by, Scope(), TARGETS, period.end_ms)
            took.append(time.perf_counter() - begun)
            cpu.append(time.process_time() - worked)
    spent = f"{statistics.median(took):8.2f} s, {statistics.median(cpu):6.2f} s of CPU"
    print(f"{what:42}{spent}, {len(report.rows):6} rows", flush=True)


def _same_every_day(database: Where, days: int) -> None:
    """Days are copies, so their counts must be the same."""
    totals = []
    with Reader(database) as reader:
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
