"""Entries of the call-back lists of all nodes: the site of one, and when each was settled."""

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from callflow.adapters.store.fleet.schema import fleet_metadata
from callflow.adapters.store.queries import Reader
from callflow.core.callbacks.states import LIVE

callbacks = fleet_metadata.tables["callbacks"]
changes = fleet_metadata.tables["callback_changes"]


def site_of_entry(reader: Reader, callback_id: str) -> str:
    """The site of an entry that is in the fleet's database: its node listens there. Raises StoreError."""
    (row,) = reader.rows(callbacks.select().where(callbacks.c.callback_id == callback_id).limit(1))
    return str(row["site"])


def keep_closing_times(connection: sa.Connection, stored: Iterable[Mapping[str, Any]]) -> None:
    """Give the entries of these changes the time of the step that settled them.

    A settled entry may change once more: its spoken name is deleted. The event of the step may come after that one.
    """
    settled = {(row["callback_id"], row["node"]) for row in stored if row["state"] not in LIVE}
    if not settled:
        return
    of_entry = (changes.c.callback_id == callbacks.c.callback_id, changes.c.node == callbacks.c.node)
    settling = (changes.c.state == callbacks.c.state, changes.c.before != changes.c.state)
    steps = sa.select(changes.c.at_ms).where(*of_entry, *settling).order_by(changes.c.revision.desc())
    closed_ms = steps.limit(1).scalar_subquery()
    mine = sa.tuple_(callbacks.c.callback_id, callbacks.c.node).in_(settled)
    moved = (mine, sa.not_(callbacks.c.open), callbacks.c.closed_ms != closed_ms)
    connection.execute(sa.update(callbacks).where(*moved).values(closed_ms=closed_ms))
