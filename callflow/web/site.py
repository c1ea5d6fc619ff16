"""The parts of the page, put together once and handed to every request."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import cast

from fastapi import Request

from callflow.settings.in_force import InForce
from callflow.web.access import Access, Visitor
from callflow.web.audit import Audit
from callflow.web.database import Database
from callflow.web.live import LiveFeed
from callflow.web.tokens import TokenFile


@dataclass(frozen=True, slots=True)
class Site:
    """What a request needs."""

    access: Access
    tokens: TokenFile
    audit: Audit
    database: Database
    live: LiveFeed | None
    """None where the page runs alone on a database: then nothing is live."""
    settings: Callable[[], Iterable[InForce]]
    """Every setting with the value in force; secrets are hidden."""


def site_of(request: Request) -> Site:
    """The parts of the page."""
    return cast("Site", request.app.state.site)


def visitor_of(request: Request) -> Visitor:
    """Who makes the request; raises NotSignedIn, Forbidden or TooManyAttempts."""
    return site_of(request).access.visitor(request)
