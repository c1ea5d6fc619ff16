"""The section [http]: the web server for metrics and health."""

from pydantic import Field

from callflow.core.section import Section


class HttpOptions(Section):
    """The small web server: /metrics for Prometheus, /healthz, /readyz."""

    enabled: bool = Field(True, description="Serve /metrics, /healthz and /readyz.")
    host: str = Field("127.0.0.1", min_length=1, description="Address to listen on; there is no password.")
    port: int = Field(9810, ge=0, le=65535, description="Port to listen on; 0 lets the system choose.")
    max_names: int = Field(
        100, ge=1, le=10_000, description="Queues, lines and trunks with their own series; the rest is `other`."
    )
    max_agents: int = Field(200, ge=1, le=10_000, description="Agents with their own series; the rest is `other`.")
    ready_outbox_age_s: float = Field(
        300.0, gt=0, le=86_400, description="Seconds an event may wait for the broker before /readyz answers 503."
    )
    ready_loop_lag_s: float = Field(
        1.0, gt=0, le=60, description="Seconds timers may be late before /readyz and /healthz answer 503."
    )
