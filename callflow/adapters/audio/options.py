"""The section [tap]: how Asterisk delivers callers' audio; and how long a tap may take to open."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field

from callflow.core.section import Section


class TapOptions(Section):
    """Callers' audio over AudioSocket (Asterisk 18 and later) or RTP. Where it fails, TALK_DETECT is used alone."""

    enabled: bool = Field(True, description="Listen to callers' audio where Asterisk can send it.")
    transport: Literal["auto", "audiosocket", "rtp"] = Field(
        "auto",
        description="Transport of the audio; auto: AudioSocket where this release of Asterisk has it, else RTP.",
    )
    host: str = Field("127.0.0.1", description="Address to listen on for the audio; keep it on loopback.")
    port: int = Field(
        0, ge=0, le=65535, description="Port to listen on; 0, and RTP always: a free one, told to Asterisk."
    )
    address: str = Field(
        "",
        pattern=r"^$|^[A-Za-z0-9._\[\]:-]+:\d{1,5}$",
        description="HOST:PORT that Asterisk connects to, if it differs from host and port: an IP address, not a name.",
    )
    max_taps: int = Field(
        200, ge=0, le=10_000, description="Callers tapped at once; further callers are judged by TALK_DETECT alone."
    )
    max_lag_s: float = Field(
        0.1,
        ge=0.05,
        le=60,
        description="Seconds by which callflow may be late on a busy machine; further callers are judged by "
        "TALK_DETECT alone.",
    )
    sounds: Path = Field(
        Path("/usr/share/asterisk/sounds"),
        description="Asterisk's sounds folder as callflow sees it; it reads the prompts there to recognise their echo.",
    )
    debug_audio_dir: Path | None = Field(
        None, description="Folder to store callers' audio in, only to find faults. Voice is personal data."
    )
    debug_audio_days: float = Field(3.0, gt=0, le=30, description="Days after which stored audio is deleted.")

    def is_by_rtp(self, *, has_audio_socket: bool) -> bool:
        """Whether callers are tapped by RTP, on a release of Asterisk with AudioSocket or without."""
        return self.transport == "rtp" or (self.transport == "auto" and not has_audio_socket)

    def address_of(self, port: int) -> str:
        """HOST:PORT for Asterisk to send to."""
        if self.address:
            return f"{self.address.rpartition(':')[0]}:{port}"
        return host_port(self.host, port)


def host_port(host: str, port: int) -> str:
    """HOST:PORT, with an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@dataclass(frozen=True, slots=True)
class Patience:
    """Limits for the connection of one tap."""

    open_timeout_s: float = 4.0
    """From the Originate to Asterisk's connection: 30 ms is usual. The call goes on meanwhile."""
    uuid_timeout_s: float = 2.0
    max_strangers: int = 64
    """Connections that have not sent their uuid; one more drops the oldest."""
