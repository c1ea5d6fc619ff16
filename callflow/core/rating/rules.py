"""The section [ratings], and when a caller may be asked again."""

from datetime import UTC, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from callflow.core.section import Section

DAY_MS = 86_400_000


class RatingRules(Section):
    """How callers are asked to rate a call (dialplan: `callflow-rating`); the share of calls is set per profile."""

    enabled: bool = Field(True, description="Ask callers who reach callflow-rating in the dialplan.")
    answer_s: float = Field(4.0, ge=1, le=30, description="Seconds to wait for a key after the end of a question.")
    again_days: int = Field(
        7, ge=1, le=365, description="Days before the same caller may be asked again, counted in `zone`."
    )
    zone: str = Field("UTC", description="Time zone whose days are counted, such as Asia/Shanghai.")

    @field_validator("zone")
    @classmethod
    def _exists(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"no time zone is called {zone!r}; write a name like Asia/Shanghai or UTC") from None
        return zone

    def askable_from_ms(self, asked_ms: int) -> int:
        """When a caller who was asked at `asked_ms` may be asked again, epoch ms."""
        return askable_from_ms(asked_ms, self.again_days, ZoneInfo(self.zone))


def askable_from_ms(asked_ms: int, days: int, zone: tzinfo = UTC) -> int:
    """So many whole days of 24 h later, and on the local day of the same number or after it.

    Both: a local week with a change of the clocks has 167 or 169 hours.
    """
    local_day = datetime.fromtimestamp(asked_ms / 1000, zone).date() + timedelta(days=days)
    midnight_ms = round(datetime.combine(local_day, time(), zone).timestamp() * 1000)
    return max(asked_ms + days * DAY_MS, midnight_ms)
