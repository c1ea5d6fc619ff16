"""Erases one caller from the fleet's database: hashes anywhere, and numbers that are a whole value."""

from collections.abc import Iterator

import sqlalchemy as sa

from callflow.adapters.store.erasing import Wanted
from callflow.adapters.store.fleet.schema import fleet_metadata, publishers, unread_events
from callflow.adapters.store.places import Postgres


def search_fleet(place: Postgres, wanted: Wanted) -> dict[str, int]:
    """How many rows of each table hold the caller. Changes nothing; raises StoreError."""
    return _each(place, wanted, erase=False)


def erase_from_fleet(place: Postgres, wanted: Wanted) -> dict[str, int]:
    """Empty what names the caller; returns the rows by table. One transaction; raises StoreError.

    Records stay, for the figures. Events kept unread that hold the caller are deleted.
    """
    return _each(place, wanted, erase=True)


def _each(place: Postgres, wanted: Wanted, *, erase: bool) -> dict[str, int]:
    found: dict[str, int] = {}
    with place.transaction() as connection:
        place.check(connection)
        for table in _tables():
            holds = sa.or_(*(condition for column in _texts(table) for condition in _is_in(column, wanted)))
            count = sa.select(sa.func.count()).select_from(table).where(holds)
            if number := connection.execute(count).scalar_one():
                found[table.name] = number
                if erase:
                    connection.execute(_change(table, holds, wanted))
    return found


def _tables() -> Iterator[sa.Table]:
    return (table for table in fleet_metadata.sorted_tables if table is not publishers and len(_texts(table)) > 0)


def _texts(table: sa.Table) -> list[sa.Column[str]]:
    """Columns that may hold a caller; keys never do."""
    texts = [column for column in table.columns if isinstance(column.type, sa.Text) and not column.primary_key]
    return [column for column in texts if not column.name.endswith("_id")]


def _is_in(column: sa.Column[str], wanted: Wanted) -> Iterator[sa.ColumnElement[bool]]:
    """A number is a whole value, in an event kept as JSON too."""
    yield column.in_(wanted.numbers)
    quoted = [f'"{number}"' for number in wanted.numbers] if column.table is unread_events else []
    for text in (*wanted.hashes, *quoted):
        yield sa.func.strpos(column, text) > 0


def _change(table: sa.Table, holds: sa.ColumnElement[bool], wanted: Wanted) -> sa.Executable:
    if table is unread_events:
        return sa.delete(table).where(holds)
    changes: dict[str, sa.ColumnElement[str]] = {}
    for column in _texts(table):
        left: sa.ColumnElement[str] = column
        for text in wanted.hashes:
            left = sa.func.replace(left, text, "")
        changes[column.name] = sa.case((column.in_(wanted.numbers), ""), else_=left)
    if "caller_number" in table.c and "caller_name" in table.c:
        changes["caller_name"] = sa.literal("")
    if "spoken_name" in table.c:
        changes["spoken_name"] = sa.literal("")
    return sa.update(table).where(holds).values(changes)
