"""/api/v1/live and /api/v1/events: the state now, and the stream of its changes."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import StreamingResponse

from callflow.web.access import Visitor
from callflow.web.errors import NotFound
from callflow.web.live import LiveFeed, View
from callflow.web.models import Live
from callflow.web.site import Site, site_of, visitor_of
from callflow.web.stream import LiveAnswer

router = APIRouter(tags=["live"])

Me = Annotated[Visitor, Depends(visitor_of)]
Here = Annotated[Site, Depends(site_of)]
STREAM: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}, "description": "snapshot, then change"}
}


def _feed(site: Site) -> LiveFeed:
    if site.live is None:
        raise NotFound("this page runs on a database alone; nothing is live", "open the page of a running daemon")
    return site.live


@router.get("/live", summary="The state now")
async def live(me: Me, site: Here) -> Live:
    """Queues, agents, lines, calls under way and health, as far as the visitor may see them."""
    feed = _feed(site)
    return Live(at_ms=feed.now_ms(), state={key: dict(value) for key, value in feed.state(View.of(me)).items()})


@router.get("/events", summary="The stream of changes", response_class=StreamingResponse, responses=STREAM)
async def events(request: Request, me: Me, site: Here) -> LiveAnswer:
    """Events: `snapshot` {set, at_ms}, then `change` {set, gone, at_ms}; `beat` {at_ms} after 5 s without one."""
    feed = _feed(site)
    feed.admit()
    return LiveAnswer(request, feed, View.of(me), lambda: site.access.still(request, me))
