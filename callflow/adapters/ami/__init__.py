"""Asterisk's manager interface: the link, what is asked over it, and what its events mean."""

from callflow.adapters.ami.actions import AmiActions
from callflow.adapters.ami.link import AmiLink
from callflow.adapters.ami.options import AmiOptions
from callflow.adapters.ami.translate import WANTED, check_outcome, stamped_ms, translate

__all__ = ["WANTED", "AmiActions", "AmiLink", "AmiOptions", "check_outcome", "stamped_ms", "translate"]
