"""The figures of each agent in a period, for the evaluation and for the agents' own view of their day."""

from collections.abc import Sequence

import sqlalchemy as sa

from callflow.adapters.store.agent_time import agent_time, lasting
from callflow.adapters.store.queries import Reader
from callflow.adapters.store.tallying import tally, wrapped_up
from callflow.core.service.evaluation import AgentFigures, Holds
from callflow.core.service.grouping import Counted, Question, Scope, Span, Whom, gathered
from callflow.core.service.targets import Targets
from callflow.records.talks import talks


def agent_figures(
    reader: Reader,
    start_ms: int,
    end_ms: int,
    targets: Targets,
    now_ms: int,
    agents: Sequence[str] = (),
    node: str | None = None,
    *,
    lasting_too: bool = True,
) -> list[AgentFigures]:
    """Everything that is counted of each agent with records in [start_ms, end_ms), or of each of these; blocks.

    `lasting_too`: what an agent is doing now counts up to `now_ms`; else it counts when it has ended.
    """
    scope = Scope(agents=tuple(agents), node=node)
    asked, span = Question(targets, frozenset({Whom.AGENT}), scope=scope), Span(start_ms, end_ms)
    parts = (
        *tally(reader, span, asked),
        *wrapped_up(reader, span, asked),
        *agent_time(reader, span, asked, lasting(reader, now_ms) if lasting_too else {}),
    )
    counted = {key.agent: one for key, one in gathered(parts).items() if key.agent}
    holds = _holds(reader, span, scope)
    names = sorted({*counted, *holds})
    return [AgentFigures(name, counted.get(name, Counted()), holds.get(name, Holds())) for name in names]


def _holds(reader: Reader, span: Span, scope: Scope) -> dict[str, Holds]:
    """Holds by the agent, within talks that have ended."""
    where = [talks.c.began_ms >= span.start_ms, talks.c.began_ms < span.end_ms, talks.c.agent != ""]
    where.append(talks.c.ended_ms.is_not(None))
    if scope.agents:
        where.append(talks.c.agent.in_(scope.agents))
    if scope.node is not None:
        where.append(talks.c.node == scope.node)
    counts = {
        "talks": sa.func.count(),
        "held_talks": sa.func.count().filter(talks.c.hold_count > 0),
        "holds": sa.func.sum(talks.c.hold_count),
        "hold_ms": sa.func.sum(talks.c.hold_ms),
        "longest_hold_ms": sa.func.max(talks.c.longest_hold_ms),
    }
    query = sa.select(talks.c.agent, *(count.label(name) for name, count in counts.items())).where(*where)
    rows = reader.rows(query.group_by(talks.c.agent))
    return {row["agent"]: Holds(**{name: int(row[name] or 0) for name in counts}) for row in rows}
