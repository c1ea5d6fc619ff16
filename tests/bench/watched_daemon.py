"""The daemon as `callflow run` starts it, but at SIGUSR1 it writes what its objects hold: for the soak.

python -m tests.bench.watched_daemon run --config callflow.toml
"""

import asyncio
import faulthandler
import gc
import json
import signal
import sys
from collections import Counter, deque
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import CellType, FunctionType, MethodType
from typing import Any

from callflow import daemon
from callflow.cli import main

HOLDINGS = "holdings.json"
"""Beside the settings file."""
DEEPEST = 14
CONTAINERS = (dict, list, tuple, set, frozenset, deque)
OURS = ("callflow.", "aiomqtt.", "paho.", "panoramisk.")
"""Packages whose objects are looked into."""


def holdings(roots: dict[str, Any]) -> dict[str, int]:
    """How many things the containers of each place hold, by the shortest way to it from the first root that has one."""
    held: Counter[str] = Counter()
    seen: set[int] = set()
    for name, root in roots.items():
        waiting: deque[tuple[str, Any, int]] = deque([(name, root, 0)])
        while waiting:
            way, one, depth = waiting.popleft()
            if id(one) in seen or depth > DEEPEST:
                continue
            seen.add(id(one))
            if isinstance(one, CONTAINERS):
                held[way] += len(one)
            waiting.extend((way + step, part, depth + 1) for step, part in _parts(one))
    return dict(held)


def _parts(one: Any) -> Iterator[tuple[str, Any]]:
    """What is within an object, with the step to it."""
    match one:
        case dict():
            yield from (("[]", value) for value in list(one.values()))
        case list() | tuple() | set() | frozenset() | deque():
            yield from (("[]", item) for item in list(one))
        case MethodType():
            yield "", one.__self__
        case FunctionType():
            yield from (("()", cell) for cell in one.__closure__ or ())
        case CellType():
            yield "", one.cell_contents
        case partial():
            yield from (("()", part) for part in (one.func, *one.args, *one.keywords.values()))
        case asyncio.Task():
            frame = getattr(one.get_coro(), "cr_frame", None)
            yield from ((f".{name}", value) for name, value in (frame.f_locals if frame else {}).items())
    if any(kind.__module__.startswith(OURS) for kind in type(one).__mro__):
        yield from ((f".{name}", value) for name, value in getattr(one, "__dict__", {}).items())
        slots = (name for kind in type(one).__mro__ for name in getattr(kind, "__slots__", ()))
        yield from ((f".{name}", getattr(one, name)) for name in slots if hasattr(one, name))


def cycles() -> dict[str, int]:
    """Our own objects that only the collector frees, by class; frees them."""
    gc.set_debug(gc.DEBUG_SAVEALL)
    gc.collect()
    gc.set_debug(0)
    names = (f"{type(one).__module__}.{type(one).__qualname__}" for one in gc.garbage)
    found = Counter(name for name in names if name.startswith("callflow."))
    gc.garbage.clear()
    gc.collect()
    return dict(found)


def tell(running: daemon.Daemon) -> None:
    """Write it down; the file is whole as soon as it is there.

    With tens of thousands of callers remembered this takes longer than the daemon's watchdog allows. It rests until its
    next beat.
    """
    faulthandler.cancel_dump_traceback_later()
    roots: dict[str, Any] = {"daemon": running}
    for task in asyncio.all_tasks():
        roots.setdefault(f"task {task.get_name().rstrip('0123456789')}", []).append(task)
    text = json.dumps({"cycles": cycles(), "holdings": holdings(roots)})
    whole = Path(sys.argv[-1]).with_name(HOLDINGS)
    part = whole.with_suffix(".part")
    part.write_text(text)
    part.replace(whole)


class Watched(daemon.Daemon):
    """Tells at SIGUSR1."""

    async def run(self) -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, tell, self)
        await super().run()


if __name__ == "__main__":
    daemon.Daemon = Watched  # type: ignore[misc]  # for run_daemon
    main()
