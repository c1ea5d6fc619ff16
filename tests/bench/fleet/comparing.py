"""Compares the fleet's database with the nodes': every record once, and as its node has it."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from callflow.adapters.store.fleet.moving import move
from callflow.adapters.store.fleet.schema import fleet_metadata
from callflow.adapters.store.places import Postgres
from callflow.core.publishing.privacy import Pseudonymizer
from callflow.records.collected import COLLECTED
from tests.bench.fleet.node import KEY, database


@dataclass(frozen=True, slots=True)
class Comparison:
    """Records of the nodes, and how those of the fleet's database differ from them."""

    records: int
    lost: int
    doubled: int
    strange: int
    """Records that no node has."""
    different: int

    def __str__(self) -> str:
        return (
            f"{self.records} records at the nodes; in PostgreSQL {self.lost} lost, {self.doubled} doubled, "
            f"{self.strange} of no node, {self.different} different"
        )

    @property
    def equal(self) -> bool:
        return not (self.lost or self.doubled or self.strange or self.different)


def compare(folder: Path, sites: list[str], fleet: str, expected: str) -> Comparison:
    """`expected`: the URL of an empty database, for a copy of the nodes' records (`callflow migrate-store`)."""
    for site in sites:
        move(database(folder, site), Postgres(expected), site, Pseudonymizer(KEY.encode()), lambda done, total: None)
    wanted, found = _rows(expected), _rows(fleet)
    return Comparison(
        records=wanted.total(),
        lost=len({event_id for event_id, _ in wanted} - {event_id for event_id, _ in found}),
        doubled=found.total() - len({event_id for event_id, _ in found}),
        strange=len({event_id for event_id, _ in found} - {event_id for event_id, _ in wanted}),
        different=len({row for row in found if row not in wanted}),
    )


def _rows(url: str) -> Counter[tuple[str, str]]:
    """The event of every row that has ended, and a sum of all its columns: what is open has its event at its end."""
    rows: Counter[tuple[str, str]] = Counter()
    with Postgres(url).engine().connect() as connection:
        for kind in COLLECTED.values():
            table = fleet_metadata.tables[kind.table.name]
            told: sa.ColumnClause[str] = sa.literal_column(f"md5({table.name}::text)")
            query = sa.select(table.c.event_id, told).where(sa.not_(kind.is_open(table.c)))
            rows.update((table.name + event_id, text) for event_id, text in connection.execute(query))
    return rows
