"""Sections of the settings as the adapters want them; apart from the daemon, for commands that need no more."""

from callflow.adapters.agi.server import AgiOptions
from callflow.adapters.ami.options import AmiOptions
from callflow.adapters.audio.options import TapOptions
from callflow.settings.model import Settings


def ami_options(settings: Settings) -> AmiOptions:
    """The [ami] section, for the adapter."""
    return AmiOptions.model_validate(settings.ami.model_dump())


def agi_options(settings: Settings) -> AgiOptions:
    """The [agi] section, for the adapter."""
    agi = settings.agi
    return AgiOptions(
        host=agi.host,
        port=agi.port,
        token=agi.token.get_secret_value(),
        max_sessions=2 * settings.limits.max_calls,  # the core turns away, and records, what is above its own limit
    )


def tap_options(settings: Settings) -> TapOptions:
    """The [tap] section, for the adapter."""
    return TapOptions.model_validate(settings.tap.model_dump(exclude={"enabled"}))
