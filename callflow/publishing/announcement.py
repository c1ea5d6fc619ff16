"""What a node tells the collector of its fleet about itself."""

import hashlib
import json
import socket
from collections.abc import Callable

from callflow import __version__
from callflow.settings.model import Settings

OWN = {"node": None, "store": {"path"}, "mqtt": {"client_id", "site"}, "fleet": None, "web": None, "log": None}
"""Settings in which the nodes of a fleet differ by nature; None for a whole section."""


def announcement(settings: Settings, now_ms: Callable[[], int]) -> Callable[[str], str]:
    """Makes the JSON of the topic `node` for a stream of events."""
    about = {
        "node": settings.node.name,
        "host": socket.gethostname(),
        "version": __version__,
        "started_ms": now_ms(),
        "settings": fingerprints(settings),
    }
    return lambda stream: json.dumps(about | {"stream": stream, "now_ms": now_ms()})


def fingerprints(settings: Settings) -> dict[str, str]:
    """A fingerprint of each section, which differs if a setting does; secrets are left out."""
    marks: dict[str, str] = {}
    for name, values in settings.model_dump(mode="json").items():
        own = OWN.get(name, set())
        if own is None:
            continue
        kept = {key: value for key, value in values.items() if key not in own} if isinstance(values, dict) else values
        marks[name] = hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:12]
    return marks
