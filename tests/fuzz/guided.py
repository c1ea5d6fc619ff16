"""One reader, hunted by atheris: an input that reaches new code of callflow is kept, and others are made from it.

A process of its own, which `python -m tests.fuzz` starts and follows: libFuzzer, below atheris, ends its process.
"""

import argparse
import dataclasses
import hashlib
import json
import logging
import os
import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any

import atheris
import structlog

from tests.fuzz.hunt import MOST_MORE_MB, Read, memory_mb, try_one
from tests.fuzz.mutator import LONGEST_BYTES, mutated

ROOT = Path(__file__).parents[2]
QUERIES = [
    ".".join(file.relative_to(ROOT).with_suffix("").parts) for file in ROOT.glob("callflow/adapters/store/**/*.py")
]
"""Of a comparison whose result is no bool, atheris 3.0 keeps the result: 0.5 kB an HTTP request, all of SQLAlchemy's.
Nothing that comes from outside is parsed in these modules."""

with atheris.instrument_imports(include=["callflow"], exclude=QUERIES, enable_loader_override=False):
    from tests.fuzz.readers import CORPUS, READERS

MOST_KINDS = 10
"""A reader is left after so many different errors."""
TELL_EVERY_S = 1.0
STUCK_S = 600
"""libFuzzer ends a process that is in one input for so long: code in C hears no signal of Python."""


@dataclasses.dataclass
class Figures:
    """What has been done, as printed: one JSON object to a line."""

    inputs: int = 0
    cpu_s: float = 0.0
    kept: int = 0
    """Inputs of which each reached code that none before had."""
    memory_mb: float = 0.0
    faults: list[str] = dataclasses.field(default_factory=list)
    """The errors, each of a different kind, with the file of its input."""


class Hunt:
    """Feeds the reader what libFuzzer gives until the time is over, and then ends the process."""

    def __init__(self, name: str, pool: Path, minutes: float, seed: int) -> None:
        self._name, self._pool, self._ends_s, self._seed = name, pool, 60 * minutes, seed
        self._figures, self._told_s, self._kinds = Figures(), 0.0, set[str]()
        self._seeds, self._chance = READERS[name].seeds(name), Random(seed)
        self._stopped = False
        self._most_mb = float("inf")

    def run(self) -> None:
        """Does not return."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)
        self._pool.mkdir(parents=True, exist_ok=True)
        for data in self._seeds:
            (self._pool / hashlib.sha1(data, usedforsecurity=False).hexdigest()).write_bytes(data)
        with ExitStack() as stack:
            read = stack.enter_context(READERS[self._name].begin())
            for data in self._seeds:
                self._try(read, data)
            self._most_mb = memory_mb() + MOST_MORE_MB

            def one(data: bytes) -> None:
                self._try(read, data)
                if self._is_over():
                    stack.close()
                    self._tell()
                    os._exit(0)

            limits = [f"-max_len={LONGEST_BYTES}", "-len_control=0", f"-timeout={STUCK_S}", "-rss_limit_mb=0"]
            quiet = [
                "-verbosity=0",
                f"-report_slow_units={STUCK_S}",
                "-handle_int=0",
                "-handle_term=0",
                f"-artifact_prefix={CORPUS / self._name}/",
            ]
            atheris.Setup(
                [sys.argv[0], str(self._pool), f"-seed={self._seed}", *limits, *quiet], one, custom_mutator=self._make
            )
            atheris.Fuzz()

    def _make(self, data: bytes, most: int, seed: int) -> bytes:
        """By libFuzzer's changes or by ours, which know the words that break readers."""
        if self._chance.random() < 0.5:
            return bytes(atheris.Mutate(data, most))
        return mutated([data, data, self._chance.choice(self._seeds)], self._chance)[:most]

    def _try(self, read: Read, data: bytes) -> None:
        self._figures.inputs += 1
        if found := try_one(read, data, READERS[self._name].longest_s):
            self._keep(f"{type(found.error).__name__}: {str(found.error)[:80]}", data)
        if memory_mb() > self._most_mb:
            self._keep(f"{memory_mb():.0f} MB", data)
            self._stopped = True
        if time.monotonic() - self._told_s > TELL_EVERY_S:
            self._tell()

    def _keep(self, kind: str, data: bytes) -> None:
        if kind not in self._kinds:
            self._kinds.add(kind)
            file = CORPUS / self._name / hashlib.sha256(data).hexdigest()[:12]
            file.write_bytes(data)
            self._figures.faults.append(f"{kind}, {file}")

    def _is_over(self) -> bool:
        return self._stopped or time.process_time() > self._ends_s or len(self._kinds) >= MOST_KINDS

    def _tell(self) -> None:
        self._told_s = time.monotonic()
        self._figures.cpu_s, self._figures.memory_mb = time.process_time(), memory_mb()
        self._figures.kept = sum(1 for _ in self._pool.iterdir())
        try:
            print(json.dumps(dataclasses.asdict(self._figures)), flush=True)
        except BrokenPipeError:  # whoever follows it has gone; libFuzzer would call this a crash of the reader
            os._exit(1)

    def _stop(self, *_: Any) -> None:
        self._stopped = True


def main() -> None:
    """The command line that `python -m tests.fuzz` writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=READERS)
    parser.add_argument("pool", type=Path, help="the folder of inputs that reach new code; it grows")
    parser.add_argument("--minutes", type=float, required=True, help="of CPU")
    parser.add_argument("--seed", type=int, required=True)
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    Hunt(asked.name, asked.pool, asked.minutes, asked.seed).run()


if __name__ == "__main__":
    main()
