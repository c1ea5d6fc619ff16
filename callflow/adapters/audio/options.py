"""Where Asterisk brings the audio, and how much of it."""

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
    """From the Originate to Asterisk's connection; 30 ms is usual, and waiting longer costs the call nothing."""
    uuid_timeout_s: float = Field(2.0, gt=0, le=60)
    max_strangers: int = Field(64, ge=1)
    sounds: Path = Path("/usr/share/asterisk/sounds")
    """Where the prompts that Asterisk plays can be read, to know them in the caller's echo."""
    debug_audio_dir: Path | None = None
    debug_audio_days: float = Field(3.0, gt=0)
