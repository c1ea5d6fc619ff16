"""The envelope that every event travels in."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

_NAMESPACE = UUID("5d3f6a52-9f0b-4a9e-8e61-2c1d5b7b8f10")


@dataclass(frozen=True, slots=True)
class Envelope:
    """One event on its way out. Consumers upsert on (`event_id`, `revision`) and order a call's events by `seq`.

    `seq` is not in here: the outbox gives it, in the order of saving.
    """

    topic: str
    event_id: str
    schema: str
    call_id: str
    """The caller's first Uniqueid; "" for what concerns no single call."""
    occurred_ms: int
    revision: int
    data: Mapping[str, Any]

    def body(self) -> str:
        """The JSON without `seq`."""
        return json.dumps(
            {
                "event_id": self.event_id,
                "schema": self.schema,
                "call_id": self.call_id,
                "occurred_at": utc(self.occurred_ms),
                "revision": self.revision,
                "data": self.data,
            },
            ensure_ascii=False,
            separators=(",", ":"),
        )


def with_seq(body: str, seq: int) -> str:
    """The whole payload of an event."""
    return f'{{"seq":{seq},{body[1:]}'


def event_id(*parts: str) -> str:
    """The same parts give the same id, in every process and after every restart."""
    return str(uuid5(_NAMESPACE, "\x1f".join(parts)))


def utc(at_ms: int | None) -> str | None:
    """2026-01-31T13:05:03.120Z; None for None, and for a time that no calendar has."""
    if at_ms is None:
        return None
    try:
        at = datetime.fromtimestamp(at_ms / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
