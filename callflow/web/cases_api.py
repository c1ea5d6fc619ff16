"""/api/v1/cases: open cases, to read, to open, and to record news of."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from pydantic import Field

from callflow.adapters.store.case_list import NoSuchCase
from callflow.core.callbacks.numbers import dialable
from callflow.core.cases import HOUR_MS, Case, CaseClosed, CaseKind, checked_reference, new_case
from callflow.privacy import mask_number
from callflow.web.access import Visitor
from callflow.web.errors import Conflict, NotFound
from callflow.web.models import Shape
from callflow.web.site import Site, site_of, visitor_of
from callflow.web.tokens import Role

router = APIRouter(prefix="/cases", tags=["cases"])

Me = Annotated[Visitor, Depends(visitor_of)]
Here = Annotated[Site, Depends(site_of)]
Reference = Annotated[str, Field(min_length=1, max_length=64)]


class CaseRow(Shape):
    """One open case. The caller's number is masked."""

    reference: str
    revision: int
    kind: CaseKind
    caller: str
    opened_ms: int
    news_due_ms: int
    overdue: bool
    news: str


class CaseWanted(Shape):
    """A case to be opened."""

    reference: Reference
    number: Annotated[str, Field(max_length=40)] = ""
    kind: CaseKind = CaseKind.GENERAL
    profile: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")] = "default"


class CaseStepWanted(Shape):
    """News of a case, or its end."""

    reference: Reference
    step: Literal["news", "close"]
    news: Annotated[str, Field(max_length=500)] = ""


@router.get("", summary="Open cases: the one whose news is due first comes first")
async def cases(me: Me, site: Here) -> list[CaseRow]:
    """Numbers are masked."""
    me.need(Role.VIEWER)
    now_ms = site.audit.now_ms()
    return [_row(case, now_ms) for case in await site.database.run(site.case_list().open)]


@router.post("", status_code=201, summary="Open a case")
async def open_case(me: Me, site: Here, wanted: CaseWanted) -> CaseRow:
    """Its first news is due within a day; written to the audit trail."""
    me.need(Role.SUPERVISOR)
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
    me.need(Role.SUPERVISOR)
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


def _row(case: Case, now_ms: int) -> CaseRow:
    values = {name: getattr(case, name) for name in CaseRow.model_fields if name not in ("caller", "overdue")}
    late = case.open and case.news_due_ms <= now_ms
    return CaseRow.model_validate(values | {"caller": mask_number(case.number), "overdue": late})
