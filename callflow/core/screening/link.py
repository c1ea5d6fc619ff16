"""The known state of the AMI connection that reports the sound of all calls."""

from dataclasses import dataclass


@dataclass(slots=True)
class Link:
    """One for all calls; the engine keeps it up to date."""

    up: bool = False
    proven: bool = False
    """A sound has been reported over this connection; before that, callflow never hangs up."""
    may_go_deaf: bool = True
    """This Asterisk may stop hearing a caller; one that never does needs no evidence."""
