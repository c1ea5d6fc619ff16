"""Comparisons made again: two runs of one Asterisk may differ, as its threads race or its machine stalls."""

from collections.abc import Callable


def in_every_run(compare: Callable[[], list[str]], runs: int) -> set[str]:
    """The differences that each of `runs` runs shows, which are no chance; none as soon as one run shows none."""
    always = set(compare())
    for _ in range(runs - 1):
        if not always:
            break
        always &= set(compare())
    return always
