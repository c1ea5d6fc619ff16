"""Callers' audio: Asterisk's AudioSocket connections, what is heard in them, and when it is listened to."""

from callflow.adapters.audio.options import TapOptions
from callflow.adapters.audio.taps import Taps

__all__ = ["TapOptions", "Taps"]
