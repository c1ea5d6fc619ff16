"""The section [ami]: where Asterisk's manager interface is, and how long callflow waits for it."""

import ssl

from pydantic import Field, SecretStr, field_validator

from callflow.core.section import Section
from callflow.errors import SettingError

LOGIN_TIMEOUT_S = 5.0
"""From the first packet to the end of the login; a refusal alone takes Asterisk one second."""


class AmiOptions(Section):
    """The connection to Asterisk's manager interface."""

    host: str = Field("127.0.0.1", description="Host of the AMI.")
    port: int = Field(5038, ge=1, le=65535, description="Port of the AMI.")
    username: str = Field("callflow", description="AMI user; see config/asterisk/manager_callflow.conf.")
    secret: SecretStr = Field(SecretStr(""), description="Secret of the AMI user; better set as CALLFLOW_AMI__SECRET.")
    tls: bool = Field(False, description="Use TLS (Asterisk's tlsbindaddr, usually port 5039).")
    tls_ca_file: str = Field("", description="PEM file of the CA of Asterisk's certificate; empty: the system's CAs.")
    tls_verify: bool = Field(True, description="Verify Asterisk's certificate.")
    ping_interval_s: float = Field(1.0, gt=0, le=60, description="Seconds without data from Asterisk before a ping.")
    ping_timeout_s: float = Field(
        2.0, gt=0, le=60, description="Seconds to wait for the answer to a ping; then callflow reconnects."
    )
    action_timeout_s: float = Field(1.0, gt=0, le=60, description="Seconds to wait for the answer to an action.")
    reconnect_min_s: float = Field(0.2, gt=0, le=60, description="Seconds before the first attempt to reconnect.")
    reconnect_max_s: float = Field(10.0, gt=0, le=600, description="Longest time between two attempts, in seconds.")

    @field_validator("username", "secret")
    @classmethod
    def _one_line(cls, value: str | SecretStr) -> str | SecretStr:
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        if len(text.encode()) > 200 or any(mark in text for mark in "\r\n\0"):
            raise ValueError("must be one line of at most 200 bytes")
        return value

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
