"""The parts of the page, put together once and handed to every request."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar, cast

from fastapi import Request

from callflow.adapters.http.health import Health
from callflow.adapters.store.callback_list import CallbackList
from callflow.adapters.store.callback_queries import CallbackQueries
from callflow.adapters.store.case_list import CaseList
from callflow.core.assist.actions import AgentActions
from callflow.core.fleet.orders import Answer, ListStep
from callflow.settings.model import Settings
from callflow.web.access import Access, Visitor
from callflow.web.audit import Audit
from callflow.web.database import Database
from callflow.web.live import LiveFeed
from callflow.web.tokens import TokenFile

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Site:
    """What a request needs."""

    access: Access
    tokens: TokenFile
    audit: Audit
    database: Database
    live: LiveFeed | None
    """None where the page runs alone on a database: then nothing is live."""
    settings: Callable[[], Settings]
    """Those in force."""
    callback_list: Callable[[], CallbackList]
    case_list: Callable[[], CaseList]
    agent_actions: Callable[[], AgentActions | None]
    """Where agents' requests go; None where the page runs alone on a database."""
    ask_node: Callable[[str, ListStep], Awaitable[Answer]] | None = None
    """Has the node of a site take a step of a call-back, and raises NodeAway; None where nobody is to be asked."""
    of_fleet: bool = False
    """The page shows the database of a fleet: every node's history, and nothing live."""
    health: Health | None = None
    """What /healthz and /readyz answer; None where they are served elsewhere."""

    @property
    def takes_steps(self) -> bool:
        """Call-backs can be changed here, or by their node."""
        return self.live is not None or self.ask_node is not None

    async def callbacks(self, work: Callable[[CallbackList], T]) -> T:
        """What `work` makes of the call-back list, in a thread; raises StoreError, or QueryTooSlow."""
        return await self.database.run(lambda: work(self.callback_list()))

    async def listed(self, work: Callable[[CallbackQueries], T]) -> T:
        """What `work` finds on the call-back list, or on those of all nodes; raises StoreError, or QueryTooSlow."""
        if self.of_fleet:
            return await self.database.ask(lambda reader: work(CallbackQueries(reader.rows)))
        return await self.callbacks(lambda found: work(found.queries))


def site_of(request: Request) -> Site:
    """The parts of the page."""
    return cast("Site", request.app.state.site)


def visitor_of(request: Request) -> Visitor:
    """Who makes the request; raises NotSignedIn, Forbidden or TooManyAttempts."""
    return site_of(request).access.visitor(request)
