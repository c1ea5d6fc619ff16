"""A new key for the hashes of callers: rows kept by hash are hashed again, so that they are still found."""

from collections.abc import Callable, Iterator
from pathlib import Path

import sqlalchemy as sa

from callflow.adapters.store.database import explained, writing_engine
from callflow.adapters.store.erasing import IDS, is_number, tables_of
from callflow.records.ratings import ratings

BUSY_S = 30.0

Hashed = Callable[[str], str]


def rehash(database: Path, before: Hashed, after: Hashed) -> tuple[int, int]:
    """Hash the callers of all ratings anew, by the numbers in the other records of their calls: all of them or none.

    Returns how many there were, and of how many the number is known no more: those lose their hash, which nobody can
    make again. What has its new hash already keeps it. Blocks; raises StoreError.
    """
    engine = writing_engine(database, BUSY_S)
    try:
        with engine.connect() as connection:
            hashed = ratings.c.caller != ""
            stored = dict.fromkeys(
                connection.execute(sa.select(ratings.c.caller).where(hashed).distinct()).scalars(), ""
            )
            for number in _numbers(connection):
                new = after(number)
                stored |= {old: new for old in (before(number), new) if old in stored}
            connection.rollback()
            counts = [0, 0]
            with connection.begin():
                for old, new in stored.items():
                    changed = connection.execute(sa.update(ratings).where(ratings.c.caller == old).values(caller=new))
                    counts[0] += changed.rowcount
                    counts[1] += 0 if new else changed.rowcount
    except sa.exc.DBAPIError as error:
        raise explained(error, database) from None
    return counts[0], counts[1]


def _numbers(connection: sa.Connection) -> Iterator[str]:
    """The numbers in records of calls that were rated, or whose caller was not asked."""
    rated = sa.select(ratings.c.call_id).where(ratings.c.caller != "")
    for table in tables_of(connection):
        ids = [table.c[name] for name in IDS if name in table.c]
        for column in filter(is_number, table.columns) if ids else ():
            of_rated = sa.or_(*(one.in_(rated) for one in ids))
            yield from connection.execute(sa.select(column).where(of_rated, column != "").distinct()).scalars()
