"""The section [agi]: where Asterisk finds the FastAGI server; and the limits of a connection before it is accepted."""

import re
from dataclasses import dataclass

from pydantic import Field, SecretStr, field_validator

from callflow.core.section import Section

AUTO = "auto"


class AgiOptions(Section):
    """The FastAGI server that the dialplan calls."""

    host: str = Field("127.0.0.1", description="Address to listen on; keep it on loopback beside Asterisk.")
    port: int = Field(4573, ge=0, le=65535, description="Port to listen on.")
    token: SecretStr = Field(
        SecretStr(""),
        description="Secret part of agi://HOST:PORT/TOKEN/screen. auto: created at each start and set in Asterisk.",
    )

    @field_validator("token")
    @classmethod
    def _fits_a_path(cls, token: SecretStr) -> SecretStr:
        if not re.fullmatch(r"[A-Za-z0-9._~-]*", token.get_secret_value()):
            raise ValueError("only letters, digits and . _ ~ - can stand in a path")
        return token


@dataclass(frozen=True, slots=True)
class Admission:
    """Limits for a connection until it has proved to be a call."""

    header_timeout_s: float = 2.5
    """The caller hears nothing meanwhile. AMI has 1 s of it to vouch for the channel; a busy loop has the rest."""
    max_header_bytes: int = 65_536
    max_sessions: int = 4000
    """Calls at once; more are refused."""
    max_strangers: int = 256
    """Connections without a complete header; one more drops the oldest."""
