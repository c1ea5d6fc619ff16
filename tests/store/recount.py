"""The same counts as the database makes, made slowly and plainly from a list of records."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from callflow.core.rings.records import AnswerClass, Leg, LegEnd, Offer, Outcome, Stay, TargetType, Timing
from callflow.core.service.grouping import Counted, Key, Question, Span, Whom, gathered
from callflow.core.service.tallies import AgentTime, Ratings, Rings, Screened, Service, Talk
from tests.store.plausible_day import Day


def recount(day: Day, span: Span, asked: Question, now_ms: int) -> dict[Key, Counted]:
    """What tally and agent_time should say of these records."""
    return gathered(
        (
            *_rings(day, span, asked),
            *_waits(day, span, asked),
            *_talks(day, span, asked),
            *_screened(day, span, asked),
            *_ratings(day, span, asked),
            *_time(day, span, asked, now_ms),
        )
    )


def _ratings(day: Day, span: Span, asked: Question) -> Iterator[tuple[Key, Counted]]:
    for rating in day.ratings:
        key = _key(asked, span, rating.came_ms, queue=rating.queue, agent=rating.agent, line=rating.line)
        if key is None:
            continue
        if rating.not_asked is not None:
            yield key, Counted(ratings=Ratings(not_asked=Counter({rating.not_asked.value: 1})))
            continue
        sums: dict[str, Any] = {f"{scale}_sum": score for scale, score in rating.scores.items()}
        numbers: dict[str, Any] = {f"{scale}_n": 1 for scale in rating.scores}
        yield key, Counted(ratings=Ratings(asked=1, answered=bool(rating.scores), **sums, **numbers))


def _sure(record: Offer | Leg | Stay) -> bool:
    return record.timing is Timing.STAMPED and not record.partial


def _key(asked: Question, span: Span, at_ms: int, **names: str | None) -> Key | None:
    """None when the record does not know what is asked for, or is not among those asked for."""
    if not span.start_ms <= at_ms < span.end_ms or not asked.whom() <= set(names):
        return None
    told = {}
    for whom in Whom:
        name = names.get(whom)
        only = asked.scope.names(whom)
        if (only and name not in only) or (whom in asked.by and not name):
            return None
        if whom in asked.by:
            told[whom.value] = name
    return Key(**told, slot=None if asked.slot_ms is None else span.slot(at_ms, asked.slot_ms))


def _rings(day: Day, span: Span, asked: Question) -> Iterator[tuple[Key, Counted]]:
    if Whom.AGENT in asked.whom():
        for leg in day.legs:
            key = _key(asked, span, leg.began_ms, queue=leg.queue, agent=leg.agent)
            if key is not None:
                own = leg.end in (LegEnd.NO_ANSWER, LegEnd.REJECTED, LegEnd.BUSY)
                yield key, Counted(rings=_ring(leg, own))
        return
    for offer in day.offers:
        kind = "queue" if offer.target_type is TargetType.QUEUE else "line"
        key = _key(asked, span, offer.began_ms, **{"queue": None, "line": None, kind: offer.target})
        if key is not None:
            yield key, Counted(rings=_ring(offer, True))


def _ring(record: Offer | Leg, own: bool) -> Rings:
    if not _sure(record):
        return Rings(uncertain=1)
    judged = record.answer_class
    if judged is None:
        return Rings()
    if judged is AnswerClass.EXCLUDED or (judged is AnswerClass.UNANSWERED and not own):
        return Rings(excluded=1)
    if judged is AnswerClass.UNANSWERED:
        return Rings(unanswered=1)
    return Rings(**{judged.value: 1}, ring_ms=record.ring_ms or 0, rings=record.rings or 0)


def _waits(day: Day, span: Span, asked: Question) -> Iterator[tuple[Key, Counted]]:
    for stay in day.stays:
        key = _key(asked, span, stay.joined_ms, queue=stay.queue)
        if key is not None:
            target = asked.targets.of(stay.queue)
            waited = _wait(stay, 1000 * target.threshold_s, 1000 * target.short_abandon_s)
            yield key, Counted(service=waited, targets=frozenset((target,)))


def _wait(stay: Stay, threshold_ms: int, short_ms: int) -> Service:
    wait_ms = stay.wait_ms or 0
    if not _sure(stay):
        return Service(uncertain=1)
    match stay.outcome:
        case Outcome.ANSWERED:
            return Service(
                answered=1, answered_in_time=wait_ms <= threshold_ms, wait_ms=wait_ms, longest_wait_ms=wait_ms
            )
        case Outcome.TIMEOUT | Outcome.LEAVE_EMPTY | Outcome.EXIT_KEY:
            return Service(sent_on=1, longest_wait_ms=wait_ms)
        case Outcome.FULL | Outcome.JOIN_EMPTY:
            return Service(turned_away=1)
        case Outcome.WITHDRAWN | Outcome.REDIRECTED:
            return Service(withdrawn=1, longest_wait_ms=wait_ms)
        case None:
            return Service()
        case _:
            return Service(
                abandoned=1,
                abandoned_in_time=wait_ms <= threshold_ms,
                short=wait_ms <= short_ms,
                longest_wait_ms=wait_ms,
            )


def _talks(day: Day, span: Span, asked: Question) -> Iterator[tuple[Key, Counted]]:
    for stay in day.stays:
        key = _key(asked, span, stay.joined_ms, queue=stay.queue, agent=stay.agent)
        if key is not None:
            talked = _sure(stay) and stay.talk_ms is not None
            yield key, Counted(talk=Talk(1, stay.talk_ms or 0) if talked else Talk())


def _screened(day: Day, span: Span, asked: Question) -> Iterator[tuple[Key, Counted]]:
    for call in day.calls:
        key = _key(asked, span, call.arrived_ms, line=call.dialled)
        if key is not None and call.result is not None:
            unheard = call.result.value in ("silent", "quiet")
            causes = Counter({"": 1} if unheard else {})
            yield key, Counted(screened=Screened(Counter({call.result.value: 1}), causes))


def _time(day: Day, span: Span, asked: Question, now_ms: int) -> Iterator[tuple[Key, Counted]]:
    """Minute by minute would be plainer and slower; here every spell is walked from slot to slot."""
    for spell in day.spells:
        at_ms = max(spell.began_ms, span.start_ms)
        end_ms = min(now_ms if spell.ended_ms is None else spell.ended_ms, span.end_ms)
        while at_ms < end_ms and not spell.partial:
            next_ms = end_ms
            if asked.slot_ms is not None:
                into_slot_ms = (at_ms + span.offset_ms) % asked.slot_ms
                next_ms = min(end_ms, at_ms + asked.slot_ms - into_slot_ms)
            key = _key(asked, span, at_ms, agent=spell.agent)
            if key is not None:
                yield key, Counted(time=AgentTime(**{spell.work.value: next_ms - at_ms}))
            at_ms = next_ms
