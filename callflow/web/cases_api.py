"""/api/v1/cases: open cases, to read, to open, to record news of, and to close."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from callflow.adapters.store.case_list import NoSuchCase
from callflow.core.callbacks.numbers import dialable
from callflow.core.cases import HOUR_MS, Case, CaseChange, CaseClosed, checked_reference, new_case
from callflow.privacy import mask_number
from callflow.web.access import Visitor
from callflow.web.case_models import CaseChangeShape, CaseDetail, CaseRow, CaseStepWanted, CaseWanted, Reference
from callflow.web.errors import Conflict, Forbidden, NotFound
from callflow.web.site import Site, site_of, visitor_of
from callflow.web.tokens import Role

router = APIRouter(prefix="/cases", tags=["cases"])

Me = Annotated[Visitor, Depends(visitor_of)]
Here = Annotated[Site, Depends(site_of)]
STEPS = ["news", "close"]


@router.get("", summary="Open cases, the earliest due news first")
async def cases(me: Me, site: Here) -> list[CaseRow]:
    """Numbers are masked."""
    _need(me, Role.VIEWER)
    now_ms = site.audit.now_ms()
    return [_row(case, now_ms) for case in await site.database.run(site.case_list().open)]


@router.get("/one", summary="One case, open or closed: every step with who made it and what the caller was told")
async def one_case(
    me: Me, site: Here, reference: Annotated[Reference, Query()], unmask: Annotated[bool, Query()] = False
) -> CaseDetail:
    """`unmask` shows the number to a supervisor, and is written down."""
    _need(me, Role.SUPERVISOR if unmask else Role.VIEWER)

    def look() -> tuple[Case, list[CaseChange]]:
        found = site.case_list()
        try:
            return found.find(reference), found.changes(reference)
        except NoSuchCase as error:
            raise NotFound(error.problem, "GET /api/v1/cases lists the references") from None

    case, changes = await site.database.run(look)
    if unmask:
        site.audit.note(me, "unmask", case=reference)
    supervises = me.at_least(Role.SUPERVISOR)
    may = STEPS if supervises and case.open and site.live is not None else []
    row = _row(case, site.audit.now_ms()).model_dump()
    return CaseDetail.model_validate(
        row
        | {"number": case.number if unmask else row["number"]}
        | {"changes": [_change(change) for change in changes]}
        | {"may": may, "may_unmask": supervises and bool(case.number)}
    )


@router.post("", status_code=201, summary="Open a case")
async def open_case(me: Me, site: Here, wanted: CaseWanted) -> CaseRow:
    """Its first news is due within a day; written to the audit trail."""
    _need_to_change(me, site)
    rules, now_ms = site.settings().callbacks, site.audit.now_ms()
    try:
        number = dialable(wanted.number, rules.dialable, rules.refused) if wanted.number else ""
        reference = checked_reference(wanted.reference)
    except ValueError as error:
        raise Conflict(str(error), "correct it and send it again") from None
    zone = rules.profile(wanted.profile).zone
    case = new_case(reference, number, wanted.kind, wanted.profile, zone, now_ms, me.name, rules.case_news_h)

    def add() -> None:
        try:
            site.case_list().add(case)
        except NoSuchCase as error:
            raise Conflict(error.problem, error.remedy) from None

    await site.database.run(add)
    site.audit.note(me, "open case", reference=reference)
    return _row(case, now_ms)


@router.put("", summary="Record news of a case, or close it")
async def take_step(me: Me, site: Here, wanted: CaseStepWanted) -> CaseRow:
    """The next news is due a day later; written to the audit trail."""
    _need_to_change(me, site)
    now_ms = site.audit.now_ms()
    next_ms = now_ms + round(HOUR_MS * site.settings().callbacks.case_news_h)

    def taken(now: Case) -> Case:
        if wanted.step == "close":
            return now.closed(now_ms, me.name, wanted.news)
        return now.told(now_ms, me.name, wanted.news or "nothing new yet", next_ms)

    def change() -> Case:
        try:
            return site.case_list().change(wanted.reference, taken)
        except NoSuchCase as error:
            raise NotFound(error.problem, "GET /api/v1/cases lists the references") from None
        except CaseClosed as error:
            raise Conflict(str(error), "open another case") from None

    case = await site.database.run(change)
    site.audit.note(me, f"case {wanted.step}", reference=case.reference)
    return _row(case, now_ms)


def _need(me: Visitor, role: Role) -> None:
    """Raises Forbidden for a lower role, and for a token limited to queues: no case belongs to a queue."""
    me.need(role)
    if me.queues:
        raise Forbidden("cases belong to no queue, and your token is limited to some", "ask for another token")


def _need_to_change(me: Visitor, site: Site) -> None:
    _need(me, Role.SUPERVISOR)
    if site.live is None:
        raise Forbidden("this page shows a database alone; nothing can be changed", "open the page of a running daemon")


def _row(case: Case, now_ms: int) -> CaseRow:
    values = {name: getattr(case, name) for name in CaseRow.model_fields if name != "overdue"}
    late = case.open and case.news_due_ms <= now_ms
    return CaseRow.model_validate(values | {"number": mask_number(case.number), "overdue": late})


def _change(change: CaseChange) -> CaseChangeShape:
    return CaseChangeShape.model_validate({name: getattr(change, name) for name in CaseChangeShape.model_fields})
