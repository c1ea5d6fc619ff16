"""A thing done again and again at even steps of time."""

import asyncio
import ctypes
import os
import sys
import time
from collections.abc import Callable

_CLOCK_MONOTONIC, _TFD_TIMER_ABSTIME = 1, 1
_COUNT_BYTES = 8
_NS = 1_000_000_000


class Ticker:
    """Calls `tick` every `step_s` while started; steps that were missed are left out, not made up for."""

    def __init__(self, step_s: float, tick: Callable[[], None]) -> None:
        self._step_s = step_s
        self._tick = tick
        self._timer: asyncio.TimerHandle | None = None
        self.due = 0.0
        """When the next step is due, by the loop's clock."""

    def start(self) -> None:
        """Begin, if not begun."""
        if self._timer is None:
            self.due = asyncio.get_running_loop().time()
            self._again()

    def stop(self) -> None:
        """End."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _again(self) -> None:
        loop = asyncio.get_running_loop()
        self.due = max(self.due + self._step_s, loop.time())
        self._timer = loop.call_at(self.due, self._run)

    def _run(self) -> None:
        self._again()
        self._tick()


class PunctualTicker(Ticker):
    """By a timer of Linux's own, timerfd_create(2): uvloop's count whole milliseconds, and half of all ticks were late.

    Where there is no such timer the loop's serves.
    """

    _fd = -1

    def start(self) -> None:
        if self._fd >= 0 or self._timer is not None:
            return
        begun_ns = time.monotonic_ns()
        try:
            self._fd = _open_timer(begun_ns, round(self._step_s * _NS))
        except (OSError, AttributeError):
            super().start()
            return
        self.due = begun_ns / _NS + self._step_s
        asyncio.get_running_loop().add_reader(self._fd, self._expired)

    def stop(self) -> None:
        super().stop()
        if self._fd >= 0:
            asyncio.get_running_loop().remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1

    def _expired(self) -> None:
        self.due += self._step_s * int.from_bytes(os.read(self._fd, _COUNT_BYTES), sys.byteorder)
        self._tick()


class _TimerSpec(ctypes.Structure):
    """struct itimerspec: the step, then the first expiry, each in seconds and nanoseconds."""

    _fields_ = [(name, ctypes.c_long) for name in ("step_s", "step_ns", "first_s", "first_ns")]


def _open_timer(begun_ns: int, step_ns: int) -> int:
    """The descriptor of a timer that expires at every step from then on; from Python 3.13 on os.timerfd_create.

    Raises OSError; AttributeError where the system has none.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    fd = int(libc.timerfd_create(_CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC))
    if fd < 0:
        raise OSError(ctypes.get_errno(), "timerfd_create")
    spec = _TimerSpec(*divmod(step_ns, _NS), *divmod(begun_ns + step_ns, _NS))
    if libc.timerfd_settime(fd, _TFD_TIMER_ABSTIME, ctypes.byref(spec), None) < 0:
        os.close(fd)
        raise OSError(ctypes.get_errno(), "timerfd_settime")
    return fd
