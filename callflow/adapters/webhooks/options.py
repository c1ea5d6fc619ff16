"""The sections [webhooks.NAME]: where events are posted, which ones, and how long callflow tries."""

import re
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from callflow.core.section import Section

_PATTERN = re.compile(r"\*|(call|alert|\*)\.[a-z_*]+")


class WebhookOptions(Section):
    """One receiver of events over HTTP (docs/webhooks.md)."""

    url: str = Field(description="Where events are posted: http:// or https://.")
    secret: SecretStr = Field(min_length=16, description="Key of the signature, shared with the receiver.")
    events: tuple[str, ...] = Field(
        ("*",), min_length=1, description="Which events: names such as call.stay and alert.silent_call, or call.*."
    )
    timeout_s: float = Field(10.0, gt=0, le=120, description="Seconds to wait for an answer.")
    max_attempts: int = Field(
        8, ge=1, le=1000, description="Attempts that the receiver may fail (status 500) before an event is put aside."
    )
    retry_min_s: float = Field(1.0, gt=0, le=60, description="Seconds before the second attempt; then they double.")
    retry_max_s: float = Field(300.0, gt=0, le=3600, description="Longest time between two attempts, in seconds.")
    max_events: int = Field(
        100_000,
        ge=100,
        le=10_000_000,
        description="Events kept while the receiver is away; further ones replace the oldest.",
    )
    max_age_h: float = Field(72.0, gt=0, le=8760, description="Hours to keep an event for the receiver.")

    @field_validator("url")
    @classmethod
    def _is_http(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or not url.isprintable() or " " in url:
            raise ValueError("must begin with http:// or https:// and name a host")
        return url

    @field_validator("events")
    @classmethod
    def _are_patterns(cls, events: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in events:
            if not _PATTERN.fullmatch(pattern):
                raise ValueError(f"{pattern!r} is no event: write call.stay, alert.silent_call, call.*, alert.* or *")
        return events

    def wants(self, event: str) -> bool:
        """Whether an event of this name, such as call.stay, goes to this receiver."""
        return any(fnmatchcase(event, pattern) for pattern in self.events)
