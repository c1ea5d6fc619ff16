"""Who is served next in a queue of phones."""

import asyncio
from contextlib import closing
from typing import Any, cast

import pytest

from callflow.scenarios.phones import PhoneGroup
from callflow.simulator.pretend.clock import Clock
from callflow.simulator.pretend.members import Members, Queue, Waiting


def test_as_many_callers_are_rung_for_as_members_are_free() -> None:
    """queues.conf has autofill = yes: the second caller need not wait until the first has been answered."""
    group = PhoneGroup(number="8001-8003", queues=("support",))
    with closing(asyncio.new_event_loop()) as loop:
        members = Members(Clock(loop), cast("Any", None), [group])
    queue = members.queues["support"]
    one, two, three, four = (Waiting(cast("Any", name), 0.0) for name in ("one", "two", "three", "four"))
    queue.waiting += [one, two, three, four]
    assert [members.is_turn(queue, caller) for caller in queue.waiting] == [True, True, True, False]
    one.rung_for, members.devices["PJSIP/8001"].ringing = True, 1
    assert [members.is_turn(queue, caller) for caller in (two, three, four)] == [True, True, False]
    members.devices["PJSIP/8002"].up = 1
    assert [members.is_turn(queue, caller) for caller in (two, three, four)] == [True, False, False]


@pytest.mark.parametrize(
    ("priorities", "priority", "position", "place"),
    [
        ([0, 0], 0, 0, 2),
        ([0, 0], 0, 1, 0),
        ([0, 0], 0, 2, 1),
        ([0, 0], 0, 9, 2),
        ([5, 0], 0, 1, 1),
        ([5, 0], 7, 0, 0),
        ([0, 0], 5, 2, 0),
    ],
)
def test_a_caller_joins_by_priority_and_not_behind_the_position_given(
    priorities: list[int], priority: int, position: int, place: int
) -> None:
    """As Asterisk's app_queue does; seen on 22 and 16 for the place that could not be kept (tests/lab_callbacks)."""
    channel: Any = None
    queue = Queue("support", waiting=[Waiting(channel, 0.0, one) for one in priorities])
    assert queue.place_for(priority, position) == place
