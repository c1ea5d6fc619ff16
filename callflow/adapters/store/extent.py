"""From when to when there are records."""

import sqlalchemy as sa

from callflow.adapters.store.agent_time import known_agents
from callflow.adapters.store.queries import Reader
from callflow.records import KINDS
from callflow.records.agent_intervals import spells


def extent(reader: Reader) -> tuple[int, int] | None:
    """When the first record began and when the last one, epoch ms; None without records. Looks at the ends alone."""
    known = known_agents()
    queries: list[sa.Select[tuple[int]]] = []
    for end in (sa.func.min, sa.func.max):
        queries += [sa.select(end(kind.began).label("at_ms")) for kind in KINDS if kind.stored_by is None]
        of_agent = sa.and_(spells.c.node == known.c.node, spells.c.agent == known.c.agent)
        begun = sa.select(end(spells.c.began_ms)).where(of_agent).scalar_subquery()
        queries.append(sa.select(end(begun).label("at_ms")).select_from(known))
    found = (row["at_ms"] for query in queries for row in reader.rows(query))
    times = [at_ms for at_ms in found if at_ms is not None]
    return (min(times), max(times)) if times else None
