"""Where scenarios are played: the releases of Asterisk, and the settings of the daemon beside them."""

from pathlib import Path
from typing import Any, Literal

from callflow.installed import SOUNDS

Version = Literal["22", "16"]
VERSIONS: tuple[Version, ...] = ("22", "16")
PROFILES: dict[str, Any] = {
    "support": {},
    "watched": {"mode": "observe", "observe_after_s": 3.0},
    "unscreened": {"mode": "off"},
}
AMI_USER, AMI_SECRET = "callflow", "change-me"  # as config/asterisk/manager_callflow.conf is shipped
_MOST_CALLS = 20_000
STALL_S = 3.0
"""Machines of tests stall for longer than those of a site."""
MOST_TAPS = 50
"""This machine has to make the callers' sound as well; TALK_DETECT alone serves further callers."""

UNTAPPED_FROM = 1000
"""With more calls none is tapped; an Asterisk 22 then gives no evidence of silence, so the pretend one is like 16."""


def daemon_config(
    ami_port: int, agi_port: int, database: Path, log_level: str = "info", *, taps: int = 0
) -> dict[str, Any]:
    """Settings for a daemon that meets its Asterisk on these loopback ports; at most `taps` callers are tapped."""
    return {
        "ami": {"host": "127.0.0.1", "port": ami_port, "username": AMI_USER, "secret": AMI_SECRET},
        "agi": {"host": "127.0.0.1", "port": agi_port},
        "tap": {"enabled": taps > 0, "max_taps": taps, "max_lag_s": STALL_S, "sounds": str(SOUNDS)},
        "store": {"path": str(database)},
        "http": {"port": 0},
        "web": {"enabled": False},
        "limits": {"max_calls": _MOST_CALLS, "stall_s": STALL_S, "max_lag_s": STALL_S},
        "log": {"level": log_level, "format": "json"},
        "assist": {"names_dir": str(database.parent)},
        "profiles": PROFILES,
    }
