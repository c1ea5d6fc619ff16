"""The settings of the AudioSocket server."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class TapOptions(BaseModel):
    """The AudioSocket server and its limits."""

    model_config = ConfigDict(frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(0, ge=0, le=65535)
    address: str = ""
    """HOST:PORT that Asterisk connects to; "" for the server's own."""
    max_taps: int = Field(200, ge=0)
    open_timeout_s: float = Field(4.0, gt=0, le=60)
    """From the Originate to Asterisk's connection: 30 ms is usual. The call goes on meanwhile."""
    uuid_timeout_s: float = Field(2.0, gt=0, le=60)
    max_strangers: int = Field(64, ge=1)
    sounds: Path = Path("/usr/share/asterisk/sounds")
    """Asterisk's prompts. The tap compares them with what it hears, to recognise their echo."""
    debug_audio_dir: Path | None = None
    debug_audio_days: float = Field(3.0, gt=0)
