"""What an MQTT connection is made of."""

import ssl

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from callflow.errors import SettingError


class MqttOptions(BaseModel):
    """Where the broker is, who we are there, and how patient we are."""

    model_config = ConfigDict(frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(1883, ge=1, le=65535)
    username: str = ""
    password: SecretStr = SecretStr("")
    client_id: str = "callflow"
    tls: bool = False
    tls_ca_file: str = ""
    """Certificate that signs the broker's; "" for the system's own list."""
    tls_cert_file: str = ""
    """Our own certificate and key in one PEM file, where the broker asks for one; "" for none."""
    tls_verify: bool = True
    keepalive_s: int = Field(15, ge=1, le=3600)
    timeout_s: float = Field(30.0, gt=0, le=600)
    """For the broker's answer to anything; then the connection is given up."""
    in_flight: int = Field(20, ge=1, le=1000)
    settle_s: float = Field(2.0, ge=0, le=60)
    """After a break events wait so long, for consumers to come back."""
    reconnect_min_s: float = Field(0.5, gt=0, le=60)
    reconnect_max_s: float = Field(30.0, gt=0, le=600)

    @property
    def unnoticed_ms(self) -> int:
        """How long a broker can be gone without a word: a ping after `keepalive_s`, as long again for its answer."""
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
