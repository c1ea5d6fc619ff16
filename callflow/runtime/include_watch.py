"""Warns at each connection to Asterisk whose dialplan include is of another release."""

from collections.abc import Awaitable, Callable

import structlog

from callflow.adapters.ami.include import DIALPLAN_VERSION, REMEDY, differs
from callflow.errors import LinkError

log = structlog.get_logger()


class IncludeWatch:
    """`loaded` asks Asterisk for the version that it has loaded; each version is told of once."""

    def __init__(self, loaded: Callable[[], Awaitable[int]]) -> None:
        self._loaded = loaded
        self._told: int | None = None

    async def look(self) -> None:
        """Never raises; an AMI user that may not see the dialplan is named by `callflow check`."""
        try:
            version = await self._loaded()
        except LinkError as error:
            log.debug("the version of the dialplan include is not known", reason=str(error))
            return
        found = differs(version)
        if found is not None and version != self._told:
            what, meanwhile = found
            log.warning(what, loaded=version, wanted=DIALPLAN_VERSION, meanwhile=meanwhile, remedy=REMEDY)
        self._told = version
