"""/api/v1/session: sign in, who am I, sign out."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from callflow.web.access import Visitor
from callflow.web.models import Me, SignIn
from callflow.web.site import Site, site_of, visitor_of
from callflow.web.tokens import Role

router = APIRouter(prefix="/session", tags=["session"])

Here = Annotated[Site, Depends(site_of)]


@router.get("", summary="Who is signed in")
async def who(me: Annotated[Visitor, Depends(visitor_of)], site: Here) -> Me:
    """The visitor's name, role and limits."""
    return shown(me, site)


@router.post("", summary="Sign in with a token; the answer sets the session's cookie")
async def sign_in(site: Here, request: Request, response: Response, given: SignIn) -> Me:
    """Ten wrong tokens from one address within a minute, and the address must wait."""
    me = site.access.sign_in(request, given.token, response)
    site.audit.note(me, "sign in")
    return shown(me, site)


@router.delete("", status_code=204, summary="Sign out in this browser")
async def sign_out(site: Here, response: Response, me: Annotated[Visitor, Depends(visitor_of)]) -> None:
    """The cookie is deleted; the token stays valid for other browsers."""
    site.access.sign_out(response)
    site.audit.note(me, "sign out")


def shown(me: Visitor, site: Site) -> Me:
    """A visitor as the page needs them."""
    return Me(
        name=me.name,
        role=me.role,
        queues=list(me.queues),
        agent=me.agent,
        may_unmask=me.at_least(Role.SUPERVISOR),
        live=site.live is not None,
        fleet=site.of_fleet,
        may_change=site.live is not None and me.role is not Role.VIEWER,
        may_administer=me.at_least(Role.ADMIN) and not me.queues,
    )
