"""/api/v1/admin: tokens, the audit trail, and the settings in force; for administrators."""

import asyncio
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query

from callflow.settings.in_force import in_force
from callflow.web.access import Visitor
from callflow.web.errors import NotFound
from callflow.web.models import AuditEntry, AuditTrail, Setting, TokenMade, TokenShown, TokenWanted
from callflow.web.site import Site, site_of, visitor_of
from callflow.web.tokens import Token, described


def administrator(me: Annotated[Visitor, Depends(visitor_of)]) -> Visitor:
    """The visitor, who must be an administrator; raises Forbidden."""
    me.need_administrator()
    return me


router = APIRouter(prefix="/admin", tags=["admin"])

Admin = Annotated[Visitor, Depends(administrator)]
Here = Annotated[Site, Depends(site_of)]
ENTRY = frozenset({"at_ms", "who", "role", "token", "action"})


@router.get("/tokens", summary="Every token, without its secret")
async def tokens(me: Admin, site: Here) -> list[TokenShown]:
    """The newest last; expired ones too."""
    return [_shown(token) for token in site.tokens.all()]


@router.post("/tokens", status_code=201, summary="Create a token; its secret is shown this once")
async def create(me: Admin, site: Here, wanted: TokenWanted) -> TokenMade:
    """As `callflow web token add` does; written to the audit trail."""
    days_ms = round(timedelta(days=wanted.days) / timedelta(milliseconds=1))
    token, secret = await asyncio.to_thread(
        site.tokens.add,
        wanted.name,
        wanted.role,
        expires_ms=site.audit.now_ms() + days_ms if wanted.days else None,
        queues=tuple(wanted.queues),
        agent=wanted.agent,
    )
    site.audit.note(me, "create token", **described(token))
    return TokenMade(token=_shown(token), secret=secret)


@router.delete("/tokens/{token_id}", status_code=204, summary="Revoke a token")
async def revoke(me: Admin, site: Here, token_id: Annotated[str, Path(max_length=64)]) -> None:
    """Every session that it opened ends within a second; written to the audit trail."""
    gone = await asyncio.to_thread(site.tokens.revoke, token_id)
    if gone is None:
        raise NotFound(f"there is no token {token_id}", "it may have been revoked already")
    site.audit.note(me, "revoke token", **described(gone))


@router.get("/audit", summary="The audit trail, the newest entry first")
async def audit(
    me: Admin,
    site: Here,
    before: Annotated[int | None, Query(ge=0, le=2**53, description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> AuditTrail:
    """Sign-ins, exports, searches by number, unmasked numbers, and every change."""
    page = await asyncio.to_thread(site.audit.page, before, limit)
    return AuditTrail(entries=[_entry(entry) for entry in page.entries], next=page.before)


@router.get("/settings", summary="Every setting with the value in force")
async def settings(me: Admin, site: Here) -> list[Setting]:
    """As `callflow settings` prints them."""
    return [
        Setting(name=one.name, value=one.value, default=one.default, meaning=one.text)
        for one in in_force(site.settings())
    ]


def _shown(token: Token) -> TokenShown:
    return TokenShown(
        id=token.id,
        name=token.name,
        role=token.role,
        queues=list(token.queues),
        agent=token.agent,
        created_ms=token.created_ms,
        expires_ms=token.expires_ms,
    )


def _entry(entry: dict[str, Any]) -> AuditEntry:
    """Whatever somebody wrote into the file by hand is shown as far as it goes."""
    at_ms = entry.get("at_ms")
    return AuditEntry(
        at_ms=at_ms if isinstance(at_ms, int) else 0,
        who=str(entry.get("who", "")),
        role=str(entry.get("role", "")),
        token=str(entry.get("token", "")),
        action=str(entry.get("action", "")),
        what={name: value for name, value in entry.items() if name not in ENTRY},
    )
