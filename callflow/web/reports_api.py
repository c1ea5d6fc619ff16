"""/api/v1/rings and /api/v1/silence: figures of a period for the charts."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from callflow.adapters.store.pictures import (
    MOST_RINGS,
    Troubled,
    causes,
    known_names,
    observed,
    ring_bars,
    silence_by_day,
)
from callflow.adapters.store.queries import Reader
from callflow.web.access import Visitor
from callflow.web.errors import Forbidden, NotFound
from callflow.web.local_days import Days, LocalDays
from callflow.web.models import (
    Bar,
    Observed,
    RingsReport,
    SilenceCount,
    SilenceDay,
    SilenceGroup,
    SilenceReport,
)
from callflow.web.site import Site, site_of, visitor_of
from callflow.web.tokens import Role

router = APIRouter(tags=["reports"])
LONGEST_MS = 400 * 86_400_000
"""A year and a little: longer periods are refused."""

Me = Annotated[Visitor, Depends(visitor_of)]
Here = Annotated[Site, Depends(site_of)]
Moment = Annotated[int, Query(ge=0, le=2**53, description="Epoch milliseconds.")]
Name = Annotated[str, Query(max_length=128)]


def check_period(since_ms: int, until_ms: int) -> None:
    """Raises NotFound for a period that is empty or too long."""
    if not 0 < until_ms - since_ms <= LONGEST_MS:
        raise NotFound("the period is empty or longer than 400 days", "choose a shorter period")


@router.get("/rings", summary="After how many rings calls were answered")
async def rings(
    me: Me, site: Here, since_ms: Moment, until_ms: Moment, queue: Name = "", agent: Name = ""
) -> RingsReport:
    """Offers by rings and class; with `agent` the legs of that agent. Uncertain measurements are left out."""
    check_period(since_ms, until_ms)
    if me.agent:
        agent = me.agent
    if queue and not me.sees_queue(queue):
        raise Forbidden(f"you may see the queues {', '.join(me.queues)} only", "choose one of them")

    queues = (queue,) if queue else me.queues

    def look(reader: Reader) -> RingsReport:
        bars = [
            Bar(rings=bar.rings, answer_class=bar.answer_class, count=bar.count)
            for bar in ring_bars(reader, since_ms, until_ms, queues, agent)
        ]
        names = [] if me.agent else known_names(reader, since_ms, until_ms)
        allowed = [name for name in names if not me.queues or name.removeprefix("queue/") in me.queues]
        return RingsReport(since_ms=since_ms, until_ms=until_ms, bars=bars, most_rings=MOST_RINGS, names=allowed)

    return await site.database.ask(look)


@router.get("/silence", summary="Callers who could not be heard: by day, and by cause and trunk day by day")
async def silence(
    me: Me,
    site: Here,
    since_ms: Moment,
    until_ms: Moment,
    local: Days,
) -> SilenceReport:
    """Silent, quiet and rescued callers; and the false hang-ups that observe mode has found."""
    me.need(Role.VIEWER)
    if me.queues:
        raise Forbidden("screening belongs to no queue, and your token is limited to queues", "ask for another token")
    check_period(since_ms, until_ms)

    def look(reader: Reader) -> SilenceReport:
        why = causes(reader, local.spans(since_ms, until_ms))
        return SilenceReport(
            since_ms=since_ms,
            until_ms=until_ms,
            days=[
                SilenceDay(
                    day_ms=local.first_ms(day.day),
                    screened=day.screened,
                    silent=day.silent,
                    quiet=day.quiet,
                    rescued=day.rescued,
                )
                for day in silence_by_day(reader, local.spans(since_ms, until_ms))
            ],
            by_heard=[_group(each, local) for each in why.by_heard],
            by_trunk=[_group(each, local) for each in why.by_trunk],
            observed=[
                Observed(
                    profile=profile,
                    observed=found.observed,
                    would_hang_up=found.would_hang_up,
                    false_hang_ups=found.false,
                )
                for profile, found in observed(reader, since_ms, until_ms).items()
            ],
        )

    return await site.database.ask(look)


def _group(group: Troubled, local: LocalDays) -> SilenceGroup:
    total = group.total
    return SilenceGroup(
        name=group.name,
        silent=total["silent"],
        quiet=total["quiet"],
        rescued=total["rescued"],
        days=[
            SilenceCount(
                day_ms=local.first_ms(day), silent=count["silent"], quiet=count["quiet"], rescued=count["rescued"]
            )
            for day, count in sorted(group.days.items())
        ],
    )
