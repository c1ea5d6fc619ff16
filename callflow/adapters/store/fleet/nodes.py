"""The nodes of a fleet as the collector knows them, and what is wrong with them."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from callflow.adapters.store.fleet.schema import publishers, unread_events
from callflow.adapters.store.queries import Reader
from callflow.core.fleet.census import SILENT_MS, differing

TOGETHER_MS = 10_000
"""Two lives of one daemon follow on each other; two that overlap by more are two daemons."""


@dataclass(frozen=True, slots=True)
class Node:
    """One site of the fleet: its newest daemon."""

    site: str
    node: str
    host: str
    version: str
    last_ms: int
    skew_ms: int | None
    """How far its clock was ahead of the collector's, travel of the message left out."""
    lag_ms: int | None
    """From the last event to its arrival."""
    events: int
    gaps: int
    """Events that came before an earlier one, which was then sent again."""
    differs: tuple[str, ...] = ()
    """Sections of the settings that differ from those of most nodes."""
    wrong: tuple[str, ...] = field(default=())


def nodes(reader: Reader, now_ms: int, max_skew_ms: float) -> list[Node]:
    """Every site, in order."""
    lives: dict[str, list[sa.RowMapping]] = defaultdict(list)
    for row in reader.rows(sa.select(publishers).order_by(publishers.c.site, publishers.c.last_ms)):
        lives[row["site"]].append(row)
    newest = {site: rows[-1] for site, rows in lives.items()}
    differs = differing({site: json.loads(row["settings"]) for site, row in newest.items()})
    return [
        Node(
            site=site,
            node=row["node"],
            host=row["host"],
            version=row["version"],
            last_ms=row["last_ms"],
            skew_ms=row["skew_ms"],
            lag_ms=row["lag_ms"],
            events=sum(life["events"] for life in lives[site]),
            gaps=sum(life["gaps"] for life in lives[site]),
            differs=differs[site],
            wrong=tuple(_wrong(lives[site], now_ms, max_skew_ms)),
        )
        for site, row in newest.items()
    ]


def unread(reader: Reader) -> int:
    """Events that this release cannot store, kept as they came."""
    return int(reader.rows(sa.select(sa.func.count().label("n")).select_from(unread_events))[0]["n"])


def why_unread(reader: Reader, most: int = 20) -> list[dict[str, object]]:
    """The commonest reasons why events could not be stored, without the events."""
    count = sa.func.count().label("events")
    by = unread_events.c.reason
    rows = reader.rows(sa.select(by, count).group_by(by).order_by(count.desc(), by).limit(most))
    return [dict(row) for row in rows]


def _wrong(lives: Sequence[sa.RowMapping], now_ms: int, max_skew_ms: float) -> list[str]:
    row = lives[-1]
    found: list[str] = []
    if any(earlier["last_ms"] > row["first_ms"] + TOGETHER_MS for earlier in lives[:-1]):
        hosts = sorted({life["host"] for life in lives if life["last_ms"] >= row["first_ms"]} - {""})
        found.append(f"two daemons use this site's name ({', '.join(hosts)}): give each its own mqtt.site")
    if row["skew_ms"] is not None and abs(row["skew_ms"]) > max_skew_ms:
        found.append(f"its clock is {row['skew_ms'] / 1000:+.0f} s from the collector's: see its time service")
    if now_ms - row["last_ms"] > SILENT_MS:
        found.append("it is silent: see its daemon, its network and the broker")
    return found
