"""The allocator of the C library keeps no memory for each thread."""

import subprocess
import sys
from textwrap import dedent

import pytest

SCRIPT = """
    import ctypes, sqlite3, sys, threading
    from callflow.runtime.arenas import share_arenas
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "mallopt"):
        sys.exit("no glibc")
    if sys.argv[1] == "shared":
        share_arenas()
    together = threading.Barrier(8)
    def read():
        connection = sqlite3.connect(":memory:")
        connection.execute("create table t (a)")
        together.wait()
        connection.executemany("insert into t values (?)", ((b"x" * 1000,) for _ in range(200)))
        together.wait()
    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    libc.malloc_info.argtypes = ctypes.c_int, ctypes.c_void_p
    libc.fdopen.restype = ctypes.c_void_p
    file = libc.fdopen(1, b"w")
    libc.malloc_info(0, file)
    libc.fclose(ctypes.c_void_p(file))
"""


def arenas(how: str) -> int:
    """Arenas of a process in which eight threads have read a database."""
    done = subprocess.run([sys.executable, "-c", dedent(SCRIPT), how], capture_output=True, text=True, check=False)
    if done.stderr.strip() == "no glibc":
        pytest.skip("this C library has one arena")
    assert done.returncode == 0, done.stderr
    return done.stdout.count("<heap nr=")


def test_however_many_threads_there_are_two_arenas_serve_them() -> None:
    assert arenas("shared") == 2
    assert arenas("as ever") > 2
