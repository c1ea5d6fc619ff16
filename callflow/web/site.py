"""The parts of the page, put together once and handed to every request."""

from dataclasses import dataclass
from typing import cast

from fastapi import Request

from callflow.web.access import Access, Visitor
from callflow.web.audit import Audit
from callflow.web.database import Database
from callflow.web.live import LiveFeed


@dataclass(frozen=True, slots=True)
class Site:
    """What a request needs."""

    access: Access
    audit: Audit
    database: Database
    live: LiveFeed | None
    """None where the page runs alone on a database: then nothing is live."""


def site_of(request: Request) -> Site:
    """The parts of the page."""
    return cast("Site", request.app.state.site)


def visitor_of(request: Request) -> Visitor:
    """Who makes the request; raises NotSignedIn, Forbidden or TooManyAttempts."""
    return site_of(request).access.visitor(request)
