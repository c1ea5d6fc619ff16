"""The database of a page that runs without a daemon: looked at again and again, waited for while it is away."""

import asyncio

from callflow.adapters.http.sample import Verdict
from callflow.adapters.store.places import Where
from callflow.adapters.store.queries import Reader
from callflow.runtime.persisting import Persisting

LOOK_S = 2.0
"""Between two looks."""


class DatabaseWatch:
    """The page is served all the time; it is ready while its database can be read."""

    def __init__(self, named: Where) -> None:
        self._named = named
        self._persisting = Persisting("the database is away; the page says so, and goes on once it is back")

    async def run(self) -> None:
        """Until cancelled; raises StoreError where a person must mend something first."""
        await self._persisting.run(self._look)

    async def _look(self) -> None:
        await asyncio.to_thread(self._open)
        self._persisting.well("the database can be read")
        await asyncio.sleep(LOOK_S)

    def _open(self) -> None:
        with Reader(self._named):
            pass

    def alive(self) -> Verdict:
        """It answers, so its loop runs."""
        return Verdict(True, {"alive": True})

    def ready(self) -> Verdict:
        """The reason is for everybody: the log and systemd's status have the whole of it."""
        if not self._persisting.is_known:
            reason: str | None = "the database has not been looked at yet"
        else:
            reason = "the database is away: see the log" if self._persisting.trouble else None
        return Verdict(reason is None, {"ready": reason is None, "reason": reason})
