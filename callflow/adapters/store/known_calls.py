"""Which calls the database has: read while the daemon writes."""

from collections.abc import Collection
from pathlib import Path

import sqlalchemy as sa

from callflow.adapters.store.database import explained, reading_engine
from callflow.records.calls import calls


class KnownCalls:
    """Reads the calls of one node."""

    def __init__(self, path: Path, node: str) -> None:
        self._path = path
        self._node = node
        self._engine = reading_engine(path)

    def among(self, call_ids: Collection[str]) -> set[str]:
        """Those of these calls that are in the database. Blocks; raises StoreError."""
        asked = sa.select(calls.c.call_id).where(calls.c.node == self._node, calls.c.call_id.in_(call_ids))
        try:
            with self._engine.connect() as connection:
                return set(connection.execute(asked).scalars())
        except sa.exc.DBAPIError as error:
            raise explained(error, self._path) from error
