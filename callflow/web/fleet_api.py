"""/api/v1/fleet: the nodes of a fleet as its collector knows them."""

from fastapi import APIRouter

from callflow.adapters.store.fleet.nodes import Node, nodes, unread
from callflow.adapters.store.queries import Reader
from callflow.web.errors import Forbidden, NotFound
from callflow.web.models import FleetNode, FleetNodes
from callflow.web.reports_api import Here, Me
from callflow.web.tokens import Role

router = APIRouter(tags=["fleet"])


@router.get("/fleet", summary="Every node: version, clock, delay, gaps, settings that differ, and what is wrong")
async def fleet(me: Me, site: Here) -> FleetNodes:
    """As `callflow fleet --json` prints them; only where the page shows the database of a fleet."""
    me.need(Role.VIEWER)
    if me.queues:
        raise Forbidden("nodes belong to no queue, and your token is limited to some", "ask for another token")
    if not site.of_fleet:
        raise NotFound("this page shows one node", "callflow web with fleet.database_url shows the fleet")
    now_ms, max_skew_ms = site.audit.now_ms(), 1000 * site.settings().fleet.max_skew_s

    def look(reader: Reader) -> tuple[list[Node], int]:
        return nodes(reader, now_ms, max_skew_ms), unread(reader)

    found, kept = await site.database.ask(look)
    shapes = [
        FleetNode.model_validate({name: getattr(node, name) for name in FleetNode.model_fields}) for node in found
    ]
    return FleetNodes(nodes=shapes, unread_events=kept, now_ms=now_ms)
