"""Keeps the C library's allocator from holding memory for each thread."""

import ctypes

M_ARENA_MAX = -8
"""mallopt(3)."""
ARENAS = 2
"""The main one, and one for all threads. Python's lock lets one of them allocate at a time anyway."""


def share_arenas() -> None:
    """Call it before the first thread. Without it each thread keeps the most that it ever needed."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # glibc; musl has one arena
        mallopt(M_ARENA_MAX, ARENAS)
