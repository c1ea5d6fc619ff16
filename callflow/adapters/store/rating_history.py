"""When a caller was asked last to rate a call: read while the daemon writes."""

from pathlib import Path

import sqlalchemy as sa

from callflow.adapters.store.database import explained, reading_engine
from callflow.records.ratings import ratings


class RatingHistory:
    """Reads the ratings of every node in the database."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._engine = reading_engine(path)

    def asked_ms(self, caller: str) -> int | None:
        """When this caller (a keyed hash) was asked last, epoch ms; None for never. Blocks; raises StoreError."""
        asked = sa.select(sa.func.max(ratings.c.came_ms)).where(
            ratings.c.caller == caller, ratings.c.not_asked.is_(None)
        )
        try:
            with self._engine.connect() as connection:
                return connection.execute(asked).scalar()
        except sa.exc.DBAPIError as error:
            raise explained(error, self._path) from error
