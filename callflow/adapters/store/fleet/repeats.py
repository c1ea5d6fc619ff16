"""Callers with short calls at several nodes: found after each transaction with events, and ordered to be called back.

A call that may be short is noted in the transaction of its event, and marked as looked at in the one that counts. So a
collector that dies between the two leaves it to the next, and of two collectors the later one sees the calls of both.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from callflow.adapters.store.fleet.schema import repeat_orders, short_calls
from callflow.core.callbacks.raising import short_call_rule
from callflow.core.callbacks.rules import CallbackRules
from callflow.core.fleet.orders import Answer, Do, Order
from callflow.core.fleet.repeats import CallAt, Repeat, repeats
from callflow.core.screening.states import Result
from callflow.core.short_calls import MAY_GO_ON
from callflow.records.calls import CALLS
from callflow.records.collected import storable_text
from callflow.records.offers import OFFERS
from callflow.records.stays import STAYS

Row = Mapping[str, Any]

NEAR_MS = 600_000
"""The parts of a short call lie so near to its end."""
HOUR_MS = 3_600_000
KEPT_MS = 30 * 24 * HOUR_MS
"""Orders are kept so long."""
_ENDED = {Result.HANGUP.value, Result.SILENT.value, Result.QUIET.value}
_GOES_ON = {outcome.value for outcome in MAY_GO_ON}
_NEW = sa.text(
    "WITH fresh AS (SELECT site, node, call_id FROM short_calls WHERE NOT looked FOR UPDATE SKIP LOCKED),"
    " marked AS (UPDATE short_calls SET looked = true"
    " WHERE (site, node, call_id) IN (SELECT site, node, call_id FROM fresh) RETURNING caller)"
    " SELECT caller FROM short_calls WHERE caller IN (SELECT caller FROM marked) GROUP BY caller"
    " HAVING count(*) >= :least ORDER BY caller"
)
LOOK_LOCK = 0x63665F7265706561
"""Collectors count one after the other: the advisory lock `cf_repea`, as eight bytes."""


class RepeatCallers:
    """Every method works in an open transaction. `rules`: of the collector's settings."""

    def __init__(self, rules: CallbackRules) -> None:
        profiles = [rules.profile(""), *rules.profiles.values()] if rules.enabled else []
        counting = [profile for profile in profiles if profile.short_calls]
        self._rule_of = partial(short_call_rule, rules)
        self._short_ms = max((round(1000 * profile.short_call_s) for profile in counting), default=0)
        self._least = min((profile.short_calls for profile in counting), default=0)
        self._window_ms = max((round(HOUR_MS * profile.window_h) for profile in counting), default=0)

    def note(
        self, connection: sa.Connection, screened: Iterable[tuple[str, Row]], stays: Iterable[tuple[str, Row]]
    ) -> bool:
        """Note the calls that may be short, of rows with their site; whether there were any."""
        rows = {
            (row["site"], row["node"], row["call_id"]): row
            for row in (*self._screened(screened), *self._stays(stays))
            if row["caller"]
        }
        if not rows:
            return False
        new = insert(short_calls)
        changed = {"caller": new.excluded.caller, "ended_ms": new.excluded.ended_ms, "looked": sa.false()}
        # An event that came again changes nothing, and is not counted again.
        moved = short_calls.c.ended_ms < new.excluded.ended_ms
        save = new.on_conflict_do_update(index_elements=list(short_calls.primary_key), set_=changed, where=moved)
        connection.execute(save, list(rows.values()))
        return True

    def look(self, connection: sa.Connection, now_ms: int) -> bool:
        """Count the callers of new short calls; whether a node is to be asked for something."""
        if not self._least:
            return False
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOOK_LOCK)))
        ordered = False
        for caller in connection.execute(_NEW, {"least": self._least}).scalars().all():
            ordered |= self._count(connection, caller, now_ms)
        return ordered

    def tidy(self, connection: sa.Connection, now_ms: int) -> None:
        """Delete what is too old to count, and old orders."""
        connection.execute(sa.delete(short_calls).where(short_calls.c.ended_ms < now_ms - 2 * self._window_ms))
        connection.execute(sa.delete(repeat_orders).where(repeat_orders.c.made_ms < now_ms - KEPT_MS))

    def open_orders(self, connection: sa.Connection, sites: Sequence[str], now_ms: int) -> list[tuple[str, Order]]:
        """The site and the order of everything that is not answered, and not too old; `sites` empty: all.

        Repeat callers are of their window. An entry that waits may be settled whatever the rules for them are.
        """
        table = repeat_orders
        settles = sa.and_(table.c.action == Do.SETTLE.value, table.c.made_ms > now_ms - KEPT_MS)
        mine = [table.c.answered_ms.is_(None), sa.or_(settles, table.c.made_ms > now_ms - self._window_ms)]
        if sites:
            mine.append(table.c.site.in_(sites))
        rows = connection.execute(sa.select(table).where(*mine).order_by(table.c.made_ms, table.c.order_id)).all()
        return [(row.site, _order_of(row)) for row in rows]

    def answered(self, connection: sa.Connection, answer: Answer, now_ms: int) -> None:
        """A node has answered; the first answer counts."""
        open_one = (repeat_orders.c.order_id == storable_text(answer.order_id), repeat_orders.c.answered_ms.is_(None))
        texts = {"answer": storable_text(answer.why), "callback_id": storable_text(answer.callback_id)}
        said = {"answered_ms": now_ms, **texts}
        connection.execute(sa.update(repeat_orders).where(*open_one).values(said))

    # -- calls that may be short ------------------------------------------------------------------------------------

    def _screened(self, rows: Iterable[tuple[str, Row]]) -> Iterator[dict[str, Any]]:
        for site, row in rows:
            ended_ms = row["ended_ms"]
            if row["result"] in _ENDED and ended_ms is not None and ended_ms - row["arrived_ms"] < self._short_ms:
                yield _short(site, row, row["uniqueid"], ended_ms)

    def _stays(self, rows: Iterable[tuple[str, Row]]) -> Iterator[dict[str, Any]]:
        for site, row in rows:
            ended_ms = row["left_ms"] if row["talk_end_ms"] is None else row["talk_end_ms"]
            ended = row["outcome"] is not None and row["outcome"] not in _GOES_ON and not row["partial"]
            if ended and ended_ms is not None and ended_ms - row["joined_ms"] < self._short_ms:
                yield _short(site, row, row["call_id"], ended_ms)

    # -- counting -----------------------------------------------------------------------------------------------------

    def _count(self, connection: sa.Connection, caller: str, now_ms: int) -> bool:
        counts = repeat_orders.c.action != Do.SETTLE.value
        counted = sa.select(sa.func.max(repeat_orders.c.at_ms)).where(repeat_orders.c.caller == caller, counts)
        after_ms = connection.execute(counted).scalar() or 0
        # Older calls are part of no repeat that is ordered; read again with each new one, they would cost ever more.
        after_ms = max(after_ms, now_ms - 2 * self._window_ms)
        mine = (short_calls.c.caller == caller, short_calls.c.ended_ms > after_ms)
        rows = connection.execute(sa.select(short_calls).where(*mine)).all()
        if len(rows) < self._least:
            return False
        ends = {CallAt(row.site, row.node, row.call_id): row.ended_ms for row in rows}
        parts = [part for call, ended_ms in ends.items() for part in _parts(connection, call, ended_ms)]
        ordered = False
        for repeat in repeats(parts, self._rule_of):
            if repeat.at_ms > now_ms - self._window_ms:
                connection.execute(sa.insert(repeat_orders), list(_orders(repeat, caller, ends, now_ms)))
                ordered |= repeat.sites > 1
        return ordered


def _order_of(row: sa.Row[Any]) -> Order:
    fields = ("order_id", "caller", "call_id", "call_ms", "at_ms", "profile", "why", "callback_id")
    return Order(do=Do(row.action), **{name: getattr(row, name) for name in fields})


def _short(site: str, row: Row, call_id: str, ended_ms: int) -> dict[str, Any]:
    return {
        "site": site,
        "node": row["node"],
        "call_id": call_id,
        "caller": row["caller_number"],
        "ended_ms": ended_ms,
    }


def _parts(connection: sa.Connection, call: CallAt, ended_ms: int) -> Iterator[tuple[CallAt, Any]]:
    """The stored screening, stays and offers of a call."""
    for kind, key in ((CALLS, "uniqueid"), (STAYS, "call_id"), (OFFERS, "call_id")):
        columns = kind.table.c
        near = kind.began.between(ended_ms - NEAR_MS, ended_ms + NEAR_MS)
        query = sa.select(kind.table).where(near, columns[key] == call.call_id, columns.node == call.node)
        for row in connection.execute(query).mappings():
            yield call, kind.rows.record(row)


def _orders(repeat: Repeat, caller: str, ends: Mapping[CallAt, int], now_ms: int) -> Iterator[dict[str, Any]]:
    """One for each site of the calls. A node counts calls at it alone by itself: then nothing is asked of it."""
    why = f"{len(repeat.calls)} short calls at {repeat.sites} nodes, the last at {repeat.last.call_id}"
    last_at = {call.site: call for call in sorted(repeat.calls, key=lambda call: ends[call])}
    for site, call in last_at.items():
        is_last = site == repeat.last.site
        yield {
            "order_id": uuid4().hex,
            "site": site,
            "action": (Do.RAISE if is_last else Do.BEGIN_ANEW).value,
            "caller": caller,
            "call_id": call.call_id,
            "call_ms": ends[call],
            "at_ms": repeat.at_ms,
            "profile": repeat.profile,
            "why": why,
            "made_ms": now_ms,
            "answered_ms": now_ms if repeat.sites == 1 else None,
            "answer": "all at one node, which counts by itself" if repeat.sites == 1 else "",
        }
