"""What a site may set about hearing, each with default, unit and bound beside it."""

from pydantic import Field

from callflow.core.section import Section


class HearingSettings(Section):
    """The ear that listens to the sound itself."""

    quiet_below_dbov: float = Field(
        -38.0, ge=-60, le=-20, description="Speech with an active level (P.56) below this, in dBov, is quiet."
    )
