"""The section [mqtt]: where the broker is, what is published there, and how long callflow waits for it."""

import ssl

from pydantic import Field, SecretStr, field_validator

from callflow.core.publishing.topics import topic_id
from callflow.core.section import Section
from callflow.errors import SettingError


class MqttOptions(Section):
    """Events, states and alerts to an MQTT 5 broker."""

    enabled: bool = Field(False, description="Publish to a broker; events wait in the database while it is away.")
    host: str = Field("127.0.0.1", min_length=1, description="Host of the broker.")
    port: int = Field(1883, ge=1, le=65535, description="Port of the broker; usually 8883 with TLS.")
    username: str = Field("", description="User name at the broker; empty for none.")
    password: SecretStr = Field(SecretStr(""), description="Password; better set as CALLFLOW_MQTT__PASSWORD.")
    client_id: str = Field("", max_length=100, description="Client id at the broker; empty for callflow-SITE.")
    site: str = Field("", description="Name of this daemon in topics, unique at the broker; empty for node.name.")
    tls: bool = Field(False, description="Use TLS.")
    tls_ca_file: str = Field("", description="PEM file of the CA of the broker's certificate; empty: the system's CAs.")
    tls_cert_file: str = Field("", description="PEM file with callflow's own certificate and key; empty for none.")
    tls_verify: bool = Field(True, description="Verify the broker's certificate.")
    keepalive_s: int = Field(15, ge=1, le=3600, description="Seconds without traffic before callflow pings the broker.")
    timeout_s: float = Field(30.0, gt=0, le=600, description="Seconds to wait for any answer of the broker.")
    in_flight: int = Field(20, ge=1, le=1000, description="Messages sent at once without a confirmation.")
    settle_s: float = Field(
        2.0, ge=0, le=60, description="Seconds that events wait after a reconnection, so that consumers reconnect too."
    )
    reconnect_min_s: float = Field(0.5, gt=0, le=60, description="Seconds before the first attempt to reconnect.")
    reconnect_max_s: float = Field(30.0, gt=0, le=600, description="Longest time between two attempts, in seconds.")
    outbox_max_events: int = Field(
        100_000,
        ge=100,
        le=10_000_000,
        description="Events kept while the broker is away; further ones replace the oldest.",
    )
    outbox_max_age_h: float = Field(72.0, gt=0, le=8760, description="Hours to keep an event for the broker.")
    await_collector: bool = Field(
        False, description="Keep events until the collector of a fleet has stored them, not only until the broker has."
    )
    collector_timeout_s: float = Field(
        30.0, ge=0.1, le=3600, description="Seconds without news from the collector before an event is sent again."
    )
    commands: bool = Field(
        False, description="Take agents' actions from the broker: its access list then decides who may ask."
    )
    window_s: int = Field(3600, ge=60, le=86_400, description="Seconds of the past that a queue's state covers.")
    home_assistant: bool = Field(False, description="Announce the states to Home Assistant (MQTT discovery).")
    home_assistant_prefix: str = Field("homeassistant", description="Home Assistant's discovery prefix.")

    @field_validator("site", "home_assistant_prefix")
    @classmethod
    def _fits_a_topic(cls, name: str) -> str:
        return topic_id(name) if name else name

    @property
    def unnoticed_ms(self) -> int:
        """How long a dead broker can go unnoticed: a ping after `keepalive_s`, as long again for its answer."""
        return 1000 * (2 * self.keepalive_s + 2)

    def tls_context(self) -> ssl.SSLContext | None:
        """None without TLS; raises SettingError for a certificate file that cannot be used."""
        if not self.tls:
            return None
        named = "tls_ca_file"
        try:
            context = ssl.create_default_context(cafile=self.tls_ca_file or None)
            named = "tls_cert_file"
            if self.tls_cert_file:
                context.load_cert_chain(self.tls_cert_file)
        except (OSError, ssl.SSLError) as error:
            remedy = "name a readable PEM file, or leave it empty"
            raise SettingError(
                f"[mqtt] {named}", f"{getattr(self, named)!r} cannot be used: {error}", remedy
            ) from error
        if not self.tls_verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context
