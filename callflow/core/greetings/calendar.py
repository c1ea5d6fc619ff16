"""Festivals: which of them a day belongs to, by the solar calendar or the Chinese lunar one."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

LUNAR_YEARS = range(1901, 2099)
"""Years that the lunar calendar is known for."""
_FESTIVAL = re.compile(r"([A-Za-z0-9_-]{1,64}) (lunar )?(?:(\d{4})-)?(\d{2})-(\d{2})(?: (\d{1,2}))?")


class NoFestival(ValueError):
    """A text that names no festival."""


@dataclass(frozen=True, slots=True)
class Festival:
    """A prompt, and the days on which it is said: from this month and day, so many days; every year without a year."""

    prompt: str
    month: int
    day: int
    days: int = 1
    lunar: bool = False
    year: int | None = None

    def includes(self, today: date) -> bool:
        """Whether it is celebrated on this day."""
        return any(
            begins is not None and begins <= today < begins + timedelta(days=self.days)
            for begins in (self._begins(today.year - 1), self._begins(today.year))
        )

    def _begins(self, year: int) -> date | None:
        """Its first day in a year; None if the year has none, as 29 February and the lunar 30th."""
        if self.year is not None and year != self.year:
            return None
        try:
            return _lunar(year, self.month, self.day) if self.lunar else date(year, self.month, self.day)
        except ValueError:
            return None


@lru_cache(maxsize=512)
def parse_festival(text: str) -> Festival:
    """A festival as the settings write it: "mid_autumn lunar 08-15", "national_day 10-01 3". Raises NoFestival."""
    found = _FESTIVAL.fullmatch(text)
    if found is None:
        raise NoFestival(
            f'{text!r} is no festival; write "PROMPT 10-01", "PROMPT lunar 01-01 7" or "PROMPT 2026-05-20"'
        )
    prompt, lunar, year, month, day, days = found.groups()
    festival = Festival(prompt, int(month), int(day), int(days or 1), bool(lunar), int(year) if year else None)
    possible = 1 <= festival.month <= 12 and 1 <= festival.day <= (30 if lunar else _LONGEST[festival.month - 1])
    if not possible or not festival.days:
        raise NoFestival(f"{text!r} names a day that no year has")
    return festival


def festival_of(today: date, festivals: Iterable[Festival]) -> str:
    """The prompt of the first festival that this day belongs to, "" for an ordinary day."""
    return next((festival.prompt for festival in festivals if festival.includes(today)), "")


@lru_cache(maxsize=512)
def _lunar(year: int, month: int, day: int) -> date:
    """The solar date of a day of a lunar year. Raises ValueError if that year has no such day, or is not known."""
    from borax.calendars.lunardate import LunarDate  # only a site with lunar festivals needs it

    if year not in LUNAR_YEARS:
        raise ValueError(f"the lunar calendar of {year} is not known")
    found: date = LunarDate(year, month, day, 0).to_solar_date()
    return found


_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
