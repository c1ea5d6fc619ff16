"""Where an entry of the call-back lists is from: its node listens on the topics of this site."""

from callflow.adapters.store.fleet.schema import fleet_metadata
from callflow.adapters.store.queries import Reader


def site_of_entry(reader: Reader, callback_id: str) -> str:
    """The site of an entry that is in the fleet's database. Raises StoreError."""
    table = fleet_metadata.tables["callbacks"]
    (row,) = reader.rows(table.select().where(table.c.callback_id == callback_id).limit(1))
    return str(row["site"])
