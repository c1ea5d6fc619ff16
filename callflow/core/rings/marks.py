"""The marks that a record may bear: a closed set of short names. docs/rings.md explains them.

A mark says how a call came about, that a result is a guess, or that an event was anomalous.
"""

CALL_WAITING = "call_waiting"
"""The phone was in another call."""
TRANSFERRED = "transferred"
"""An agent began it, and transferred the caller into it."""
ORIGINATED = "originated"
"""Asterisk placed the call."""

OUTCOME_GUESSED = "outcome_guessed"
"""The dialplan did not report which outcome it was."""
UNRESOLVED = "unresolved"
"""It ended while callflow was not connected."""

ABSURD_TIME = "absurd_time"
REPEATED_HEADER = "repeated_header"
TIME_BACKWARDS = "time_backwards"
"""A later event has an earlier time: the duration is 0."""
