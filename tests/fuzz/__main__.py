"""Fuzzing of every reader of outside input, each for so many minutes of CPU. Exit code 1 if one of them broke.

python -m tests.fuzz --minutes 60             # each reader for an hour
python -m tests.fuzz --minutes 5 --only ami

An input that broke a reader goes to tests/fuzz/corpus/NAME: mend the fault and commit the file; each run tries it.
"""

import argparse
import hashlib
import logging
import sys
import time
from random import Random

import structlog

from tests.fuzz.hunt import hunt, memory_mb
from tests.fuzz.readers import CORPUS, READERS

MOST_KINDS = 10
"""One reader is left after so many different errors."""


def run(name: str, minutes: float, seed: int) -> int:
    """Fuzz one reader and print what was found; the number of different errors."""
    reader, kinds, inputs = READERS[name], set[str](), 0
    began, ends_at = time.monotonic(), time.process_time() + 60 * minutes

    def goes_on(number: int) -> bool:
        nonlocal inputs
        inputs = number
        return time.process_time() < ends_at and len(kinds) < MOST_KINDS

    with reader.begin() as read:
        for found in hunt(read, reader.seeds(name), Random(seed), goes_on):
            kind = f"{type(found.error).__name__}: {str(found.error)[:80]}"
            if kind not in kinds:
                kinds.add(kind)
                kept = CORPUS / name / hashlib.sha256(found.data).hexdigest()[:12]
                kept.write_bytes(found.data)
                print(f"{name}: {kind}, {kept}", flush=True)
    took_min = (time.monotonic() - began) / 60
    figures = f"{minutes:g} min of CPU ({took_min:.0f} min), {len(kinds)} faults, {memory_mb():.0f} MB"
    print(f"{name}: {inputs:,} inputs in {figures}", flush=True)
    return len(kinds)


def main() -> int:
    """Exit code 1 if a reader broke."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0, help="of CPU, for each reader")
    parser.add_argument("--only", choices=READERS, help="one reader")
    parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same inputs")
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    names = [asked.only] if asked.only else list(READERS)
    return 1 if sum(run(name, asked.minutes, asked.seed) for name in names) else 0


if __name__ == "__main__":
    sys.exit(main())
