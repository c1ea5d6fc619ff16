"""What `callflow doctor` tells of a fleet: its database, and the nodes as `callflow fleet` shows them."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from callflow.adapters.store.fleet import HEAD
from callflow.adapters.store.fleet.holdings import Holding, holdings, server
from callflow.adapters.store.fleet.nodes import nodes, unread, why_unread
from callflow.adapters.store.places import Postgres
from callflow.adapters.store.queries import Reader


def fleet_tables(url: str) -> str:
    """PostgreSQL, the version of the tables, and what is in each. Raises StoreError."""
    place = Postgres(url)
    asked_ms, found = _now_ms(), server(place)
    lines = [
        place.shown,
        f"PostgreSQL {found.release}",
        f"version {found.version or 'none: it has no tables of callflow'}, this callflow's is {HEAD}",
        f"{found.bytes:,} bytes, {found.connections} connections, {found.collectors} active collectors",
        f"its clock is {(found.now_ms - asked_ms) / 1000:+.1f} s from this machine's",
    ]
    return "\n".join([*lines, *map(_line, holdings(place))]) + "\n"


def fleet_nodes(url: str, max_skew_ms: float, veiled: Callable[[str], str]) -> str:
    """Every site with version, clock, delay, gaps, and why events could not be stored. Raises StoreError."""
    with Reader(url) as reader:
        found = [asdict(node) for node in nodes(reader, _now_ms(), max_skew_ms)]
        told = {"nodes": found, "unread_events": unread(reader), "unread_why": why_unread(reader)}
    return json.dumps(_each(told, veiled), indent=1) + "\n"


def _line(one: Holding) -> str:
    days = f", {len(one.partitions)} partitions{f': {one.days}' * bool(one.days)}" if one.partitions is not None else ""
    return f"{one.table}: {'' if one.exact else 'about '}{one.rows:,} rows, {one.bytes:,} bytes{days}"


def _each(told: Any, veiled: Callable[[str], str]) -> Any:
    """Every text in it veiled; figures stay."""
    if isinstance(told, dict):
        return {name: _each(value, veiled) for name, value in told.items()}
    if isinstance(told, list | tuple):
        return [_each(one, veiled) for one in told]
    return veiled(told) if isinstance(told, str) else told


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
