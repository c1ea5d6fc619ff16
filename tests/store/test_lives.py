"""The tracker and the database through several lives of the daemon: every stay is stored once, with its one end."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

from callflow.adapters.store.queries import Reader
from callflow.adapters.store.store import Store
from callflow.core import commands, events
from callflow.core.rings import facts
from callflow.core.rings.records import Outcome, Stay
from callflow.records.stays import STAYS, stays
from tests.core.rings.test_tracker import BEGIN_MS, CALLER, MEMBER, PHONE, Table

DOWN_S = 2


@dataclass
class StoringTable(Table):
    store: Store | None = None

    def take(self, issued: list[commands.Command]) -> None:
        super().take(issued)
        for command in issued:
            if isinstance(command, commands.SaveMeasured) and self.store is not None:
                self.store.save(command.record, command.final)


class Lives:
    """The rings of a daemon that stops, or is killed, and begins again with the same database."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self.now_ms = BEGIN_MS
        self.ends: Counter[tuple[str, str]] = Counter()
        """How often each stay had its final record."""

    def live(self, happens: Callable[[Table], None], *, killed: bool = False) -> None:
        with Store(self._database, "main") as store:
            table = StoringTable(now_ms=self.now_ms, store=store)
            table.take(table.tracker.receive(facts.StaysLeftOpen(store.left_open.of(Stay)), table.now_ms))
            table.link(events.LinkUp(0), after_s=1)
            happens(table)
            if not killed:
                table.link(events.LinkLost(0, "the daemon stops"))
        self.now_ms = table.now_ms + DOWN_S * 1000
        self.ends += Counter({key: n for key, n in table.kept.finals.items() if key[0] == "stay"})

    def stays(self) -> list[Stay]:
        """Every stay, once all have ended."""
        with Reader(self._database) as reader:
            rows = list(reader.rows(sa.select(stays).order_by(stays.c.joined_ms)))
        assert not any(row["open"] for row in rows)
        assert {("stay", row["entry_id"]): 1 for row in rows} == self.ends
        return [STAYS.rows.record(row) for row in rows]


@pytest.fixture
def lives(database: Path) -> Lives:
    return Lives(database)


def wait_on(table: Table, queue: str, since_ms: int) -> None:
    """A snapshot shows the caller in the queue since then."""
    waited_ms = (table.now_ms - since_ms) // 1000 * 1000
    table.see(channels={CALLER.uniqueid}, waiting=(facts.Waiting(CALLER, queue, waited_ms),))


def hang_up_in(table: Table, queue: str) -> None:
    table.tell(facts.HangupRequested, CALLER.uniqueid, soft=False, after_s=5)
    table.tell(facts.CallerAbandoned, CALLER.uniqueid, queue)
    table.tell(facts.CallerLeft, CALLER.uniqueid, queue)
    table.tell(facts.ChannelEnded, CALLER.uniqueid)
    table.wait(5)


@pytest.mark.parametrize("killed", [True, False])
def test_a_restart_in_the_second_queue_spares_the_first(lives: Lives, killed: bool) -> None:
    def overflow(table: Table) -> None:
        table.join()
        table.tell(facts.CallerAbandoned, CALLER.uniqueid, "support", after_s=60)
        table.tell(facts.CallerLeft, CALLER.uniqueid, "support")
        table.tell(facts.QueueStatusReported, CALLER, "support", "TIMEOUT")
        table.tell(facts.CallerJoined, CALLER, "sales", after_s=3)
        table.wait(20)

    def answer(table: Table) -> None:
        wait_on(table, "sales", table.now_ms - 23_000)
        table.tell(facts.AgentCalled, CALLER, PHONE.uniqueid, MEMBER._replace(queue="sales"))
        table.tell(facts.DialBegan, CALLER, PHONE)
        table.answer()
        table.hang_up()

    lives.live(overflow, killed=killed)
    lives.live(answer)
    first, second = lives.stays()
    assert (first.entry_id, first.queue, first.outcome, first.partial) == ("1.1-1", "support", Outcome.TIMEOUT, False)
    assert (second.entry_id, second.queue, second.outcome, second.partial) == ("1.1-2", "sales", Outcome.ANSWERED, True)
    assert (second.wait_ms, second.talk_ms, second.offers, second.trunk) == (30_000, 10_000, 1, "PJSIP/trunk")


def test_a_stay_outlasts_two_restarts_and_cuts_between_them(lives: Lives) -> None:
    joined_ms = BEGIN_MS + 2000

    def wait_through_cuts(table: Table) -> None:
        wait_on(table, "support", joined_ms)
        for _ in range(3):
            table.link(events.LinkLost(0, "cut"), after_s=5)
            table.link(events.LinkUp(0), after_s=1)
            wait_on(table, "support", joined_ms)

    def give_up(table: Table) -> None:
        wait_on(table, "support", joined_ms)
        hang_up_in(table, "support")

    lives.live(Table.join)
    lives.live(wait_through_cuts)
    lives.live(lambda table: None, killed=True)
    lives.live(give_up)
    (stay,) = lives.stays()
    assert (stay.entry_id, stay.outcome, stay.joined_ms) == ("1.1-1", Outcome.ABANDONED_QUEUE, joined_ms)
    assert (stay.caller_number, stay.dialled, stay.marks) == (CALLER.number, CALLER.exten, ())


def test_a_caller_who_was_gone_after_a_restart_has_no_outcome(lives: Lives) -> None:
    lives.live(Table.join)
    lives.live(lambda table: table.see(channels=set()))
    (stay,) = lives.stays()
    assert (stay.outcome, stay.partial, stay.marks) == (None, True, ("unresolved",))


def test_a_caller_who_joined_another_queue_during_a_restart_was_in_two(lives: Lives) -> None:
    def find(table: Table) -> None:
        wait_on(table, "sales", table.now_ms - 1000)
        hang_up_in(table, "sales")

    lives.live(Table.join)
    lives.live(find)
    assert [(stay.queue, stay.outcome) for stay in lives.stays()] == [
        ("support", None),
        ("sales", Outcome.ABANDONED_QUEUE),
    ]


def test_a_caller_who_joins_another_queue_after_a_restart_has_both_stored(lives: Lives) -> None:
    def leave(table: Table) -> None:
        table.join()
        table.tell(facts.CallerLeft, CALLER.uniqueid, "support", after_s=9)
        table.wait(5)

    def join(table: Table) -> None:
        table.tell(facts.CallerJoined, CALLER, "sales")
        table.wait(20)
        hang_up_in(table, "sales")

    lives.live(leave)
    lives.live(join)
    assert [(stay.queue, stay.outcome) for stay in lives.stays()] == [
        ("support", Outcome.EXIT_KEY),
        ("sales", Outcome.ABANDONED_QUEUE),
    ]


@pytest.mark.parametrize("seen", [True, False])
def test_a_talk_goes_on_through_a_restart(lives: Lives, seen: bool) -> None:
    def answer(table: Table) -> None:
        table.join()
        table.ring()
        table.answer()

    def hang_up(table: Table) -> None:
        table.see(channels={CALLER.uniqueid, PHONE.uniqueid} if seen else set())
        table.hang_up(after_s=30)

    lives.live(answer)
    lives.live(hang_up)
    (stay,) = lives.stays()
    assert (stay.outcome, stay.agent, stay.wait_ms, stay.partial) == (Outcome.ANSWERED, "8012", 7000, True)
    assert stay.talk_ms == (33_000 if seen else None)
    assert stay.offers == 1
