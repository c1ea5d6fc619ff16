"""FastAGI: the server that takes callers in, and one session for each."""

from callflow.adapters.agi.arrival import call_arrived
from callflow.adapters.agi.server import AgiOptions, AgiServer
from callflow.adapters.agi.session import AgiSession

__all__ = ["AgiOptions", "AgiServer", "AgiSession", "call_arrived"]
