"""How well the ears hear: `python -m tests.bench.hearing [--quick] [--half fit] [--write]`.

Sounds are made once and kept in the cache folder.
"""

import argparse
import sys
import time

from rich.console import Console

from tests.bench.hearing import tables
from tests.bench.hearing.measure import FULL, QUICK, count, measure
from tests.bench.hearing.packages import NotToBeHad


def main() -> None:
    """Measure, show, and with --write put the figures into docs/hearing.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of it, about a minute")
    parser.add_argument("--half", choices=("fit", "report"), default="report", help="which half of the voices")
    parser.add_argument("--write", action="store_true", help="write the figures into docs/hearing.md")
    options = parser.parse_args()
    console, size = Console(width=None if sys.stdout.isatty() else 160), QUICK if options.quick else FULL
    began = time.monotonic()
    try:
        found = measure(size, options.half)
    except NotToBeHad as error:
        sys.exit(str(error))
    tables.show(found, console)
    console.print(f"{time.monotonic() - began:.0f} s")
    if options.write:
        voices = f"{count(size)} windows of 3 s, {size.ladders} ladders, voices of the {options.half} half."
        tables.write(tables.markdown(found, voices))


if __name__ == "__main__":
    main()
