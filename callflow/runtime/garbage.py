"""Python's garbage collector, kept from halting the loop.

Measured at 100 calls a second: with the defaults a full collection goes through everything that was ever imported and
halts a busy loop for 25 to 260 ms, several times a minute.
"""

import gc


def spare_what_lasts() -> None:
    """Look once through all there is, then never again at what is left of it; call it when all is set up."""
    gc.collect()
    gc.freeze()
