"""The section [alerts]: when an alert is published over MQTT."""

from pydantic import Field

from callflow.core.section import Section


class AlertRules(Section):
    """When an alert is published over MQTT; for alerts from metrics see config/prometheus."""

    short_call_s: float = Field(60.0, gt=0, le=3600, description="A call shorter than this, in seconds, is short.")
    short_calls: int = Field(5, ge=2, le=1000, description="Short calls of one caller in a day that raise an alert.")
    trunk_window_s: int = Field(
        3600, ge=60, le=86_400, description="Seconds over which a trunk's share of silent calls is measured."
    )
    trunk_rate_factor: float = Field(
        3.0,
        gt=1,
        le=100,
        description="Raise an alert when that share exceeds the earlier share this many times.",
    )
    trunk_min_calls: int = Field(20, ge=1, le=100_000, description="Calls a trunk needs in that time for an alert.")
    service_window_s: int = Field(
        900, ge=60, le=86_400, description="Seconds over which a queue's service level is compared with its target."
    )
    service_min_calls: int = Field(10, ge=1, le=100_000, description="Calls a queue needs in that time for an alert.")
