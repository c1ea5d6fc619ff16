"""Repeats comparisons: two runs of one Asterisk may differ, as its threads race or its machine stalls."""

from collections.abc import Callable


def in_every_run(compare: Callable[[], list[str]], runs: int) -> set[str]:
    """The differences that occur in all of `runs` runs, which is no chance; stops after a run without differences."""
    always = set(compare())
    for _ in range(runs - 1):
        if not always:
            break
        always &= set(compare())
    return always
