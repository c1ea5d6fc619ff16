"""The gain policy: when a voice is too low, and how much it is raised. Pure functions."""

from callflow.core.heard import Heard
from callflow.core.profile import Quiet


def label(level_dbov: float, quiet: Quiet) -> Heard:
    """What a voice of this level is called: `quiet` below the profile's threshold, without our gain."""
    return Heard.QUIET if level_dbov < quiet.below_dbov else Heard.SPEECH


def is_clear(level_dbov: float | None, gain_db: float, quiet: Quiet, margin_db: float = 0.0) -> bool:
    """A voice of this level can be understood once it is raised by `gain_db`; so can one of unknown level."""
    return level_dbov is None or level_dbov + gain_db >= quiet.below_dbov + margin_db


def gain_for(level_dbov: float | None, noise_dbov: float | None, quiet: Quiet) -> float:
    """The gain in dB that brings a voice of this level to the target; never noise above it, and within bounds.

    An unknown level gets half of the most: it may not be that low.
    """
    if level_dbov is None:
        return quiet.max_gain_db / 2
    loudest_dbov = level_dbov if noise_dbov is None else max(level_dbov, noise_dbov)
    return round(min(max(quiet.target_dbov - loudest_dbov, 0.0), quiet.max_gain_db), 1)


def target_for(level_dbov: float | None, gain_db: float, quiet: Quiet) -> float:
    """Where this gain brings a voice of this level, dBov; one of unknown level only to where it is understood."""
    return quiet.below_dbov if level_dbov is None else level_dbov + gain_db
