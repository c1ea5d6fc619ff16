"""What the audio adapter asks of Linux directly, past the event loop: even timers, and sockets read on demand.

Both save time. uvloop's timers count whole milliseconds, and half of all steps were late by them. To be woken for each
piece of a caller's audio costs as much as to hear it.
"""

import asyncio
import ctypes
import os
import sys

READ_BYTES = 8192
"""Most bytes of one read: half a second of audio."""

_CLOCK_MONOTONIC, _TFD_TIMER_ABSTIME = 1, 1
_COUNT_BYTES = 8
_NS = 1_000_000_000


class KernelTimer:
    """A timer that expires at every step from `begun_ns` on (monotonic clock): timerfd_create(2).

    Raises OSError; AttributeError where the system has no such timer.
    """

    def __init__(self, begun_ns: int, step_ns: int) -> None:
        libc = ctypes.CDLL(None, use_errno=True)  # Python has os.timerfd_create from 3.13 on
        self.fd = int(libc.timerfd_create(_CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC))
        """Readable when a step is over."""
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        spec = _TimerSpec(*divmod(step_ns, _NS), *divmod(begun_ns + step_ns, _NS))
        if libc.timerfd_settime(self.fd, _TFD_TIMER_ABSTIME, ctypes.byref(spec), None) < 0:
            self.close()
            raise OSError(ctypes.get_errno(), "timerfd_settime")

    def steps(self) -> int:
        """How many steps have passed since the last call; 0 for none."""
        try:
            return int.from_bytes(os.read(self.fd, _COUNT_BYTES), sys.byteorder)
        except BlockingIOError:
            return 0

    def close(self) -> None:
        """Give the timer back to the kernel."""
        os.close(self.fd)


class _TimerSpec(ctypes.Structure):
    """struct itimerspec: the step, then the first expiry, each in seconds and nanoseconds."""

    _fields_ = [(name, ctypes.c_long) for name in ("step_s", "step_ns", "first_s", "first_ns")]


class OnDemandReader:
    """Reads a transport's socket when asked; the event loop reads it no more. The transport still writes and closes."""

    def __init__(self, transport: asyncio.Transport) -> None:
        transport.pause_reading()
        self._transport = transport
        self._fd: int = transport.get_extra_info("socket").fileno()

    def read(self) -> bytes | None:
        """What has come, at most READ_BYTES; b"" when the connection has ended, None when nothing has come.

        Nothing is read of a transport that is closing: the number of its socket may belong to another file by then.
        """
        if self._transport.is_closing():
            return b""
        try:
            return os.read(self._fd, READ_BYTES)
        except BlockingIOError:
            return None
        except OSError:
            return b""
