"""What has ended is freed at once: a call leaves nothing of the tracker's to Python's garbage collector."""

from pathlib import Path

from callflow.adapters.ami.translate_rings import RingTranslator
from callflow.captures.capture_file import read_capture
from callflow.captures.ring_replay import LAST_MS, KeptRings, capture_messages, pass_time, take_messages
from callflow.core.rings.tracker import Tracker
from callflow.core.service.targets import QueueTarget, Targets
from tests.garbage import cycles_left
from tests.traces.test_ring_traces import by_file, rules


@by_file
def test_calls_leave_no_cycle_behind(file: Path) -> None:
    capture = read_capture(file)
    tracker = Tracker(rules(capture), Targets(queues={"default": QueueTarget()}))
    with cycles_left() as found:
        now_ms = take_messages(tracker, KeptRings(), RingTranslator(), capture_messages(capture), 0)
        pass_time(tracker, KeptRings(), now_ms + LAST_MS)
    assert not found
