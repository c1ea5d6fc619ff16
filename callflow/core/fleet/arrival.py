"""The messages to the collector of a fleet: events and announcements, parsed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from callflow.core.documents import json_of


@dataclass(frozen=True, slots=True)
class Arrival:
    """One event as it came. `stream` is empty for a publisher that waits for no collector."""

    topic: str
    body: str
    came_ms: int
    stream: str = ""
    after: int = 0

    @property
    def site(self) -> str:
        return self.topic.split("/")[2]

    @property
    def group(self) -> str:
        """`call` or `alert`."""
        return self.topic.split("/")[4]

    @property
    def name(self) -> str:
        """The kind of the event, such as `stay`."""
        return self.topic.split("/")[5]

    def event(self) -> Mapping[str, Any]:
        """Its JSON; raises ValueError for anything but an object."""
        found = json_of(self.body)
        if not isinstance(found, dict):
            raise ValueError("it is not an object")
        return found


@dataclass(frozen=True, slots=True)
class Announced:
    """Which daemon publishes for a site. `skew_ms`: how far its clock is ahead; None for a retained message."""

    site: str
    stream: str
    node: str
    host: str
    version: str
    started_ms: int
    settings: str
    """JSON: a fingerprint by section."""
    came_ms: int
    skew_ms: int | None


def announced(topic: str, body: str, came_ms: int, retained: bool) -> Announced | None:
    """An announcement; None for one that cannot be read."""
    try:
        said = json_of(body)
        return Announced(
            site=topic.split("/")[2],
            stream=str(said["stream"]),
            node=str(said["node"]),
            host=str(said["host"]),
            version=str(said["version"]),
            started_ms=int(said["started_ms"]),
            settings=json.dumps(dict(said["settings"]), sort_keys=True),
            came_ms=came_ms,
            skew_ms=None if retained else int(said["now_ms"]) - came_ms,
        )
    except (ValueError, KeyError, TypeError, IndexError, OverflowError, RecursionError):
        return None
