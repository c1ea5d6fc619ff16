"""Every service standard judged over a period, and over the one before it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from callflow.adapters.store.agent_time import agent_time, lasting
from callflow.adapters.store.queries import Reader
from callflow.adapters.store.tallying import callbacks_settled, tally, wrapped_up
from callflow.core.service.grouping import Counted, Question, Scope, Span, total
from callflow.core.service.standards import Judged, Standard, judge
from callflow.core.service.targets import Targets

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Standing:
    """The standards, judged over [start_ms, end_ms)."""

    start_ms: int
    end_ms: int
    judged: tuple[Judged, ...] = ()


def standing(
    reader: Reader, standards: Sequence[Standard], targets: Targets, start_ms: int, end_ms: int, now_ms: int
) -> Standing:
    """Judge each standard over a period, and compare it with the period of the same length before; blocks."""
    before_ms = start_ms - (end_ms - start_ms)
    known: dict[tuple[Scope, int], Counted] = {}
    of_time = {standard.scope for standard in standards if standard.taken.of_time}

    def counted(scope: Scope, from_ms: int, until_ms: int) -> Counted:
        """Standards of the same scope share their counts."""
        if (scope, from_ms) not in known:
            asked, span = Question(targets, scope=scope), Span(from_ms, until_ms)
            times = agent_time(reader, span, asked, lasting(reader, now_ms)) if scope in of_time else ()
            after = (*callbacks_settled(reader, span, asked), *wrapped_up(reader, span, asked))
            known[scope, from_ms] = total(one for _, one in (*tally(reader, span, asked), *times, *after))
        return known[scope, from_ms]

    today = datetime.fromtimestamp(now_ms / 1000, UTC).date()
    judged = (
        judge(
            standard,
            counted(standard.scope, start_ms, end_ms),
            counted(standard.scope, before_ms, start_ms),
            today,
        )
        for standard in standards
    )
    return Standing(start_ms, end_ms, tuple(judged))
