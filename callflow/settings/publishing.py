"""Settings of what leaves the daemon: [mqtt], [http], [alerts], [privacy]."""

from typing import Literal

from pydantic import Field, SecretStr, field_validator

from callflow.core.profile import Frozen
from callflow.core.publishing.topics import topic_id


class Mqtt(Frozen):
    """Events, states and alerts to an MQTT 5 broker."""

    enabled: bool = Field(False, description="Publish to a broker; events wait in the database while it is away.")
    host: str = Field("127.0.0.1", min_length=1, description="Host of the broker.")
    port: int = Field(1883, ge=1, le=65535, description="Port of the broker; usually 8883 with TLS.")
    username: str = Field("", description="User at the broker; empty for none.")
    password: SecretStr = Field(SecretStr(""), description="Its password; better in CALLFLOW_MQTT__PASSWORD.")
    client_id: str = Field("", max_length=100, description="Client id at the broker; empty for callflow-SITE.")
    site: str = Field("", description="Name of this daemon in topics, its own for each; empty for node.name.")
    tls: bool = Field(False, description="Speak TLS.")
    tls_ca_file: str = Field("", description="Certificate that signs the broker's; empty for the system's own list.")
    tls_cert_file: str = Field("", description="PEM file with a certificate and key of our own; empty for none.")
    tls_verify: bool = Field(True, description="Check the broker's certificate.")
    keepalive_s: int = Field(15, ge=1, le=3600, description="Seconds of silence after which the broker is asked.")
    timeout_s: float = Field(30.0, gt=0, le=600, description="Seconds for the broker's answer to anything.")
    in_flight: int = Field(20, ge=1, le=1000, description="Messages sent before the first of them is confirmed.")
    settle_s: float = Field(
        2.0, ge=0, le=60, description="After a break events wait so many seconds, for consumers to come back."
    )
    reconnect_min_s: float = Field(0.5, gt=0, le=60, description="First wait before connecting again, seconds.")
    reconnect_max_s: float = Field(30.0, gt=0, le=600, description="Longest wait before connecting again, seconds.")
    outbox_max_events: int = Field(
        100_000, ge=100, le=10_000_000, description="Events kept for a broker that is away; then the oldest go."
    )
    outbox_max_age_h: float = Field(72.0, gt=0, le=8760, description="Hours an event is kept for a broker.")
    window_s: int = Field(3600, ge=60, le=86_400, description="Seconds that a queue's state looks back over.")
    home_assistant: bool = Field(False, description="Announce the states to Home Assistant (MQTT discovery).")
    home_assistant_prefix: str = Field("homeassistant", description="Home Assistant's discovery prefix.")

    @field_validator("site", "home_assistant_prefix")
    @classmethod
    def _fits_a_topic(cls, name: str) -> str:
        return topic_id(name) if name else name


class Http(Frozen):
    """The small web server: /metrics for Prometheus, /healthz, /readyz."""

    enabled: bool = Field(True, description="Serve them.")
    host: str = Field("127.0.0.1", min_length=1, description="Address to listen on; there is no password.")
    port: int = Field(9810, ge=0, le=65535, description="Port to listen on; 0 lets the system choose.")
    max_names: int = Field(
        100, ge=1, le=10_000, description="Queues, lines and trunks that get series of their own; the rest is `other`."
    )
    max_agents: int = Field(200, ge=1, le=10_000, description="Agents that get series of their own.")
    ready_outbox_age_s: float = Field(
        300.0, gt=0, le=86_400, description="Not ready when an event has waited longer than this for the broker."
    )
    ready_loop_lag_s: float = Field(1.0, gt=0, le=60, description="Neither ready nor alive when timers are this late.")


class Alerts(Frozen):
    """When an alert is published over MQTT; for alerts from metrics see config/prometheus."""

    short_call_s: float = Field(60.0, gt=0, le=3600, description="A call shorter than this, in seconds, is short.")
    short_calls: int = Field(5, ge=2, le=1000, description="So many short calls of one caller in a day are an alert.")
    trunk_window_s: int = Field(3600, ge=60, le=86_400, description="Seconds over which a trunk's calls are looked at.")
    trunk_rate_factor: float = Field(
        3.0, gt=1, le=100, description="A trunk's share of silent calls, against what it was before, that is an alert."
    )
    trunk_min_calls: int = Field(20, ge=1, le=100_000, description="Calls that a trunk must have had for that.")
    service_window_s: int = Field(
        900, ge=60, le=86_400, description="Seconds over which a queue's service level is held against its target."
    )
    service_min_calls: int = Field(10, ge=1, le=100_000, description="Calls that a queue must have had for that.")


class Privacy(Frozen):
    """What leaves the daemon of a person's number, over MQTT and in metrics."""

    numbers: Literal["hash", "plain"] = Field(
        "hash", description="hash: callers' numbers leave only as keyed hashes, names not at all; plain: as they are."
    )
    key: SecretStr = Field(SecretStr(""), description="Key of the hashes; empty: one is made once and kept.")
    key_file: str = Field("", description="Where that one is kept, mode 0600; empty: privacy.key beside the database.")
    internal_digits: int = Field(
        6, ge=0, le=30, description="Queues, lines and agents with at most so many digits are not hashed."
    )
