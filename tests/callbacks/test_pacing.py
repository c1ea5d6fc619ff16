"""Which agent calls whom back: the pairs, and that a long list costs little."""

import re
import time
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from callflow.core.callbacks.entry import Entry, Reason
from callflow.core.callbacks.look import FREE, CallerSeen, ChannelSeen, Look, MemberSeen
from callflow.core.callbacks.pacing import agents_for
from callflow.core.callbacks.states import State
from callflow.core.rings.names import interface_of

T0 = 1_795_000_000_000
NUMBERS = ("13855550100", "+8613855550101", "01 0555-0102", "", "13855550103")
QUEUES = ("sales", "support", "empty")
AGENTS = ("8001", "8002", "8003")


def entry(at: int, number: str = "13855550100", **changes: Any) -> Entry:
    made = Entry(
        callback_id=f"cb-{at}",
        revision=1,
        number=number,
        day="2026-11-29",
        zone="UTC",
        profile="default",
        reasons=(Reason.REPEATED,),
        queue="support",
        place=0,
        reference="",
        note="",
        state=State.OPEN,
        raised_ms=T0,
        due_ms=T0,
        attempts=0,
        actor="callflow",
        why="",
        changed_ms=T0,
        wish="",
        attempt_id="",
        closed_ms=None,
    )
    return replace(made, **changes)


def member(agent: str, queue: str = "support", **changes: Any) -> MemberSeen:
    return replace(MemberSeen(queue, f"PJSIP/{agent}", f"PJSIP/{agent}", agent, FREE, False), **changes)


members = st.builds(
    member,
    st.sampled_from(AGENTS),
    st.sampled_from(QUEUES[:2]),
    status=st.sampled_from((FREE, FREE, 2)),
    last_call_ms=st.sampled_from((0, T0 + 1)),
)
callers = st.builds(
    CallerSeen, st.sampled_from(QUEUES), st.sampled_from(NUMBERS), st.sampled_from((T0 - 1, T0, T0 + 1))
)
applications = st.sampled_from(("Queue(support)", "Dial(PJSIP/c/sip:13855550103@x)", "Dial(PJSIP/9138555501031)"))
channels = st.builds(
    ChannelSeen,
    st.sampled_from(("PJSIP/8001-0000001a", "PJSIP/carrier-0000001b")),
    st.just("1.1"),
    st.sampled_from(NUMBERS),
    st.sampled_from(NUMBERS),
    applications,
)
entries = st.builds(
    entry,
    st.integers(0, 1000),
    st.sampled_from(NUMBERS),
    queue=st.sampled_from(QUEUES),
    place=st.integers(0, 1),
    due_ms=st.sampled_from((T0 - 1, T0)),
    state=st.sampled_from((State.OPEN, State.TRIED, State.DIALLING)),
)


def tuples_of(what: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(what, max_size=4).map(tuple)


@settings(max_examples=300)
@given(
    st.lists(entries, max_size=6, unique_by=lambda one: one.callback_id),
    st.builds(Look, tuples_of(members), tuples_of(callers), tuples_of(channels)),
    st.frozensets(st.sampled_from(AGENTS), max_size=1),
)
def test_the_pairs_are_those_of_the_rules_read_word_by_word(
    due: list[Entry], look: Look, taken: frozenset[str]
) -> None:
    assert agents_for(due, look, taken, T0) == by_the_word(due, look, taken, T0)


def by_the_word(
    due: list[Entry], look: Look, taken: frozenset[str], rested_before_ms: int
) -> list[tuple[Entry, MemberSeen]]:
    """The rules, sentence by sentence, without regard to cost."""
    pairs: list[tuple[Entry, MemberSeen]] = []
    for one in sorted(due, key=lambda one: one.due_ms):
        gone = taken | {found.agent for _, found in pairs}
        if one.state in (State.OPEN, State.TRIED) and not on_line(one.number, look):
            for found in look.members:
                if found.agent not in gone and is_free(found.agent, look, rested_before_ms) and may(found, one, look):
                    pairs.append((one, found))
                    break
    return pairs


def plain(number: str) -> str:
    return re.sub("[^0-9]", "", number)


def on_line(number: str, look: Look) -> bool:
    if not plain(number):
        return False
    heard = [one.number for one in look.waiting] + [n for one in look.channels for n in (one.number, one.connected)]
    dials = rf"(?<![0-9]){plain(number)}(?![0-9])"
    return plain(number) in map(plain, heard) or any(re.search(dials, one.application) for one in look.channels)


def is_free(agent: str, look: Look, rested_before_ms: int) -> bool:
    places = [one for one in look.members if one.agent == agent]
    busy = any(one.status != FREE or one.paused or one.in_call for one in places)
    rests = any(one.last_call_ms > rested_before_ms for one in places)
    talks = any(interface_of(one.channel) in {place.phone for place in places} for one in look.channels)
    return not (busy or rests or talks)


def may(found: MemberSeen, one: Entry, look: Look) -> bool:
    if one.place and found.queue != one.queue and any(place.queue == one.queue for place in look.members):
        return False
    queues = {place.queue for place in look.members if place.agent == found.agent}
    ahead = [caller for caller in look.waiting if caller.queue in queues]
    return not any(caller.joined_ms < one.raised_ms or not one.place for caller in ahead)


def test_a_list_that_nobody_can_call_costs_little() -> None:
    """Once a second, on the loop: 10,000 entries, 500 agents who are free while callers wait, 1,000 calls."""
    look = Look(
        tuple(member(f"{agent}", queue) for agent in range(8000, 8500) for queue in ("sales", "support")),
        tuple(CallerSeen("support", f"1395555{number:04}", T0 - 1) for number in range(200)),
        tuple(
            ChannelSeen(
                f"PJSIP/carrier-{number:08x}", f"1.{number}", f"1395555{number:04}", "", f"Dial(PJSIP/{number})"
            )
            for number in range(1000)
        ),
    )
    due = [entry(at, f"1385555{at:04}", place=at % 2, due_ms=T0 - at) for at in range(10_000)]
    began = time.process_time()
    assert agents_for(due, look, frozenset(), T0) == []
    assert time.process_time() - began < 1.0  # word by word it takes longer than an hour
