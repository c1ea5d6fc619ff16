"""Rewrites what must be recorded of the captures in `rings`: python -m tests.traces.rewrite_expected CAPTURE.txt ...

It writes what is recorded now. Look at the differences before you commit them.
"""

import json
import sys
from pathlib import Path

from callflow.captures.capture_file import read_capture
from callflow.captures.ring_replay import capture_messages, replay_rings
from callflow.core.rings.rules import RingRules
from tests.traces.make_ring_traces import expected_of


def rewrite(file: Path) -> None:
    """The JSON beside one capture."""
    capture = read_capture(file)
    rules = RingRules(queue_cadences={f"ring-{capture.name}": capture.header["cadence"]})
    kept = replay_rings(capture_messages(capture), rules)
    expected = expected_of([*kept.stays, *kept.offers, *kept.legs])
    file.with_suffix(".json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        rewrite(Path(name))
