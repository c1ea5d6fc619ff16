"""Label values: known ones start at 0, and no flood of names becomes a flood of series."""

from collections.abc import Callable

OTHER = "other"


class Capped:
    """Up to `most` different names; every later one is `other`. `born` is called once for each name let in."""

    def __init__(self, most: int, born: Callable[[str], None]) -> None:
        self._most = most
        self._born = born
        self._names: set[str] = set()

    def __call__(self, name: str) -> str:
        """The label value for `name`; "" becomes `none`."""
        name = name or "none"
        if name in self._names:
            return name
        if len(self._names) >= self._most:
            name = OTHER
        if name not in self._names:
            self._names.add(name)
            self._born(name)
        return name
