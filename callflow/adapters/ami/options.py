"""What an AMI session is made of."""

import ssl
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from callflow.errors import SettingError


class AmiOptions(BaseModel):
    """Where Asterisk's manager interface is, who we are there, and how patient we are."""

    model_config = ConfigDict(frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(5038, ge=1, le=65535)
    username: str = "callflow"
    secret: SecretStr = SecretStr("")
    tls: bool = False
    tls_ca_file: str = ""
    """Certificate that signs Asterisk's; "" for the system's own list."""
    tls_verify: bool = True
    events: Literal["on", "off"] = "on"
    ping_interval_s: float = Field(2.0, gt=0, le=60)
    """Silence from Asterisk after which it is asked for a sign of life."""
    ping_timeout_s: float = Field(2.0, gt=0, le=60)
    """How long that sign may take before the connection is given up."""
    action_timeout_s: float = Field(2.0, gt=0, le=60)
    login_timeout_s: float = Field(5.0, gt=0, le=60)
    """From the first packet to the end of the login; a refusal alone takes Asterisk one second."""
    reconnect_min_s: float = Field(0.2, gt=0, le=60)
    reconnect_max_s: float = Field(10.0, gt=0, le=600)

    def tls_context(self) -> ssl.SSLContext | None:
        """None without TLS; raises SettingError for a certificate file that cannot be used."""
        if not self.tls:
            return None
        try:
            context = ssl.create_default_context(cafile=self.tls_ca_file or None)
        except (OSError, ssl.SSLError) as error:
            remedy = "name a readable PEM file, or leave it empty"
            raise SettingError("[ami] tls_ca_file", f"{self.tls_ca_file!r} cannot be used: {error}", remedy) from error
        if not self.tls_verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context
