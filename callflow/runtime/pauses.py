"""Keeps Python itself from halting the loop: its garbage collector, and the lock that its threads share.

Measured with 100 calls a second. By default a full collection goes through everything alive and halts a busy loop for
25 to 260 ms, several times a minute; a collection of the middle generation goes through every call that is alive, for
20 to 50 ms. And a thread that wants the lock may be kept waiting for 5 ms each time, which the loop then wants back
from the thread that writes the database (p99 lateness of prompts 14 ms against 9 ms with 0.5 ms).
"""

import asyncio
import gc
import sys
from collections.abc import Callable

RECENT_S = 5.0
"""What has come since the last time is swept so often: what SQLAlchemy leaves of the figures of a day, 2 MB a minute,
survives the collections of the young. It halts the loop in proportion to what came, so seldom is no gain."""
WHOLE_S = 60.0
LATEST_S = 6 * 3600.0
"""A program that is never idle is swept whole this long after the last time. It halted the loop for 0.26 s with 20
calls a second and 24,000 callers remembered, and the sweep of what is recent for 7 ms (bench_soak, 2026-11-29)."""
SWITCH_S = 0.0005
YOUNG = 300
"""New objects, less those that have gone, before the young are collected. It halts the loop for 1 ms with 100 calls a
second: the young are all that have come since the last time, so a larger number makes longer halts (5,000: 40 ms)."""
_NEVER = 1 << 30


def let_the_loop_in_soon() -> None:
    """A thread at work gives the loop the lock back at once."""
    sys.setswitchinterval(SWITCH_S)


def keep_pauses_short(is_idle: Callable[[], bool], latest_s: float = LATEST_S) -> None:
    """Call it inside the running loop when all is set up; the collector may be off until then.

    What lasts is looked through once and never again, what is young is collected as ever. What has come of late is
    swept every 5 s. All that lives, which is what takes long, is swept once a minute while `is_idle`, and otherwise
    after `latest_s`: until then garbage stays that was alive when what came with it was swept.
    """
    gc.collect()
    gc.freeze()
    gc.enable()
    gc.set_threshold(YOUNG, _NEVER, _NEVER)
    let_the_loop_in_soon()
    _sweep_later(is_idle, latest_s, asyncio.get_running_loop().time())


def _sweep_later(is_idle: Callable[[], bool], latest_s: float, swept_at: float) -> None:
    asyncio.get_running_loop().call_later(RECENT_S, _sweep, is_idle, latest_s, swept_at)


def _sweep(is_idle: Callable[[], bool], latest_s: float, swept_at: float) -> None:
    now = asyncio.get_running_loop().time()
    if now >= swept_at + (WHOLE_S if is_idle() else latest_s):
        gc.collect()
        swept_at = now
    else:
        gc.collect(1)
    _sweep_later(is_idle, latest_s, swept_at)
