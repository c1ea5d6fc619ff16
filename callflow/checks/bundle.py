"""What `callflow doctor` gathers for a report of a fault: nothing in it names a caller, and no secret is in it."""

import json
import platform
import re
import secrets
import sqlite3
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr

from callflow import __version__
from callflow.core.publishing.privacy import PrivacyRules, Pseudonymizer
from callflow.errors import CallflowError
from callflow.settings.in_force import in_force
from callflow.settings.model import Settings

ROWS = 100
"""The newest rows of each table."""
ANSWER_S = 3.0
NAMES = ("caller_name",)
LEFT_OUT = "(left out)"
_URL_USER = re.compile(r"://[^/@\s]+@")
_LABEL = re.compile(r'(\b(?!le=)\w+=)"((?:[^"\\\n]|\\.)*)"')


class Veil:
    """Hides numbers behind a key that only this bundle has, so that one caller can be followed but not named."""

    def __init__(self, settings: Settings) -> None:
        rules = PrivacyRules(internal_digits=settings.privacy.internal_digits)
        self._names = Pseudonymizer(secrets.token_bytes(32), rules)
        self._secrets = sorted(_secrets_of(settings), key=len, reverse=True)

    def text(self, text: str) -> str:
        """A text without numbers long enough to be a person's, without secrets, and without users in addresses."""
        for secret in self._secrets:
            text = text.replace(secret, LEFT_OUT)
        return _URL_USER.sub("://", self._names.hidden_in(text))

    def labels(self, metrics: str) -> str:
        """Metrics whose labels are veiled; the figures stay, and so do the bounds of histograms."""
        return _LABEL.sub(lambda found: f'{found[1]}"{self.text(found[2])}"', metrics)

    def value(self, column: str, value: Any) -> Any:
        """A value of the database."""
        if not isinstance(value, str) or not value:
            return value
        if column in NAMES:
            return LEFT_OUT
        return self._names.caller(value) if column == "caller_number" else self.text(value)


def bundle(settings: Settings) -> Iterator[tuple[str, str]]:
    """Name and text of each file. A part that cannot be had says why; nothing raises."""
    veil = Veil(settings)
    parts: tuple[tuple[str, Callable[[], str]], ...] = (
        ("versions.txt", _versions),
        ("settings.txt", lambda: veil.text("\n".join(f"{one.name} = {one.value}" for one in in_force(settings)))),
        ("database.txt", lambda: _database(settings.store.path)),
        ("records.json", lambda: _records(settings.store.path, veil)),
        ("health.txt", lambda: veil.text(_asked(settings, "readyz"))),
        ("metrics.txt", lambda: veil.labels(_asked(settings, "metrics"))),
    )
    if url := settings.fleet.database_url.get_secret_value():
        from callflow.checks.fleet_bundle import fleet_nodes, fleet_tables  # PostgreSQL: only where there is a fleet

        parts += (
            ("fleet-database.txt", lambda: fleet_tables(url)),
            ("fleet-nodes.json", lambda: fleet_nodes(url, 1000 * settings.fleet.max_skew_s, veil.text)),
        )
    for name, make in parts:
        try:
            yield name, make()
        except Exception as error:  # noqa: BLE001 - whatever fails is what the bundle is made for
            yield name, f"not available: {veil.text(_said(error))}\n"


def _said(error: Exception) -> str:
    return str(error) if isinstance(error, CallflowError) else repr(error)


def _versions() -> str:
    system = [f"callflow {__version__}", f"Python {sys.version}", f"SQLite {sqlite3.sqlite_version}"]
    packages = sorted({f"{found.metadata['Name']} {found.version}" for found in distributions()}, key=str.lower)
    return "\n".join([*system, platform.platform(), "", *packages]) + "\n"


def _database(path: Path) -> str:
    with closing(_opened(path)) as connection:
        (version,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        lines = [f"version {version}", f"{path.stat().st_size} bytes"]
        for table in _tables(connection):
            (count,) = connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()  # noqa: S608 - its own names
            lines.append(f"{table}: {count} rows")
    return "\n".join(lines) + "\n"


def _records(path: Path, veil: Veil) -> str:
    """The newest rows of each table, numbers hidden."""
    found: dict[str, list[dict[str, Any]]] = {}
    with closing(_opened(path)) as connection:
        connection.row_factory = sqlite3.Row
        for table in _tables(connection):
            columns = [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')]
            at = next((name for name in columns if name.endswith("_ms")), columns[0])
            query = f'SELECT * FROM "{table}" ORDER BY "{at}" DESC LIMIT {ROWS}'  # noqa: S608 - its own names
            rows = connection.execute(query).fetchall()
            found[table] = [{name: veil.value(name, row[name]) for name in columns} for row in rows]
    return json.dumps(found, indent=1) + "\n"


def _asked(settings: Settings, path: str) -> str:
    """What the running daemon answers."""
    http = settings.http
    if not http.enabled:
        return "[http] is off\n"
    host = f"[{http.host}]" if ":" in http.host else http.host
    request = f"http://{host}:{http.port}/{path}"
    with urllib.request.urlopen(request, timeout=ANSWER_S) as answer:
        return str(answer.read().decode("utf-8", "replace"))


def _tables(connection: sqlite3.Connection) -> list[str]:
    query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
    return [str(row[0]) for row in connection.execute(query)]


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=5.0)


def _secrets_of(model: BaseModel) -> Iterator[str]:
    """The value of every secret that is set."""
    for name in type(model).model_fields:
        value = getattr(model, name)
        nested = value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else (value,)
        for one in nested:
            if isinstance(one, SecretStr) and one.get_secret_value():
                yield one.get_secret_value()
            elif isinstance(one, BaseModel):
                yield from _secrets_of(one)
