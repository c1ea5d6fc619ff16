"""/api/v1/calls: search, pages by cursor, export, and one call with all that is known of it."""

import base64
import csv
import dataclasses
import io
import json
from collections.abc import AsyncIterator, Iterable
from functools import partial
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Path, Query
from pydantic import Field, TypeAdapter
from starlette.responses import StreamingResponse

from callflow.adapters.store.lists import Ringing, ringing
from callflow.adapters.store.queries import CallFilter, Place, Reader
from callflow.commands.sheets import cell
from callflow.core.call_record import TimelineEntry
from callflow.core.profile import Mode
from callflow.core.screening.states import Result
from callflow.privacy import mask_number
from callflow.records.calls import StoredCall
from callflow.web.access import Visitor
from callflow.web.errors import NotFound
from callflow.web.export import Export
from callflow.web.models import (
    AssistShape,
    CallDetail,
    CallPage,
    CallRow,
    Happening,
    HoldShape,
    LegShape,
    OfferShape,
    Shape,
    StayShape,
    TalkShape,
    TransferShape,
    WrapUpShape,
)
from callflow.web.site import Site, site_of, visitor_of
from callflow.web.tokens import Role

router = APIRouter(prefix="/calls", tags=["calls"])
S = TypeVar("S", bound=Shape)

EXPORT_PAGE = 1000
_PLACE = TypeAdapter(tuple[Annotated[int, Field(ge=-(2**53), le=2**53)], str, str])
"""What a cursor says: the fields of a Place."""

Me = Annotated[Visitor, Depends(visitor_of)]
Here = Annotated[Site, Depends(site_of)]
Moment = Annotated[int | None, Query(ge=0, le=2**53, description="Epoch milliseconds.")]


class Search:
    """The filter of a search, from the query string."""

    def __init__(
        self,
        since_ms: Moment = None,
        until_ms: Moment = None,
        result: Result | None = None,
        profile: Annotated[str | None, Query(max_length=100)] = None,
        mode: Mode | None = None,
        number: Annotated[str | None, Query(max_length=40, description="The caller's whole number.")] = None,
    ) -> None:
        self._wanted = CallFilter(since_ms, until_ms, result, profile, number, mode)

    def of(self, me: Visitor) -> CallFilter:
        """As far as the visitor may see; raises Forbidden."""
        me.need(Role.VIEWER)
        if self._wanted.number is not None:
            me.need(Role.SUPERVISOR)
        return dataclasses.replace(self._wanted, queues=me.queues)


@router.get("", summary="Search the stored calls, the newest first")
async def search(
    me: Me,
    site: Here,
    by: Annotated[Search, Depends()],
    cursor: Annotated[str | None, Query(max_length=400, description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> CallPage:
    """A page of calls. Numbers are masked; a supervisor opens a call to see the whole one."""
    wanted, after = by.of(me), _place(cursor)
    if wanted.number is not None:
        site.audit.note(me, "search by number")
    found = await site.database.ask(lambda reader: reader.page(wanted, after, limit + 1))
    rows = [call_row(call) for call in found[:limit]]
    return CallPage(calls=rows, next=_cursor(found[limit - 1]) if len(found) > limit else None)


@router.get("/export.csv", summary="The calls of a search as CSV", response_class=StreamingResponse)
async def export(me: Me, site: Here, by: Annotated[Search, Depends()]) -> Export:
    """Every call of the search, numbers masked; cells that a spreadsheet would run are defused.

    If the database goes away after the first bytes, the connection is reset.
    """
    me.need(Role.SUPERVISOR)
    wanted = by.of(me)
    site.audit.note(me, "export calls")
    first = await _exported(site, wanted, None)
    headers = {"Content-Disposition": 'attachment; filename="calls.csv"'}
    return Export(_csv(site, wanted, first), media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/{node}/{call_id}", summary="One call: its timeline, queues, phones, talks, holds, transfers and wrap-ups")
async def detail(
    me: Me,
    site: Here,
    node: Annotated[str, Path(max_length=200)],
    call_id: Annotated[str, Path(max_length=200)],
    unmask: Annotated[bool, Query()] = False,
) -> CallDetail:
    """Everything that is known of one call. `unmask` shows the number to a supervisor, and is written down."""
    me.need(Role.VIEWER)
    if unmask:
        me.need(Role.SUPERVISOR)

    def look(reader: Reader) -> tuple[StoredCall, list[TimelineEntry], Ringing] | None:
        call = reader.exact(call_id, node)
        return None if call is None else (call, reader.happenings(call), ringing(reader, call))

    found = await site.database.ask(look)
    if found is None or (me.queues and not any(me.sees_queue(stay.queue) for stay in found[2].stays)):
        raise NotFound(f"there is no call {call_id} of node {node}", "it may have been deleted by retention")
    call, timeline, rung = found
    in_order = sorted(timeline, key=lambda each: (each.at_ms, each.seq))
    row = call_row(call).model_dump()
    if unmask:
        site.audit.note(me, "unmask", node=node, call=call_id)
        row["caller_number"] = call.record.caller_number
    return CallDetail(
        **row,
        happenings=_shaped(Happening, in_order),
        stays=_shaped(StayShape, rung.stays),
        offers=_shaped(OfferShape, rung.offers),
        legs=_shaped(LegShape, rung.legs),
        talks=_shaped(TalkShape, rung.talks),
        holds=_shaped(HoldShape, rung.holds),
        transfers=_shaped(TransferShape, rung.transfers),
        wrap_ups=_shaped(WrapUpShape, rung.wrap_ups),
        assist_steps=_shaped(AssistShape, rung.assist_steps),
    )


def call_row(call: StoredCall) -> CallRow:
    """A stored call as a list shows it."""
    values = _picked(CallRow, call.record) | {"node": call.node, "interrupted": call.interrupted}
    return CallRow.model_validate(values | {"caller_number": mask_number(call.record.caller_number)})


def _shaped(shape: type[S], records: Iterable[object]) -> list[S]:
    """Records as the API shows them."""
    return [shape.model_validate(_picked(shape, record)) for record in records]


def _picked(shape: type[Shape], record: object) -> dict[str, Any]:
    """The fields of a record that a shape has."""
    return {name: getattr(record, name) for name in shape.model_fields if hasattr(record, name)}


def _place_of(call: StoredCall) -> Place:
    return Place(call.record.arrived_ms, call.record.call_id, call.node)


def _cursor(call: StoredCall) -> str:
    place = json.dumps(dataclasses.astuple(_place_of(call)))
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def _place(cursor: str | None) -> Place | None:
    """Raises NotFound for what is no cursor of ours."""
    if cursor is None:
        return None
    try:
        place = _PLACE.validate_json(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), strict=True)
    except ValueError:
        raise NotFound("this cursor is not one of ours", "begin again without a cursor") from None
    return Place(*place)


async def _exported(site: Site, wanted: CallFilter, after: Place | None) -> list[StoredCall]:
    return await site.database.ask(partial(Reader.page, wanted=wanted, after=after, limit=EXPORT_PAGE))


async def _csv(site: Site, wanted: CallFilter, page: list[StoredCall]) -> AsyncIterator[bytes]:
    """Page by page, so that memory stays small and other queries come in between."""
    names = list(CallRow.model_fields)
    yield (",".join(names) + "\r\n").encode()
    while True:
        lines = io.StringIO()
        writer = csv.writer(lines)
        for call in page:
            row = call_row(call)
            writer.writerow([cell(getattr(row, name)) for name in names])
        yield lines.getvalue().encode("utf-8", "replace")
        if len(page) < EXPORT_PAGE:
            return
        page = await _exported(site, wanted, _place_of(page[-1]))
