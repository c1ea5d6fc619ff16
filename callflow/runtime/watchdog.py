"""Ends the daemon when its loop stalls: Asterisk has no time-out on a FastAGI that says nothing.

A C thread of the standard library (faulthandler) does it, so it works even while Python itself is stuck; the traceback
of the stall goes to stderr. systemd is told too (WATCHDOG=1), for the case that the whole process is frozen.
"""

import asyncio
import faulthandler
import time

import sdnotify

HEARTBEAT_S = 0.5
LONGER_S = 60
"""So much more time than TimeoutStartSec a start gets with each sign of progress."""
STEP_S = 30
"""Each step of a start may take so long: on a busy machine what is loaded at first takes longest."""
PROGRESS_S = 2.0
"""A sign of progress at most so often."""


def start_goes_on() -> None:
    """A step of the start is done: systemd waits for the next one, even beyond TimeoutStartSec."""
    sdnotify.SystemdNotifier().notify(f"EXTEND_TIMEOUT_USEC={STEP_S * 1_000_000}")


class Watchdog:
    """Beats twice a second; `stall_s` without a beat ends the process with exit code 1."""

    def __init__(self, stall_s: float) -> None:
        self._stall_s = stall_s
        self._systemd = sdnotify.SystemdNotifier()
        self._timer: asyncio.TimerHandle | None = None
        self._longer_at_s = 0.0

    def start(self) -> None:
        """Begin to beat; call it inside the running loop."""
        faulthandler.dump_traceback_later(self._stall_s, exit=True)
        self._systemd.notify("WATCHDOG=1")
        self._timer = asyncio.get_running_loop().call_later(HEARTBEAT_S, self.start)

    def stop(self) -> None:
        """Beat no more, and end nothing."""
        faulthandler.cancel_dump_traceback_later()
        if self._timer:
            self._timer.cancel()

    def take_longer(self) -> None:
        """The start goes on and is not stuck: systemd waits longer for READY=1 than the unit says."""
        if time.monotonic() >= self._longer_at_s:
            self._longer_at_s = time.monotonic() + PROGRESS_S
            self.tell(f"EXTEND_TIMEOUT_USEC={LONGER_S * 1_000_000}\nSTATUS=the database is brought up to date")

    def tell(self, state: str) -> None:
        """Tell systemd how we are: READY=1, STOPPING=1, STATUS=..."""
        self._systemd.notify(state)
