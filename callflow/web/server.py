"""Serves the page on its own listener, in the daemon or on a database alone."""

import asyncio
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import structlog

from callflow.adapters.http.connections import Config
from callflow.adapters.http.health import Health
from callflow.adapters.http.listener import Listener, Messages
from callflow.adapters.mqtt.asking import answer_of_node
from callflow.adapters.store.callback_list import CallbackList
from callflow.adapters.store.case_list import CaseList
from callflow.adapters.store.places import Where
from callflow.core.assist.actions import AgentActions
from callflow.settings.model import Settings
from callflow.web.access import Access
from callflow.web.app import make_app
from callflow.web.audit import Audit
from callflow.web.database import Database
from callflow.web.errors import NotFound
from callflow.web.live import LiveFeed, State
from callflow.web.options import WebOptions
from callflow.web.site import Site
from callflow.web.static_files import StaticFiles
from callflow.web.tokens import TokenFile

MESSAGES = Messages("the page is served", "the page cannot be served; calls go on", "see [web] host and port")
BESIDES_VIEWERS = 64
"""Connections beside the live streams; one more closes the one that has been idle for longest."""

log = structlog.get_logger()


def tokens_of(options: WebOptions, database: Path) -> TokenFile:
    """The tokens of a site: the file that the settings name, or one beside the database."""
    return TokenFile(Path(options.tokens_file) if options.tokens_file else database.with_name("web-tokens.json"))


def audit_file_of(options: WebOptions, database: Path) -> Path:
    """The audit trail of a site: the file that the settings name, or one beside the database."""
    return Path(options.audit_file) if options.audit_file else database.with_name("web-audit.jsonl")


def site_for(
    options: WebOptions,
    database: Where,
    now_ms: Callable[[], int],
    read_off: Callable[[], State] | None,
    settings: Callable[[], Settings] = Settings,
    agent_actions: Callable[[], AgentActions | None] = lambda: None,
    health: Health | None = None,
) -> Site:
    """The parts of the page for one database: a file, or the URL of a fleet's.

    In a fleet, nodes are asked for steps of call-backs where the settings say which broker they are at.
    """
    file = database if isinstance(database, Path) else None
    beside = file or settings().store.path
    tokens = tokens_of(options, beside)

    @cache
    def callback_list() -> CallbackList:
        return CallbackList(at_the_node(), settings().node.name, busy_s=options.query_timeout_s / 2)

    def case_list() -> CaseList:
        return CaseList(at_the_node(), settings().node.name, busy_s=options.query_timeout_s / 2)

    def at_the_node() -> Path:
        if file is None:
            raise NotFound("this is kept at each node, and not in the database of the fleet", "open the node's page")
        return file

    mqtt = settings().mqtt
    asks = file is None and "host" in mqtt.model_fields_set
    return Site(
        access=Access(options, tokens),
        tokens=tokens,
        audit=Audit(audit_file_of(options, beside), now_ms),
        database=Database(database, options.query_timeout_s),
        live=None if read_off is None else LiveFeed(read_off, now_ms, options.max_viewers),
        settings=settings,
        callback_list=callback_list,
        case_list=case_list,
        agent_actions=agent_actions,
        ask_node=partial(answer_of_node, mqtt) if asks else None,
        of_fleet=file is None,
        health=health,
    )


class WebServer:
    """`read_off` tells the live state, without which nothing is live; `settings` those in force.

    `health`: what /healthz and /readyz answer; None where the daemon's own listener does.

    A port in use is tried again.
    """

    def __init__(
        self,
        options: WebOptions,
        database: Where,
        now_ms: Callable[[], int],
        read_off: Callable[[], State] | None = None,
        settings: Callable[[], Settings] = Settings,
        agent_actions: Callable[[], AgentActions | None] = lambda: None,
        health: Health | None = None,
    ) -> None:
        self._options = options
        self._site = site_for(options, database, now_ms, read_off, settings, agent_actions, health)
        self._listener = Listener(options.host, options.port, self._config, messages=MESSAGES, log=log)

    @property
    def port(self) -> int:
        """The port in use; 0 while there is none."""
        return self._listener.port

    @property
    def viewers(self) -> int:
        """Live streams open now."""
        return 0 if self._site.live is None else self._site.live.viewers

    def start(self) -> None:
        """Begin to serve; returns at once, never raises."""
        self._listener.start()

    async def serve(self) -> None:
        """Serve until cancelled; raises OSError where the address cannot be had."""
        await self._listener.serve()

    async def stop(self) -> None:
        """End every connection."""
        if self._site.live is not None:
            self._site.live.stop()
        await self._listener.stop()
        self._site.database.close()

    async def _config(self) -> Config:
        """In a thread: routes and files take a tenth of a second, in which a daemon serves calls."""
        return await asyncio.to_thread(self._configured)

    def _configured(self) -> Config:
        return Config(
            make_app(self._site, StaticFiles()),
            most=self._options.max_viewers + BESIDES_VIEWERS,
            streams=True,
        )
