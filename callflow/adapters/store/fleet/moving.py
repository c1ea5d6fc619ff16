"""Copies a daemon's SQLite database into the fleet's; it may be repeated, because a row replaces itself."""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from callflow.adapters.store.fleet.migrate import bring_to_head
from callflow.adapters.store.fleet.rows import FleetTable
from callflow.adapters.store.fleet.schema import fleet_metadata
from callflow.adapters.store.places import Postgres
from callflow.adapters.store.queries import Reader
from callflow.core.publishing.events import EventMaker
from callflow.core.publishing.privacy import Pseudonymizer
from callflow.core.publishing.topics import Topics
from callflow.records.callbacks import CALLBACK_ATTEMPTS, CALLBACK_CHANGES, CALLBACKS
from callflow.records.calls import happenings
from callflow.records.collected import COLLECTED, NOT_TOLD, RECORDED, collected_row, utc_day
from callflow.records.kind import RecordKind

PAGE = 2000
"""Rows in one transaction."""

CALLBACK_LIST: tuple[RecordKind[Any], ...] = (CALLBACKS, CALLBACK_CHANGES, CALLBACK_ATTEMPTS)

Progress = Callable[[int, int], None]
"""Told how many rows are done, and of how many."""


def move(source: Path, target: Postgres, site: str, names: Pseudonymizer, progress: Progress) -> int:
    """Copy records of calls, rings and agents, timelines and the call-back list; returns the rows read.

    Raises StoreError.

    `site`: of the records' events; "" if it is the name of the node. `names` hides numbers as it does in events. After
    a failure, begin anew: what is there already is left as it is.
    """
    bring_to_head(target)
    engine = target.writing_engine()
    try:
        with Reader(source) as reader, engine.connect() as connection:
            tables = [*(kind.table for kind in (*COLLECTED.values(), *CALLBACK_LIST)), happenings]
            total = sum(_count(reader, table) for table in tables)
            done = 0
            for kind in (*COLLECTED.values(), *CALLBACK_LIST):
                table, row_of = FleetTable(kind), _list_row if kind in CALLBACK_LIST else _row
                for rows in _pages(reader, kind.table):
                    with connection.begin():
                        table.save(connection, [row_of(kind, row, site, names) for row in rows])
                    progress(done := done + len(rows), total)
            add = insert(fleet_metadata.tables[happenings.name]).on_conflict_do_nothing()
            for rows in _pages(reader, happenings):
                with connection.begin():
                    connection.execute(add, [_clean(row) | _told(row, names) for row in rows])
                progress(done := done + len(rows), total)
            return done
    except sa.exc.DBAPIError as error:
        raise target.explained(error) from error
    finally:
        engine.dispose()


def _count(reader: Reader, table: sa.Table) -> int:
    return int(reader.rows(sa.select(sa.func.count().label("n")).select_from(table))[0]["n"])


def _pages(reader: Reader, table: sa.Table) -> Iterator[list[sa.RowMapping]]:
    """Every row, in the order of the key; a slow target keeps no old snapshot."""
    key = list(table.primary_key)
    query = sa.select(table).order_by(*key).limit(PAGE)
    rows = reader.rows(query)
    while rows:
        yield rows
        last = sa.tuple_(*key) > tuple(rows[-1][column] for column in key)
        rows = reader.rows(query.where(last))


def _row(kind: RecordKind[Any], found: sa.RowMapping, site: str, names: Pseudonymizer) -> dict[str, Any]:
    """As the collector would have stored it; with plain numbers also what an event leaves out."""
    node = found["node"]
    assert kind.event is not None
    maker = EventMaker(Topics(site or node), node, names, {kind.record: kind.event}, collector=True)
    event = maker.event_of(kind.rows.record(found))
    assert event is not None  # it is made at the end of a record, and of what is open as if it ended now
    row = collected_row(kind, asdict(event))
    if names.plain:
        return row | _clean(found)
    return row | {name: found[name] for name in ("interrupted", "open") if name in found}


def _list_row(kind: RecordKind[Any], found: sa.RowMapping, site: str, names: Pseudonymizer) -> dict[str, Any]:
    """A row of the call-back list, without what an event leaves out."""
    row = _clean(found)
    if not names.plain:
        row |= {name: names.name(row[name]) for name in ("actor", "why", "queue", "agent", "cause") if name in row}
        left_out = NOT_TOLD | {"interface": "", "paused_in": ""}
        row |= {name: value for name, value in left_out.items() if name in row}
        if row.get("spoken_name"):
            row["spoken_name"] = RECORDED
        if "day" in row:
            row["day"] = utc_day(row["raised_ms"])
        if "number" in row:
            row["number"] = names.caller(row["number"]) or ""
    return row | ({"site": site or found["node"]} if kind is CALLBACKS else {})


def _told(found: sa.RowMapping, names: Pseudonymizer) -> dict[str, str]:
    return {} if names.plain else {name: names.name(found[name]) for name in ("what", "why")}


def _clean(found: sa.RowMapping) -> dict[str, Any]:
    """PostgreSQL takes no NUL in a text."""
    return {str(name): value.replace("\x00", "?") if isinstance(value, str) else value for name, value in found.items()}
