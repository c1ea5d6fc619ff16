"""The local days of a visitor, over changes of the clock."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta, timezone, tzinfo
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import Depends, Query

from callflow.commands.report_period import EPOCH, Period, midnight_ms
from callflow.core.service.grouping import Span


@dataclass(frozen=True, slots=True)
class LocalDays:
    """Of a zone; a day is the number of days since 1 January 1970."""

    zone: tzinfo

    def spans(self, since_ms: int, until_ms: int) -> Iterator[Span]:
        """The period in pieces with one offset from UTC each."""
        return Period(since_ms, until_ms, self.zone).spans()

    def first_ms(self, day: int) -> int:
        """The first moment of a day, epoch ms."""
        return midnight_ms(EPOCH + timedelta(days=day), self.zone)


def local_days(
    zone: Annotated[str, Query(max_length=64, description="Local time is that of this zone: Europe/Berlin.")] = "",
    offset_min: Annotated[
        int, Query(ge=-840, le=840, description="Without `zone`, local time is UTC plus so many minutes all through.")
    ] = 0,
) -> LocalDays:
    """A zone that this machine does not know counts as none: browsers know further names of the same zones."""
    try:
        if zone:
            return LocalDays(ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    return LocalDays(timezone(timedelta(minutes=offset_min)))


Days = Annotated[LocalDays, Depends(local_days)]
