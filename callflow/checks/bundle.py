"""What `callflow doctor` gathers for a report of a fault: nothing in it names a caller, and no secret is in it."""

import json
import platform
import re
import secrets
import sqlite3
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr

from callflow import __version__
from callflow.core.callbacks.entry import CALLFLOW
from callflow.core.documents import json_of
from callflow.core.publishing.privacy import PrivacyRules, Pseudonymizer
from callflow.errors import CallflowError
from callflow.settings.in_force import in_force
from callflow.settings.model import Settings

ROWS = 100
"""The newest rows of each table."""
ANSWER_S = 3.0
FREE = ("caller_name", "note", "news")
"""A caller's name, and what people type about a caller; `why` too, where a person took the step."""
NUMBERS = ("caller_number", "caller", "number")
"""Hashed whatever their length."""
BODY = "body"
"""The event that waits in the outbox, as JSON."""
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

    def row(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A row of the database, or an object in an event."""
        by_person = row.get("actor") not in (None, "", CALLFLOW)
        return {name: self._value(name, value, by_person=by_person) for name, value in row.items()}

    def _value(self, name: str, value: Any, *, by_person: bool) -> Any:
        if isinstance(value, dict):
            return self.row(value)
        if isinstance(value, list):
            return [self._value(name, one, by_person=by_person) for one in value]
        if not isinstance(value, str) or not value:
            return value
        if name in FREE or (name == "why" and by_person):
            return LEFT_OUT
        if name in NUMBERS:
            return self._names.hashed(value)
        return self._event(value) if name == BODY else self.text(value)

    def _event(self, body: str) -> str:
        try:
            read = json_of(body)
        except ValueError:
            return LEFT_OUT
        return json.dumps(self.row(read)) if isinstance(read, dict) else LEFT_OUT


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
            found[table] = [veil.row(dict(row)) for row in rows]
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
