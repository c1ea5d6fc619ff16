"""The section [store]: where the database is, and how long it keeps what."""

from pathlib import Path

from pydantic import Field

from callflow.core.section import RELOADS, Section


class StoreOptions(Section):
    """The embedded database of call records."""

    path: Path = Field(Path("/var/lib/callflow/callflow.db"), description="SQLite file; its folder must exist.")
    details_days: int = Field(
        0,
        ge=0,
        le=36_500,
        description="Days to keep timelines of calls and rings of single phones; 0: as long as records.",
        json_schema_extra=RELOADS,
    )
    records_days: int = Field(
        365,
        ge=0,
        le=36_500,
        description="Days to keep calls, queue stays, offers and agents' times; 0: no limit.",
        json_schema_extra=RELOADS,
    )

    @property
    def age_is_our_choice(self) -> bool:
        """The site has not said how long records are kept, so the default applies."""
        return "records_days" not in self.model_fields_set
