"""/api/v1/ratings and /api/v1/standards: what callers said of the service, and what was promised to them."""

from collections.abc import Sequence
from itertools import chain

from fastapi import APIRouter

from callflow.adapters.store.queries import Reader
from callflow.adapters.store.standing import Standing, standing
from callflow.adapters.store.tallying import tally
from callflow.commands.standards import COLUMNS, sheet_of
from callflow.core.service.grouping import DAY_MS, Key, Question, Scope, Span, Whom, gathered
from callflow.core.service.tallies import Ratings
from callflow.settings.standards import read_standards
from callflow.web.access import Visitor
from callflow.web.errors import Forbidden, NotFound
from callflow.web.local_days import Days
from callflow.web.quality_models import RatingDay, RatingRow, RatingsReport, StandardRow, StandardsReport
from callflow.web.reports_api import Here, Me, Moment, Name, check_period
from callflow.web.tokens import Role

router = APIRouter(tags=["quality"])


@router.get("/ratings", summary="How callers rated their calls: by day, and by agent, queue or line")
async def ratings(
    me: Me,
    site: Here,
    since_ms: Moment,
    until_ms: Moment,
    local: Days,
    by: Whom = Whom.AGENT,
    queue: Name = "",
) -> RatingsReport:
    """Means of 1 to 5 with their number of answers, the response rate, and why callers were not asked.

    An agent sees their own.
    """
    check_period(since_ms, until_ms)
    if queue and not me.sees_queue(queue):
        raise Forbidden(f"you may see the queues {', '.join(me.queues)} only", "choose one of them")
    scope = Scope(queues=(queue,) if queue else me.queues, agents=(me.agent,) if me.agent else ())
    by = Whom.AGENT if me.agent else by
    spans = list(local.spans(since_ms, until_ms))

    def look(reader: Reader) -> RatingsReport:
        targets = site.settings().targets()
        named = _rated(reader, spans, Question(targets, by=frozenset({by}), scope=scope))
        whole = _rated(reader, spans, Question(targets, scope=scope)).get(Key(), Ratings())
        days = _rated(reader, spans, Question(targets, slot_ms=DAY_MS, scope=scope))
        return RatingsReport(
            since_ms=since_ms,
            until_ms=until_ms,
            by=by.value,
            rows=[_row(key.name(by) or "", found) for key, found in sorted(named.items(), key=str)],
            total=_row("", whole),
            not_asked={reason: number for reason, number in whole.not_asked.most_common() if number},
            days=[
                RatingDay(
                    day_ms=local.first_ms(key.slot),
                    rating_asked=found.asked,
                    rating_answered=found.answered,
                    mean_efficiency=found.efficiency,
                    mean_attitude=found.attitude,
                    mean_correctness=found.correctness,
                )
                for key, found in sorted(days.items(), key=lambda item: item[0].slot or 0)
                if key.slot is not None
            ],
        )

    return await site.database.ask(look)


def _rated(reader: Reader, spans: Sequence[Span], asked: Question) -> dict[Key, Ratings]:
    return {
        key: counted.ratings
        for key, counted in gathered(chain.from_iterable(tally(reader, span, asked) for span in spans)).items()
        if counted.ratings is not None
    }


def _row(name: str, found: Ratings) -> RatingRow:
    return RatingRow(
        name=name,
        rating_asked=found.asked,
        rating_answered=found.answered,
        response_rate=found.response_rate,
        mean_efficiency=found.efficiency,
        n_efficiency=found.efficiency_n,
        mean_attitude=found.attitude,
        n_attitude=found.attitude_n,
        mean_correctness=found.correctness,
        n_correctness=found.correctness_n,
    )


@router.get("/standards", summary="Service standards: what callers got against what is promised")
async def standards(me: Me, site: Here, since_ms: Moment, until_ms: Moment) -> StandardsReport:
    """As `callflow standards --json` prints them; 404 where the site has no file of standards."""
    me.need(Role.VIEWER)
    check_period(since_ms, until_ms)
    settings = site.settings()

    def look(reader: Reader) -> Standing:
        path = settings.standards.find()
        if path is None:
            raise NotFound("there is no file of service standards", "copy config/standards.toml and edit it")
        shown = [one for one in read_standards(path) if _sees(me, one.queues)]
        now_ms = site.audit.now_ms()
        return standing(reader, shown, settings.targets(), since_ms, max(since_ms + 1, min(until_ms, now_ms)), now_ms)

    found = await site.database.ask(look)
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in sheet_of(found).rows]
    return StandardsReport(
        since_ms=found.start_ms, until_ms=found.end_ms, rows=[StandardRow.model_validate(row) for row in rows]
    )


def _sees(me: Visitor, queues: tuple[str, ...]) -> bool:
    """A token limited to queues sees the standards of those alone."""
    return not me.queues or (bool(queues) and set(queues) <= set(me.queues))
