"""A node of the pretended fleet: its settings, and the events in its database that are still held back."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from callflow.adapters.store.outbox import MQTT
from tests.services.mosquitto import settings_for

KEY = "one key for the whole fleet"
HELD = "held"
"""The destination of events whose time has not come."""


def database(folder: Path, site: str) -> Path:
    return folder / f"{site}.db"


def sections(folder: Path, site: str, port: int, mqtt: Mapping[str, Any]) -> dict[str, Any]:
    """The sections of a node that publishes to the broker at `port`; `mqtt` is added to its section."""
    return {
        "node": {"name": site},
        "store": {"path": str(database(folder, site))},
        "mqtt": {**settings_for(port), "await_collector": True, **mqtt},
        "privacy": {"key": KEY},
        "http": {"enabled": False},
        "web": {"enabled": False},
    }


class HeldEvents:
    """The events of a filled database: held back first, then released in order."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)

    def close(self) -> None:
        self._connection.close()

    def hold(self) -> None:
        """Hold back all of them."""
        self._connection.execute("UPDATE outbox SET destination = ? WHERE destination = ?", (HELD, MQTT))

    def release(self, most: int) -> int:
        """Let the daemon send the next ones; returns how many."""
        wanted = "SELECT seq FROM outbox WHERE destination = ? ORDER BY seq LIMIT ?"
        done = self._connection.execute(
            f"UPDATE outbox SET destination = ? WHERE seq IN ({wanted})", (MQTT, HELD, most)
        )
        return done.rowcount


def waiting(path: Path) -> int:
    """Events that a node still keeps, held or not."""
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        return int(connection.execute("SELECT count(*) FROM outbox").fetchone()[0])


def last_event(path: Path) -> int:
    """The number of the newest event."""
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        return int(connection.execute("SELECT coalesce(max(seq), 0) FROM outbox").fetchone()[0])
