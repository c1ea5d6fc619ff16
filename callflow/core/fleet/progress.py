"""The collector's side: up to where the events of a stream have come without a gap."""

from dataclasses import dataclass


@dataclass(slots=True)
class Progress:
    """Of one stream. Every event names the one before it, so a gap in the numbers alone is none."""

    upto: int = 0

    def take(self, seq: int, after: int) -> bool:
        """An event has come, sent after the event `after`; False when something before it is missing.

        What comes beyond a gap is stored, and comes again when the publisher sends what is missing.
        """
        if after > self.upto:
            return False
        self.upto = max(self.upto, seq)
        return True
