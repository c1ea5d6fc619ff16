"""Hearing callers: voice, level, tones and noise in their audio. No sockets, no clock: samples in, findings out.

`Hearing` is made once per process, a `Listener` for each call. Feed samples as they come, call `Hearing.run` about
every 32 ms with all listeners, then read `speaking` while they listen, and `verdict()` when a window is over.
"""

from callflow.hearing.finding import Finding, Onset
from callflow.hearing.hearing import Hearing
from callflow.hearing.listener import Listener

__all__ = ["Finding", "Hearing", "Listener", "Onset"]
