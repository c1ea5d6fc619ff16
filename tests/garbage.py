"""What is left for Python's garbage collector: objects that keep each other alive after everybody has let them go."""

import gc
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def cycles_left(package: str = "callflow.") -> Iterator[Counter[str]]:
    """After the block the counter holds, by class, this package's objects that only the collector would have freed.

    What was there before is left out, so that a look takes milliseconds.
    """
    found: Counter[str] = Counter()
    was_enabled, flags = gc.isenabled(), gc.get_debug()
    gc.disable()
    gc.freeze()
    try:
        yield found
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        names = (f"{type(one).__module__}.{type(one).__qualname__}" for one in gc.garbage)
        found.update(name for name in names if name.startswith(package))
    finally:
        gc.set_debug(flags)
        gc.garbage.clear()
        gc.collect()
        gc.unfreeze()
        if was_enabled:
            gc.enable()
