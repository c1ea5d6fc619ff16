"""Ends the daemon when its loop stalls: Asterisk has no time-out on a FastAGI that says nothing.

A C thread of the standard library (faulthandler) does it, so it works even while Python itself is stuck; the traceback
of the stall goes to stderr. systemd is told too (WATCHDOG=1), for the case that the whole process is frozen.
"""

import asyncio
import faulthandler

import sdnotify

HEARTBEAT_S = 0.5


class Watchdog:
    """Beats twice a second; `stall_s` without a beat ends the process with exit code 1."""

    def __init__(self, stall_s: float) -> None:
        self._stall_s = stall_s
        self._systemd = sdnotify.SystemdNotifier()
        self._timer: asyncio.TimerHandle | None = None

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

    def tell(self, state: str) -> None:
        """Tell systemd how we are: READY=1, STOPPING=1, STATUS=..."""
        self._systemd.notify(state)
